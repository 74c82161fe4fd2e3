// SPDX-License-Identifier: Apache-2.0
// Elections: thesis 3.4 and 3.6.1, stickiness 4.2.3, PreVote 9.6.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

void Raft::BecomeFollower(Term new_term, PeerId leader) {
  INVARIANT(new_term >= term());
  if (auto* old = std::get_if<Leader>(&role_)) old->reads.Abort(&effects_->reads);
  if (new_term > term()) SetHardState({new_term, PeerId()});
  role_ = Follower{leader};
  ResetElectionDeadline();
}

void Raft::BecomePreCandidate() {
  if (!conf_.IsVoter(id_)) {
    ResetElectionDeadline();
    return;
  }
  role_ = PreCandidate{};
  ResetElectionDeadline();
  const auto ask = [&](PeerId voter) {
    if (voter != id_) Send(voter, PreVoteRequest{term().next(), log_.last_id()}, IoToken());
  };
  for (const PeerId voter : conf_.voters) ask(voter);
  for (const PeerId voter : conf_.voters_outgoing) {
    if (!std::binary_search(conf_.voters.begin(), conf_.voters.end(), voter)) ask(voter);
  }
  auto& votes = std::get<PreCandidate>(role_).votes;
  Record(&votes, id_, true);
  if (Tally(votes) == VoteState::kWon) BecomeCandidate();
}

void Raft::BecomeCandidate() {
  SetHardState({term().next(), id_});
  role_ = Candidate{{}, LastToken()};
  ResetElectionDeadline();
  // The requests leave when the own vote is durable: a candidate that forgot it could vote again.
  const auto ask = [&](PeerId voter) {
    if (voter != id_) Send(voter, VoteRequest{log_.last_id()}, LastToken());
  };
  for (const PeerId voter : conf_.voters) ask(voter);
  for (const PeerId voter : conf_.voters_outgoing) {
    if (!std::binary_search(conf_.voters.begin(), conf_.voters.end(), voter)) ask(voter);
  }
}

void Raft::BecomeLeader() {
  INVARIANT(hard_state_.vote == id_ && hard_state_token_ <= durable_token_);
  Leader leader;
  const auto follow = [&](PeerId id) {
    if (id == id_) return;
    auto at = std::lower_bound(leader.followers.begin(), leader.followers.end(), id,
                               [](const Progress& p, PeerId x) { return p.id() < x; });
    if (at != leader.followers.end() && at->id() == id) return;
    at = leader.followers.insert(at, Progress(id, ++last_session_, log_.last_index()));
    at->last_contact = now_;
  };
  for (const PeerId id : conf_.voters) follow(id);
  for (const PeerId id : conf_.voters_outgoing) follow(id);
  for (const PeerId id : conf_.learners) follow(id);
  leader.heartbeat_due = now_ + config_.heartbeat_interval;
  role_ = std::move(leader);

  // Entries of earlier terms commit only beneath one of ours (thesis 3.6.2, 6.4).
  const NewEntry noop{EntryKind::kNoop, {}};
  AppendToLog(EntrySlice(EntryBlock::Create(term(), log_.last_index().next(), {&noop, 1})));
  ReplicateToAll();
}

void Raft::ResetElectionDeadline() {
  const Duration timeout = config_.election_timeout;
  election_due_ = now_ + rng_.Between(timeout, timeout + timeout - Duration::Nanoseconds(1));
}

bool Raft::LeaderIsFresh() const { return is_leader() || now_ < leader_fresh_until_; }

// Thesis 3.6.1: the later term wins, then the longer log.
bool Raft::IsUpToDate(LogId last_log) const { return last_log >= log_.last_id(); }

// The first answer of a voter stands; a duplicate changes nothing.
void Raft::Record(std::vector<std::pair<PeerId, Ballot>>* votes, PeerId from, bool granted) {
  auto at = std::lower_bound(votes->begin(), votes->end(), from,
                             [](const auto& vote, PeerId x) { return vote.first < x; });
  if (at != votes->end() && at->first == from) return;
  votes->insert(at, {from, granted ? Ballot::kGranted : Ballot::kRefused});
}

VoteState Raft::Tally(const std::vector<std::pair<PeerId, Ballot>>& votes) const {
  return CountVotes(conf_, [&](PeerId id) {
    for (const auto& [voter, ballot] : votes) {
      if (voter == id) return ballot;
    }
    return Ballot::kMissing;
  });
}

void Raft::On(const Message& message, const PreVoteRequest& request) {
  const bool granted =
      request.campaign_term > term() && IsUpToDate(request.last_log) && !LeaderIsFresh();
  Send(message.from, PreVoteReply{request.campaign_term, granted}, IoToken());
}

void Raft::On(const Message& message, const PreVoteReply& reply) {
  auto* candidate = std::get_if<PreCandidate>(&role_);
  if (candidate == nullptr || reply.campaign_term != term().next()) return;
  Record(&candidate->votes, message.from, reply.granted);
  switch (Tally(candidate->votes)) {
    case VoteState::kWon:
      BecomeCandidate();
      break;
    case VoteState::kLost:
      BecomeFollower(term(), PeerId());
      break;
    case VoteState::kPending:
      break;
  }
}

void Raft::On(const Message& message, const VoteRequest& request) {
  // One vote a term; the same candidate may ask again because the answer was lost.
  const bool free = !hard_state_.vote && !leader_id();
  const bool granted = hard_state_.vote == message.from || (free && IsUpToDate(request.last_log));
  if (granted && hard_state_.vote != message.from) {
    SetHardState({term(), message.from});
    ResetElectionDeadline();
  }
  Send(message.from, VoteReply{granted}, IoToken());
}

void Raft::On(const Message& message, const VoteReply& reply) {
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr) return;
  Record(&candidate->votes, message.from, reply.granted);
  CountElection();
}

void Raft::CountElection() {
  auto& candidate = std::get<Candidate>(role_);
  if (candidate.own_vote <= durable_token_) Record(&candidate.votes, id_, true);
  switch (Tally(candidate.votes)) {
    case VoteState::kWon:
      // A majority of others may be enough before the own vote is durable; a leader's appends are
      // not gated, so its term has to be.
      if (candidate.own_vote <= durable_token_) BecomeLeader();
      break;
    case VoteState::kLost:
      BecomeFollower(term(), PeerId());
      break;
    case VoteState::kPending:
      break;
  }
}

}  // namespace flaredb::raft
