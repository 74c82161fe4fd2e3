// SPDX-License-Identifier: Apache-2.0
// Linearizable reads without log entries: thesis 6.4. ReadIndex, leases, and reads at replicas that
// do not lead.
#include <algorithm>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

ReadResult Raft::Read(Instant now, Effects* effects, ReadMode mode) {
  ReadResult result = NotLeader{leader_id()};
  Guarded(now, effects, [&] {
    if (!leader_id()) return;
    const ReadId id = ++last_read_id_;
    result = id;
    if (!is_leader()) {
      ReadRemotely(id);
      return;
    }
    StopResting();
    SOMETIMES(kLeaseLapsed, mode == ReadMode::kLease && ReadIndexNow() && !HoldsLease(now));
    if (mode == ReadMode::kLease && HoldsLease(now)) {
      effects_->reads.push_back({id, true, log_.commit_index()});
    } else {
      ReadHere(id);
    }
  });
  if (!poison_.empty()) return NotLeader{};
  return result;
}

// The commit index, if it is known to be the latest: a new leader's may lag until an entry of its
// own term is committed (thesis 6.4, step 1).
std::optional<Index> Raft::ReadIndexNow() const {
  if (!log_.Has({term(), log_.commit_index()})) return std::nullopt;
  return log_.commit_index();
}

void Raft::ReadHere(ReadId id) {
  auto& leader = std::get<Leader>(role_);
  // One round at a time: reads that arrive while one is under way share the next.
  const bool idle = leader.reads.empty();
  SOMETIMES(kReadWaitsForNextRound, !idle);
  leader.reads.Add(id, ReadIndexNow(), leader.round + 1);
  if (idle) BeginRound();
  CountRounds();
}

// --- Rounds of contact.

// Makes contact with every follower, as a proof of leadership later.
void Raft::BeginRound() {
  auto& leader = std::get<Leader>(role_);
  ++leader.round;
  leader.round_news = true;
  leader.rounds.push_back({leader.round, now_});
  for (const Progress& follower : leader.followers) {
    Send(follower.id(), HeartbeatRequest{follower.session(), leader.round, LogId()}, IoToken(),
         follower.incarnation());
  }
}

// Looks which rounds a quorum has answered: they prove reads, and prolong the lease.
void Raft::CountRounds() {
  auto& leader = std::get<Leader>(role_);
  if (!leader.round_news) return;
  leader.round_news = false;
  const uint64_t confirmed = QuorumValue(conf(), [&](PeerId id) -> uint64_t {
    return id == id_ ? leader.round : leader.Of(id).acked_round;
  });
  while (!leader.rounds.empty() && leader.rounds.front().first <= confirmed) {
    leader.lease_start = leader.rounds.front().second;
    leader.rounds.pop_front();
  }
  if (leader.reads.empty()) return;
  const size_t first_outcome = effects_->reads.size();
  leader.reads.Confirm(confirmed, &effects_->reads);
  AnswerRemoteReaders(first_outcome);
  // The round under way is answered and somebody came after it began.
  if (!leader.reads.empty() && leader.reads.last_round() > leader.round &&
      confirmed >= leader.round) {
    BeginRound();
    CountRounds();
  }
}

// From the sending of a round that a quorum answered, each of that quorum refuses to help anybody
// else for an election timeout by its own clock (thesis 6.4.1).
bool Raft::HoldsLease(Instant now) const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->lease_void || !leader->lease_start || !poison_.empty() ||
      !ReadIndexNow()) {
    return false;
  }
  const Duration lease =
      config_.election_timeout - config_.election_timeout * config_.clock_drift_ppm_max / 1000000;
  return now < *leader->lease_start + lease;
}

// --- Replicas that do not lead.

void Raft::ReadRemotely(ReadId id) {
  auto& follower = std::get<Follower>(role_);
  if (follower.resting) {
    follower.resting = false;
    election_due_ = now_ + election_timeout_;
  }
  follower.reads.Add(id);
  if (!follower.reads.request_under_way()) AskLeader();
}

void Raft::AskLeader() {
  auto& follower = std::get<Follower>(role_);
  follower.reads.Ask(++last_read_request_, now_);
  Send(follower.leader, ReadRequest{last_read_request_}, IoToken());
}

void Raft::On(const Message& message, const ReadRequest& request) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) {
    Send(message.from, ReadReply{request.request, Index()}, IoToken(), message.from_incarnation);
    return;
  }
  const ReadId id = ++last_read_id_;
  leader->remote_readers.push_back({id, message.from, request.request});
  ReadHere(id);
}

void Raft::On(const Message& message, const ReadReply& reply) {
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != message.from || !reply.index) return;
  if (follower->reads.Grant(reply.request, reply.index, &effects_->reads) &&
      !follower->reads.empty()) {
    AskLeader();
  }
}

// Turns outcomes for other replicas' reads, from `first_outcome` on, into answers to them.
void Raft::AnswerRemoteReaders(size_t first_outcome) {
  auto& leader = std::get<Leader>(role_);
  if (leader.remote_readers.empty()) return;
  auto& outcomes = effects_->reads;
  const auto mine = std::remove_if(
      outcomes.begin() + static_cast<ptrdiff_t>(first_outcome), outcomes.end(),
      [&](const ReadOutcome& outcome) {
        const auto reader = std::find_if(leader.remote_readers.begin(), leader.remote_readers.end(),
                                         [&](const RemoteReader& r) { return r.id == outcome.id; });
        if (reader == leader.remote_readers.end()) return false;
        if (outcome.granted) {
          Send(reader->peer, ReadReply{reader->request, outcome.index}, IoToken());
        }
        leader.remote_readers.erase(reader);
        return true;
      });
  outcomes.erase(mine, outcomes.end());
}

}  // namespace flaredb::raft
