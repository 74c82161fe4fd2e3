// SPDX-License-Identifier: Apache-2.0
// Log replication and commitment: thesis 3.5 and 3.6.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

// --- Follower.

void Raft::HearFromLeader(PeerId leader) {
  INVARIANT(!is_leader()) << "two leaders in term " << term() << ": " << id_ << " and " << leader;
  INVARIANT(!leader_id() || leader_id() == leader)
      << "two leaders in term " << term() << ": " << leader_id() << " and " << leader;
  if (leader_id() != leader) BecomeFollower(term(), leader);
  ResetElectionDeadline();
  leader_fresh_until_ = now_ + config_.election_timeout;
}

void Raft::On(const Message& message, const AppendRequest& request) {
  HearFromLeader(message.from);
  AppendReply reply{request.session, request.round, AppendAccept{}};
  IoToken gate;
  if (request.prev.index > log_.last_index() ||
      (request.prev.index >= log_.base().index && !log_.Has(request.prev))) {
    const Index nearest = std::min(request.prev.index, log_.last_index());
    reply.result =
        AppendReject{request.prev.index, log_.LastWithTermAtMost(nearest, request.prev.term)};
  } else {
    // Only what this very message showed to agree with the leader may commit by it.
    const Index verified = AppendVerified(request);
    const Index commit_index = std::min(request.commit_index, verified);
    if (commit_index > log_.commit_index()) CommitTo(commit_index);
    if (verified > log_.durable_index()) gate = LastToken();
    reply.result = AppendAccept{verified, log_.commit_index()};
  }
  Send(message.from, std::move(reply), gate, message.from_incarnation);
}

// Adds what is new of the request's entries, replacing what conflicts. Returns the last index up to
// which this log is now known to equal the leader's. Requires that the log agrees at `prev`.
Index Raft::AppendVerified(const AppendRequest& request) {
  Index verified = request.prev.index;
  for (const EntrySlice& entries : request.entries) {
    INVARIANT(entries.first_index() == verified.next());
    verified = entries.last_index();
    Index fresh = entries.first_index();  // First entry that this log lacks or contradicts.
    while (fresh <= verified &&
           (fresh <= log_.base().index || log_.TermAt(fresh) == entries.term())) {
      ++fresh;
    }
    if (fresh > verified) continue;
    if (fresh <= log_.last_index()) TruncateLog(fresh);
    AppendToLog(entries.Clip(fresh, verified));
  }
  return verified;
}

void Raft::On(const Message& message, const HeartbeatRequest& request) {
  HearFromLeader(message.from);
  Send(message.from, HeartbeatReply{request.session, request.round, log_.commit_index()}, IoToken(),
       message.from_incarnation);
}

// --- Leader.

// The follower that answers, its contact noted; null when the answer is not for this leadership or
// not from the replica that it believes in.
Progress* Raft::Answering(const Message& message, uint64_t session, uint64_t round) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return nullptr;
  for (Progress& follower : leader->followers) {
    if (follower.id() != message.from) continue;
    if (follower.session() != session || !follower.Meet(message.from_incarnation)) return nullptr;
    INVARIANT(round <= leader->round);
    follower.acked_round = std::max(follower.acked_round, round);
    follower.last_contact = now_;
    return &follower;
  }
  return nullptr;
}

void Raft::On(const Message& message, const AppendReply& reply) {
  Progress* follower = Answering(message, reply.session, reply.round);
  if (follower == nullptr) return;
  if (const auto* accept = std::get_if<AppendAccept>(&reply.result)) {
    INVARIANT(accept->match_index <= log_.last_index());
    follower->commit_acked = accept->commit_index;
    if (follower->OnAccept(accept->match_index)) MaybeCommit();
  } else {
    const auto& reject = std::get<AppendReject>(reply.result);
    const Index nearest = std::min(reject.hint.index, log_.last_index());
    follower->OnReject(reject.prev_index, log_.LastWithTermAtMost(nearest, reject.hint.term).index);
  }
  Replicate(follower);
  ConfirmReads();
}

void Raft::On(const Message& message, const HeartbeatReply& reply) {
  Progress* follower = Answering(message, reply.session, reply.round);
  if (follower == nullptr) return;
  follower->OnHeartbeatReply();
  follower->commit_acked = reply.commit_index;
  // Something is missing there though contact works: it may be under way, or lost. An append at
  // the end of what was sent finds out, whatever the window of unanswered ones says.
  if (follower->match_index() < log_.last_index() || follower->commit_acked < log_.commit_index()) {
    if (follower->state() == ProgressState::kReplicate) SendAppend(follower, {});
    Replicate(follower);
  }
  ConfirmReads();
}

void Raft::ReplicateToAll() {
  for (Progress& follower : std::get<Leader>(role_).followers) Replicate(&follower);
}

// Sends what the follower lacks and may have now: entries, or the news of a commit.
void Raft::Replicate(Progress* follower) {
  while (follower->MaySend(config_)) {
    const Index next = follower->next_index();
    if (next > log_.last_index()) {
      if (follower->state() == ProgressState::kProbe ||
          follower->commit_sent < log_.commit_index()) {
        SendAppend(follower, {});
      }
      return;
    }
    INVARIANT(next > log_.base().index);
    EntrySlices entries = log_.Read(next, log_.last_index(), config_.append_bytes_max);
    if (entries.empty()) {
      if (follower->fetch_id != 0) return;
      follower->fetch_id = ++last_fetch_id_;
      effects_->fetches.push_back(
          {follower->fetch_id, next, log_.window_first().prev(), config_.append_bytes_max});
      return;
    }
    SendAppend(follower, std::move(entries));
  }
}

// Entries start at next_index; none makes it a probe of what was sent so far. Leaves at once: the
// leader's own write of the same entries goes on in parallel (thesis 10.2.1).
void Raft::SendAppend(Progress* follower, EntrySlices entries) {
  const LogId prev{*log_.TermAt(follower->next_index().prev()), follower->next_index().prev()};
  size_t bytes = 0;
  for (const EntrySlice& slice : entries) bytes += slice.bytes();
  const Index last = entries.empty() ? prev.index : entries.back().last_index();
  if (!entries.empty() || follower->state() == ProgressState::kProbe) {
    follower->OnSent(last, bytes);
  }
  follower->commit_sent = log_.commit_index();
  Send(follower->id(),
       AppendRequest{follower->session(), std::get<Leader>(role_).round, prev, log_.commit_index(),
                     std::move(entries)},
       IoToken(), follower->incarnation());
}

void Raft::MaybeCommit() {
  const auto& leader = std::get<Leader>(role_);
  const Index acked(QuorumValue(conf_, [&](PeerId id) -> uint64_t {
    if (id == id_) return log_.durable_index().value();
    for (const Progress& follower : leader.followers) {
      if (follower.id() == id) return follower.match_index().value();
    }
    return 0;
  }));
  INVARIANT(acked <= log_.last_index());
  // Entries of earlier terms commit only beneath one of ours: thesis 3.6.2, figure 3.7.
  if (acked <= log_.commit_index() || log_.TermAt(acked) != term()) return;
  CommitTo(acked);
  std::get<Leader>(role_).reads.Place(acked);
  ConfirmReads();
  ReplicateToAll();
}

void Raft::Heartbeat() {
  if (HearsQuorum()) {
    BeginRound();
  } else {
    // Others may have elected somebody by now; clients had better go and look (thesis 6.2).
    BecomeFollower(term(), PeerId());
  }
}

bool Raft::HearsQuorum() const {
  const auto& leader = std::get<Leader>(role_);
  return HasQuorum(conf_, [&](PeerId id) {
    if (id == id_) return true;
    for (const Progress& follower : leader.followers) {
      if (follower.id() == id) return now_ - follower.last_contact < config_.election_timeout;
    }
    return false;
  });
}

}  // namespace flaredb::raft
