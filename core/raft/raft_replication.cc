// SPDX-License-Identifier: Apache-2.0
// Log replication and commitment: thesis 3.5 and 3.6.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

// --- Follower.

void Raft::HearFromLeader(PeerId leader) {
  INVARIANT(!is_leader()) << "two leaders in term " << term() << ": " << id_ << " and " << leader;
  const PeerId known = leader_id();
  INVARIANT(!known || known == leader)
      << "two leaders in term " << term() << ": " << known << " and " << leader;
  SOMETIMES(kCandidateMeetsLeader, std::holds_alternative<Candidate>(role_));
  if (known != leader) BecomeFollower(term(), leader);
  std::get<Follower>(role_).resting = false;
  election_due_ = now_ + election_timeout_;
  leader_fresh_until_ = now_ + config_.election_timeout;
}

void Raft::On(const Message& message, AppendRequest&& request) {
  HearFromLeader(message.from);
  AppendReply reply{request.session, request.round, AppendAccept{}};
  IoToken gate;
  INVARIANT(request.prev.index != log_.base().index || request.prev == log_.base())
      << "leader " << message.from << " lacks what is committed here";
  if (!log_.Holds(request.prev)) {
    const Index nearest = std::min(request.prev.index, log_.last_index());
    const LogId hint = log_.LastWithTermAtMost(nearest, request.prev.term);
    SOMETIMES(kRejectedWithOlderTerm, hint.term < request.prev.term && hint.index < nearest);
    reply.result = AppendReject{request.prev.index, hint};
  } else {
    SOMETIMES(kAppendBelowBase, request.prev.index < log_.base().index);
    // Only what this very message showed to agree with the leader may commit by it.
    const Index verified = AppendVerified(request.prev.index, std::move(request.entries));
    const Index commit_index = std::min(request.commit_index, verified);
    if (commit_index > log_.commit_index()) CommitTo(commit_index);
    if (verified > log_.durable_index()) gate = LastToken();
    reply.result = AppendAccept{verified, log_.commit_index()};
    if (request.accept_unanswered) return;
  }
  Send(message.from, std::move(reply), gate, message.from_incarnation);
}

// Adds what is new of the leader's entries, replacing what conflicts. Returns the last index up to
// which this log is now known to equal the leader's. Requires that the log agrees at `prev_index`.
Index Raft::AppendVerified(Index prev_index, EntrySlices&& slices) {
  Index verified = prev_index;
  for (EntrySlice& entries : slices) {
    INVARIANT(entries.first_index() == verified.next());
    verified = entries.last_index();
    Index fresh = entries.first_index();  // First entry that this log lacks or contradicts.
    while (fresh <= verified && log_.Holds({entries.term(), fresh})) ++fresh;
    if (fresh > verified) continue;
    if (fresh <= log_.last_index()) TruncateLog(fresh);
    SOMETIMES(kAppendPartlyKnown, fresh > entries.first_index());
    if (fresh > entries.first_index()) entries = entries.Clip(fresh, verified);
    AppendToLog(std::move(entries));
  }
  return verified;
}

void Raft::On(const Message& message, const HeartbeatRequest& request) {
  HearFromLeader(message.from);
  auto& follower = std::get<Follower>(role_);
  if (follower.reads.request_under_way() &&
      now_ - follower.reads.asked_at() >= config_.heartbeat_interval) {
    REACHED(kRemoteReadAskedAgain);
    AskLeader();  // Question or answer may be lost.
  }
  follower.resting = AgreesToRest(request);
  SOMETIMES(kRestRefused, request.rest_at.index && !follower.resting);
  if (follower.resting) ReleaseMemory();
  Send(message.from, HeartbeatReply{request.session, request.round, log_.commit_index()}, IoToken(),
       message.from_incarnation);
}

// --- Leader.

// The follower that answers, its contact noted; null when the answer is not for this leadership or
// not from the replica that it believes in.
Progress* Raft::Answering(const Message& message, uint64_t session, uint64_t round) {
  auto* leader = std::get_if<Leader>(&role_);
  Progress* follower = leader != nullptr ? leader->Find(message.from) : nullptr;
  if (follower == nullptr || follower->session() != session) return nullptr;
  const bool stranger = !follower->incarnation();
  if (!follower->Meet(message.from_incarnation)) return nullptr;
  if (stranger) leader->tend_conf = true;  // It can be pinned.
  INVARIANT(round <= leader->round);
  if (round > follower->acked_round) {
    follower->acked_round = round;
    leader->round_news = true;
  }
  follower->last_contact = now_;
  return follower;
}

Progress* Raft::Leader::Find(PeerId id) {
  for (Progress& follower : followers) {
    if (follower.id() == id) return &follower;
  }
  return nullptr;
}

const Progress& Raft::Leader::Of(PeerId id) const {
  const auto follower = std::find_if(followers.begin(), followers.end(),
                                     [&](const Progress& f) { return f.id() == id; });
  INVARIANT(follower != followers.end()) << "peer " << id << " is not followed";
  return *follower;
}

bool Raft::InContact(const Progress& follower) const {
  return now_ - follower.last_contact < config_.election_timeout;
}

void Raft::On(const Message& message, const AppendReply& reply) {
  Progress* follower = Answering(message, reply.session, reply.round);
  if (follower == nullptr) return;
  if (const auto* accept = std::get_if<AppendAccept>(&reply.result)) {
    INVARIANT(accept->match_index <= log_.last_index());
    follower->commit_acked = accept->commit_index;
    if (follower->state() == ProgressState::kSnapshot) OnAcceptDuringSnapshot(*accept, follower);
    const bool news = follower->OnAccept(accept->match_index);
    if (news) MaybeCommit();
    TellTransferee();
  } else {
    const auto& reject = std::get<AppendReject>(reply.result);
    const Index nearest = std::min(reject.hint.index, log_.last_index());
    const Index agree = log_.LastWithTermAtMost(nearest, reject.hint.term).index;
    if (!follower->OnReject(reject.prev_index, agree)) REACHED(kRejectionTooLate);
  }
  follower->MeasureRound(now_, log_.last_index(), config_.election_timeout);
  Replicate(follower);
  CountRounds();
}

void Raft::On(const Message& message, const HeartbeatReply& reply) {
  Progress* follower = Answering(message, reply.session, reply.round);
  if (follower == nullptr) return;
  follower->OnHeartbeatReply();
  follower->MeasureRound(now_, log_.last_index(), config_.election_timeout);
  follower->commit_acked = reply.commit_index;
  // Something is missing there though contact works: it may be under way, or lost. An append at
  // the end of what was sent finds out, whatever the window of unanswered ones says.
  if (follower->match_index() < log_.last_index() || follower->commit_acked < log_.commit_index()) {
    StopResting();
    if (follower->state() == ProgressState::kReplicate &&
        follower->next_index() > log_.base().index) {
      SendAppend(follower, {}, /*accept_unanswered=*/false);
    }
    Replicate(follower);
  }
  CountRounds();
}

void Raft::ReplicateToAll() {
  for (Progress& follower : std::get<Leader>(role_).followers) Replicate(&follower);
}

// Whether the follower's window has room. Beyond it nothing breaks.
bool Raft::MaySend(const Progress& follower) const {
  if (follower.MaySend(config_)) return true;
  const bool waits =
      follower.state() == ProgressState::kReplicate && follower.next_index() <= log_.last_index();
  SOMETIMES(kWindowFull, waits);
  return waits && BUGGIFY(kOverfillWindow);
}

// Sends what the follower lacks and may have now: entries, or the news of a commit.
void Raft::Replicate(Progress* follower) {
  // Whatever is under way: what comes next is not in the log any more.
  if (follower->next_index() <= log_.base().index) {
    const bool waits =
        follower->state() != ProgressState::kReplicate && !follower->MaySend(config_);
    if (!waits && InContact(*follower)) BeginSnapshot(follower);
    return;
  }
  while (MaySend(*follower)) {
    const Index next = follower->next_index();
    if (next > log_.last_index()) {
      if (follower->state() == ProgressState::kProbe) {
        SendAppend(follower, {}, /*accept_unanswered=*/false);
      } else if (follower->commit_sent < log_.commit_index() && !BUGGIFY(kKeepCommitNews)) {
        SendAppend(follower, {}, /*accept_unanswered=*/true);
      }
      return;
    }
    if (follower->state() == ProgressState::kProbe && InContact(*follower) &&
        BUGGIFY(kNeedlessSnapshot)) {
      return BeginSnapshot(follower);
    }
    const Index last = BUGGIFY(kSmallAppend) ? next : log_.last_index();
    EntrySlices entries = log_.Read(next, last, config_.append_bytes_max);
    if (entries.empty()) {
      if (follower->fetch_id != 0) return;
      REACHED(kFetchedForFollower);
      follower->fetch_id = ++last_fetch_id_;
      effects_->fetches.push_back(
          {follower->fetch_id, next, log_.window_first().prev(), config_.append_bytes_max});
      return;
    }
    SendAppend(follower, std::move(entries), /*accept_unanswered=*/false);
  }
}

// Entries start at next_index; none makes it a probe of what was sent so far. Leaves at once: the
// leader's own write of the same entries goes on in parallel (thesis 10.2.1).
void Raft::SendAppend(Progress* follower, EntrySlices entries, bool accept_unanswered) {
  const LogId prev = log_.IdAt(follower->next_index().prev());
  size_t bytes = 0;
  for (const EntrySlice& slice : entries) bytes += slice.bytes();
  const Index last = entries.empty() ? prev.index : entries.back().last_index();
  if (!entries.empty() || follower->state() == ProgressState::kProbe) {
    follower->OnSent(last, bytes);
  }
  follower->commit_sent = log_.commit_index();
  Send(follower->id(),
       AppendRequest{follower->session(), std::get<Leader>(role_).round, prev, log_.commit_index(),
                     accept_unanswered, std::move(entries)},
       IoToken(), follower->incarnation());
}

void Raft::MaybeCommit() {
  auto& leader = std::get<Leader>(role_);
  const Index acked(QuorumValue(conf(), [&](PeerId id) -> uint64_t {
    return (id == id_ ? log_.durable_index() : leader.Of(id).match_index()).value();
  }));
  INVARIANT(acked <= log_.last_index());
  // Entries of earlier terms commit only beneath one of ours: thesis 3.6.2, figure 3.7.
  SOMETIMES(kOldTermHeldByQuorum, acked > log_.commit_index() && !log_.Has({term(), acked}));
  if (acked <= log_.commit_index() || !log_.Has({term(), acked})) return;
  SOMETIMES(kCommittedBeforeOwnDisk, acked > log_.durable_index());
  CommitTo(acked);
  if (!leader.reads.empty()) {
    // A round that was answered before may prove reads that have an index only now.
    SOMETIMES(kReadBeforeFirstCommit, !leader.reads.placed());
    leader.reads.Place(acked);
    leader.round_news = true;
    CountRounds();
  }
  ReplicateToAll();
}

void Raft::OnLeaderDeadline() {
  auto& leader = std::get<Leader>(role_);
  if (leader.transfer && now_ >= leader.transfer->deadline) {
    REACHED(kTransferExpired);
    leader.transfer.reset();
  }
  if (now_ >= leader.heartbeat_due) Heartbeat();
}

// Reads begin rounds as well, but at these times the leader also looks after itself: however many
// reads there are, none of this is put off.
void Raft::Heartbeat() {
  std::get<Leader>(role_).heartbeat_due = now_ + config_.heartbeat_interval;
  if (DiskStalled()) {
    REACHED(kOwnDiskHangs);
    // Others can acknowledge without this disk, but nobody knows whether it will ever write again.
    HandOver();
    BecomeFollower(term(), PeerId());
  } else if (!HearsQuorum()) {
    REACHED(kQuorumSilent);
    // Others may have elected somebody by now; clients had better go and look (thesis 6.2).
    BecomeFollower(term(), PeerId());
  } else if (MayRest()) {
    Rest();
  } else {
    TendSnapshots();
    BeginRound();
    CountRounds();
  }
}

bool Raft::HearsQuorum() const {
  const auto& leader = std::get<Leader>(role_);
  return HasQuorum(conf(), [&](PeerId id) { return id == id_ || InContact(leader.Of(id)); });
}

}  // namespace flaredb::raft
