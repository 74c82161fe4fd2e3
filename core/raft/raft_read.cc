// SPDX-License-Identifier: Apache-2.0
// Linearizable reads without log entries: thesis 6.4.
#include "core/raft/raft.h"

namespace flaredb::raft {

ReadResult Raft::Read(Instant now, Effects* effects) {
  ReadResult result = NotLeader{leader_id()};
  Guarded(now, effects, [&] {
    auto* leader = std::get_if<Leader>(&role_);
    if (leader == nullptr) return;
    const ReadId id = ++last_read_id_;
    result = id;
    std::optional<Index> index;
    if (log_.TermAt(log_.commit_index()) == term()) index = log_.commit_index();
    // One round at a time: reads that arrive while one is under way share the next.
    const bool idle = leader->reads.empty();
    leader->reads.Add(id, index, leader->round + 1);
    if (idle) BeginRound();
    ConfirmReads();
  });
  if (!poison_.empty()) return NotLeader{};
  return result;
}

// Makes contact with every follower, as a proof of leadership later and as a heartbeat now.
void Raft::BeginRound() {
  auto& leader = std::get<Leader>(role_);
  ++leader.round;
  leader.heartbeat_due = now_ + config_.heartbeat_interval;
  for (const Progress& follower : leader.followers) {
    Send(follower.id(), HeartbeatRequest{follower.session(), leader.round}, IoToken(),
         follower.incarnation());
  }
}

void Raft::ConfirmReads() {
  auto& leader = std::get<Leader>(role_);
  if (leader.reads.empty()) return;
  const uint64_t confirmed = QuorumValue(conf_, [&](PeerId id) -> uint64_t {
    if (id == id_) return leader.round;
    for (const Progress& follower : leader.followers) {
      if (follower.id() == id) return follower.acked_round;
    }
    return 0;
  });
  leader.reads.Confirm(confirmed, &effects_->reads);
  // The round under way is answered and somebody came after it began.
  if (!leader.reads.empty() && leader.reads.last_round() > leader.round &&
      confirmed >= leader.round) {
    BeginRound();
  }
}

}  // namespace flaredb::raft
