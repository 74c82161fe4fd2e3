// SPDX-License-Identifier: Apache-2.0
// Compaction and snapshots: thesis 5. The core decides what is sent when, checks what arrives and
// keeps the log that is still needed; the bytes are the state machine's.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/probe.h"
#include "core/raft/raft.h"

namespace flaredb::raft {

// --- Compaction.

void Raft::Compact(Instant now, Index upto, Effects* effects) {
  Guarded(now, effects, [&] {
    INVARIANT(upto <= handed_out_index_) << upto << " was not applied yet";
    const Index to = CompactionLimit(std::min(upto, log_.durable_index()));
    if (to <= log_.base().index) return;
    log_.CompactTo(to);
    confs_.CompactTo(to);
    Pending().base = std::make_shared<LogBase>(LogBase{log_.base(), confs_.At(to)});
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr) return;
    for (Progress& follower : leader->followers) {
      if (follower.fetch_id == 0 || follower.next_index() > to) continue;
      REACHED(kCompactedDuringFetch);
      // What is being read for it may be gone already.
      follower.fetch_id = 0;
      Replicate(&follower);
    }
  });
}

// How far the log may go without making a snapshot necessary that could be spared.
Index Raft::CompactionLimit(Index upto) const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return upto;
  Index limit = upto;
  for (const Progress& follower : leader->followers) {
    if (!InContact(follower) || follower.state() == ProgressState::kSnapshot) continue;
    const uint64_t retained = std::min(upto.value(), config_.compact_retain_entries_max);
    limit = std::min(limit, std::max(follower.match_index(), upto - retained));
    SOMETIMES(kCompactionHeldForFollower, limit < upto);
  }
  for (const SnapshotSend& send : leader->snapshots) {
    // What comes after the snapshot is sent next.
    const Index held = send.base ? send.base->last.index : log_.base().index;
    const bool worth_it = now_ - send.began < config_.snapshot_hold_timeout &&
                          upto - held <= config_.snapshot_hold_entries_max;
    SOMETIMES(kCompactionHeldForSnapshot, worth_it && held < limit);
    if (worth_it) limit = std::min(limit, held);
  }
  return limit;
}

// --- Sending. One transfer at a time for each follower, one piece at a time for each transfer.

void Raft::BeginSnapshot(Progress* follower) {
  follower->BecomeSnapshot();
  SnapshotSend send;
  send.follower = follower->id();
  send.id = ++last_snapshot_id_;
  send.began = send.moved = now_;
  effects_->snapshots.push_back(TakeSnapshot{send.id});
  std::get<Leader>(role_).snapshots.push_back(std::move(send));
}

SnapshotSend* Raft::FindSend(SnapshotId id) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return nullptr;
  for (SnapshotSend& send : leader->snapshots) {
    if (send.id == id) return &send;
  }
  return nullptr;
}

void Raft::OnSnapshotTaken(Instant now, SnapshotId id, Index index, Effects* effects) {
  Guarded(now, effects, [&] {
    SnapshotSend* send = FindSend(id);
    if (send == nullptr || send->base) return;
    INVARIANT(index <= handed_out_index_) << "a snapshot of the future";
    if (index < log_.base().index) {
      // Compaction went on meanwhile: the log does not continue this one.
      EndSnapshot(std::get<Leader>(role_).Find(send->follower));
      return;
    }
    send->base = LogBase{log_.IdAt(index), confs_.At(index)};
    ReadChunk(send, 0);
  });
}

void Raft::ReadChunk(SnapshotSend* send, uint64_t number) {
  send->reading = number;
  send->outstanding.reset();
  effects_->snapshots.push_back(ReadSnapshot{send->id, number, config_.snapshot_chunk_bytes});
}

void Raft::OnSnapshotRead(Instant now, SnapshotId id, uint64_t number, std::string bytes, bool last,
                          Effects* effects) {
  Guarded(now, effects, [&] {
    SnapshotSend* send = FindSend(id);
    if (send == nullptr || send->reading != number) return;
    send->reading.reset();
    send->checksum = ChecksumChunk(send->checksum, bytes);
    send->outstanding = std::make_shared<SnapshotChunk>(
        SnapshotChunk{id, *send->base, number, last, send->checksum, std::move(bytes)});
    send->moved = now_;
    SendChunk(send);
  });
}

void Raft::SendChunk(SnapshotSend* send) {
  auto& leader = std::get<Leader>(role_);
  const Progress& follower = leader.Of(send->follower);
  send->sent = now_;
  Send(follower.id(), SnapshotRequest{follower.session(), leader.round, send->outstanding},
       IoToken(), follower.incarnation());
}

void Raft::OnSnapshotFailed(Instant now, SnapshotId id, Effects* effects) {
  Guarded(now, effects, [&] {
    if (SnapshotSend* send = FindSend(id)) {
      EndSnapshot(std::get<Leader>(role_).Find(send->follower));
    }
  });
}

void Raft::On(const Message& message, const SnapshotReply& reply) {
  Progress* follower = Answering(message, reply.session, reply.round);
  if (follower == nullptr) return;
  CountRounds();
  SnapshotSend* send = FindSend(reply.id);
  if (send == nullptr || send->outstanding == nullptr || send->follower != message.from) return;
  const uint64_t number = send->outstanding->number;
  if (reply.next_chunk == number + 1 && !send->outstanding->last) {
    ReadChunk(send, number + 1);
  } else if (reply.next_chunk == 0 && number > 0) {
    REACHED(kSnapshotBegunAgain);
    // It lost what it had. Under a new id, so that nothing of the first attempt is mistaken.
    EndSnapshot(follower);
    BeginSnapshot(follower);
  }
}

// Ends the transfer to `follower`, if there is one.
void Raft::EndSnapshot(Progress* follower) {
  std::erase_if(std::get<Leader>(role_).snapshots, [&](const SnapshotSend& send) {
    if (send.follower != follower->id()) return false;
    effects_->snapshots.push_back(DropSnapshot{send.id});
    return true;
  });
  if (follower->state() == ProgressState::kSnapshot) follower->LeaveSnapshot();
}

// The follower has come to where the log, or what follows the snapshot, can go on. Whether by this
// snapshot or another way does not matter.
void Raft::OnAcceptDuringSnapshot(const AppendAccept& accept, Progress* follower) {
  for (const SnapshotSend& send : std::get<Leader>(role_).snapshots) {
    if (send.follower != follower->id()) continue;
    const bool installed = send.base && accept.match_index >= send.base->last.index;
    if (installed || accept.match_index >= log_.base().index) EndSnapshot(follower);
    return;
  }
}

// At each heartbeat: sends again what seems lost, gives up what does not move.
void Raft::TendSnapshots() {
  auto& leader = std::get<Leader>(role_);
  for (size_t i = leader.snapshots.size(); i-- > 0;) {
    SnapshotSend& send = leader.snapshots[i];
    if (now_ - send.moved >= config_.snapshot_stall_timeout) {
      REACHED(kSnapshotGivenUp);
      EndSnapshot(leader.Find(send.follower));
    } else if (send.outstanding != nullptr && now_ - send.sent >= config_.election_timeout) {
      REACHED(kPieceSentAgain);
      SendChunk(&send);
    }
  }
}

// --- Receiving.

void Raft::On(const Message& message, const SnapshotRequest& request) {
  HearFromLeader(message.from);
  const SnapshotChunk& chunk = *request.chunk;
  const LogId end = chunk.base.last;
  if (end.index <= log_.commit_index() || log_.Has(end)) {
    REACHED(kSnapshotNotNeeded);
    // Nothing to install: this log holds it all, as `end` shows (thesis 5.3).
    Unstage();
    if (end.index > log_.commit_index()) CommitTo(end.index);
    const IoToken gate = end.index > log_.durable_index() ? LastToken() : IoToken();
    Send(message.from,
         AppendReply{request.session, request.round, AppendAccept{end.index, log_.commit_index()}},
         gate, message.from_incarnation);
    return;
  }
  const bool same = staged_ != nullptr && staged_->id == chunk.id && staged_->base == chunk.base;
  const uint64_t wanted = same ? staged_->number + 1 : 0;
  const uint64_t before = same ? staged_->checksum : 0;
  SOMETIMES(kPieceCorrupt,
            chunk.number == wanted && chunk.checksum != ChecksumChunk(before, chunk.data));
  if (chunk.number != wanted || chunk.checksum != ChecksumChunk(before, chunk.data)) {
    Send(message.from, SnapshotReply{request.session, request.round, chunk.id, wanted}, IoToken(),
         message.from_incarnation);
    return;
  }
  effects_->snapshots.push_back(StageSnapshot{request.chunk});
  if (chunk.last) {
    Install(chunk);
    Send(message.from,
         AppendReply{request.session, request.round, AppendAccept{end.index, end.index}},
         LastToken(), message.from_incarnation);
    return;
  }
  staged_ = std::make_shared<const SnapshotReceived>(
      SnapshotReceived{term(), chunk.id, chunk.base, chunk.number, chunk.checksum});
  Send(message.from, SnapshotReply{request.session, request.round, chunk.id, chunk.number + 1},
       IoToken(), message.from_incarnation);
}

// The snapshot takes the place of log and state machine at once, with this call's persist.
void Raft::Install(const SnapshotChunk& chunk) {
  const LogId end = chunk.base.last;
  INVARIANT(end.index > log_.commit_index()) << "a snapshot would undo commits";
  SOMETIMES(kSnapshotReplacesEntries, log_.last_index() > log_.commit_index());
  INVARIANT(Pending().append.empty() && !Pending().truncate_from && Pending().base == nullptr);
  staged_.reset();
  log_.ResetTo(end);
  confs_.Reset(end.index, chunk.base.conf);
  handed_out_index_ = end.index;
  apply_fetch_id_ = 0;
  Pending().base = std::make_shared<LogBase>(chunk.base);
  Pending().install = true;
}

void Raft::Unstage() {
  if (staged_ == nullptr) return;
  staged_.reset();
  effects_->snapshots.push_back(UnstageSnapshot{});
}

}  // namespace flaredb::raft
