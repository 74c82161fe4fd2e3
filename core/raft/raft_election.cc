// SPDX-License-Identifier: Apache-2.0
// Elections: thesis 3.4 and 3.6.1, stickiness 4.2.3, PreVote 9.6.
#include <algorithm>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

void Raft::BecomeFollower(Term new_term, PeerId leader) {
  INVARIANT(new_term >= term());
  LeaveRole();
  if (new_term > term()) {
    SetHardState({new_term, PeerId()});
    Unstage();
  }
  role_ = Follower{};
  std::get<Follower>(role_).leader = leader;
  DrawElectionTimeout();
}

// What the old role owes to others.
void Raft::LeaveRole() {
  if (auto* leader = std::get_if<Leader>(&role_)) {
    SOMETIMES(kReadLosesLeader, !leader->reads.empty());
    const size_t first_outcome = effects_->reads.size();
    leader->reads.Abort(&effects_->reads);
    AnswerRemoteReaders(first_outcome);
    for (const SnapshotSend& send : leader->snapshots) {
      effects_->snapshots.push_back(DropSnapshot{send.id});
    }
  } else if (auto* follower = std::get_if<Follower>(&role_)) {
    follower->reads.Abort(&effects_->reads);
  }
}

// One for each voter of both halves, but this replica.
template <typename Request>
void Raft::AskVoters(const Request& request, IoToken gate) {
  for (const PeerId id : conf().Everybody()) {
    if (id == id_ || !conf().IsVoter(id)) continue;
    Send(id, request, gate, conf().Find(id).incarnation);
  }
}

void Raft::BecomePreCandidate() {
  SOMETIMES(kRemovedVoterCampaigns, !conf().IsVoter(id_));
  LeaveRole();
  role_ = PreCandidate{};
  DrawElectionTimeout();
  AskVoters(PreVoteRequest{term().next(), log_.last_id()}, IoToken());
  CountPreElection();
}

void Raft::BecomeCandidate(bool leadership_transfer) {
  LeaveRole();
  SetHardState({term().next(), id_});
  Unstage();
  role_ = Candidate{{}, LastToken()};
  DrawElectionTimeout();
  // The requests leave when the own vote is durable: a candidate that forgot it could vote again.
  AskVoters(VoteRequest{log_.last_id(), leadership_transfer}, LastToken());
}

void Raft::BecomeLeader() {
  INVARIANT(hard_state_.vote == id_ && hard_state_token_ <= durable_token_);
  SOMETIMES(kJointInherited, conf().joint());
  SOMETIMES(kUncommittedConfInherited, confs_.latest_index() > log_.commit_index());
  role_ = Leader{};
  auto& leader = std::get<Leader>(role_);
  leader.heartbeat_due = now_ + config_.heartbeat_interval;
  leader.busy_at = now_;
  FollowEverybody();

  // Entries of earlier terms commit only beneath one of ours (thesis 3.6.2, 6.4).
  const NewEntry noop{EntryKind::kNoop, {}};
  AppendToLog(EntrySlice(EntryBlock::Create(term(), log_.last_index().next(), {&noop, 1})));
  ReplicateToAll();
}

// A new random part for each stay in a role, so that a split vote is not split again and again
// (thesis 3.4). Not for each sign of life of a leader: nobody competes then.
void Raft::DrawElectionTimeout() {
  const Duration timeout = config_.election_timeout;
  election_timeout_ = rng_.Between(timeout, timeout + timeout - Duration::Nanoseconds(1));
  if (BUGGIFY(kShortElection)) election_timeout_ = timeout;
  election_due_ = now_ + election_timeout_;
}

bool Raft::LeaderIsFresh() const { return is_leader() || resting() || now_ < leader_fresh_until_; }

// A voter; or who was one until an entry that may never be committed: it may hold the only copy of
// what is (thesis 4.2.2).
bool Raft::MayCampaign() const {
  if (conf().IsVoter(id_)) return true;
  return confs_.latest_index() > log_.commit_index() && confs_.previous().IsVoter(id_);
}

// Thesis 3.6.1: the later term wins, then the longer log.
bool Raft::IsUpToDate(LogId last_log) const { return last_log >= log_.last_id(); }

// The first answer of a voter stands; a duplicate changes nothing. Another life of the voter than
// the one that the configuration names has no voice.
void Raft::Record(Votes* votes, const Message& message, bool granted) {
  const PeerId from = message.from;
  const Incarnation pinned = conf().Find(from).incarnation;
  if (pinned && pinned != message.from_incarnation) return;
  auto at = std::lower_bound(votes->begin(), votes->end(), from,
                             [](const auto& vote, PeerId x) { return vote.first < x; });
  if (at != votes->end() && at->first == from) return;
  votes->insert(at, {from, granted ? Ballot::kGranted : Ballot::kRefused});
}

VoteState Raft::Tally(const Votes& votes, Ballot own) const {
  return CountVotes(conf(), [&](PeerId id) {
    if (id == id_) return own;
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
  Record(&candidate->votes, message, reply.granted);
  CountPreElection();
}

void Raft::CountPreElection() {
  switch (Tally(std::get<PreCandidate>(role_).votes, Ballot::kGranted)) {
    case VoteState::kWon:
      BecomeCandidate(/*leadership_transfer=*/false);
      break;
    case VoteState::kLost:
      REACHED(kPreElectionLost);
      BecomeFollower(term(), PeerId());
      break;
    case VoteState::kPending:
      break;
  }
}

void Raft::On(const Message& message, const VoteRequest& request) {
  // One vote a term; the same candidate may ask again because the answer was lost. Other messages
  // may have brought this replica to the candidate's term: what it promised its leader holds on.
  const bool promised = LeaderIsFresh() && !request.leadership_transfer;
  const bool free = !hard_state_.vote && !leader_id() && !promised;
  const bool granted = hard_state_.vote == message.from || (free && IsUpToDate(request.last_log));
  SOMETIMES(kVoteAskedAgain, hard_state_.vote == message.from);
  SOMETIMES(kVoteForOlderLogRefused, free && !granted);
  if (granted && hard_state_.vote != message.from) {
    SetHardState({term(), message.from});
    DrawElectionTimeout();
  }
  Send(message.from, VoteReply{granted}, IoToken());
}

void Raft::On(const Message& message, const VoteReply& reply) {
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr) return;
  Record(&candidate->votes, message, reply.granted);
  CountElection();
}

void Raft::CountElection() {
  const auto& candidate = std::get<Candidate>(role_);
  // A quorum of others may be enough before the own vote is durable; but a leader's appends are not
  // gated, so its term has to be.
  if (candidate.own_vote > durable_token_) return;
  switch (Tally(candidate.votes, Ballot::kGranted)) {
    case VoteState::kWon:
      BecomeLeader();
      break;
    case VoteState::kLost:
      REACHED(kElectionLost);
      BecomeFollower(term(), PeerId());
      break;
    case VoteState::kPending:
      break;
  }
}

}  // namespace flaredb::raft
