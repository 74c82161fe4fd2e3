// SPDX-License-Identifier: Apache-2.0
// What a leader's view says of its followers.
#ifndef FLAREDB_SIM_INVARIANTS_PROGRESS_H_
#define FLAREDB_SIM_INVARIANTS_PROGRESS_H_

#include <cstdint>

#include "core/base/types.h"
#include "core/raft/view.h"
#include "sim/invariants/quorum.h"

namespace flaredb::sim {

// Null when the leader does not follow `peer`. Borrowed.
inline const raft::ProgressView* ProgressOf(const raft::View& leader, PeerId peer) {
  for (const raft::ProgressView& progress : leader.progress) {
    if (progress.peer == peer) return &progress;
  }
  return nullptr;
}

// Whether a quorum has answered this round of contact or a later one; the leader itself does so
// when it begins one.
inline bool QuorumAnswered(const raft::View& leader, uint64_t round) {
  return IsQuorum(leader.conf, [&](PeerId peer) {
    if (peer == leader.id) return leader.round >= round;
    const raft::ProgressView* progress = ProgressOf(leader, peer);
    return progress != nullptr && progress->acked_round >= round;
  });
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_PROGRESS_H_
