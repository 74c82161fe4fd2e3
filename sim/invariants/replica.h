// SPDX-License-Identifier: Apache-2.0
// What the checkers know of one store's replica of the region.
#ifndef FLAREDB_SIM_INVARIANTS_REPLICA_H_
#define FLAREDB_SIM_INVARIANTS_REPLICA_H_

#include <deque>
#include <vector>

#include "core/base/types.h"
#include "core/raft/view.h"
#include "sim/invariants/names.h"
#include "sim/invariants/quorum.h"
#include "sim/world/disk.h"
#include "sim/world/log_image.h"

namespace flaredb::sim {

struct Replica {
  const SimDisk* disk = nullptr;
  bool running = false;
  PeerId peer;          // In memory; zero: there is none.
  PeerId durable_peer;  // On the disk.
  PeerId highest_peer;  // That was ever on this disk; a lost disk begins anew.
  // Whoever was on the disk when it was last lost, and the log there. It counts where an
  // acknowledgement of that life counts: it was true when it was sent.
  PeerId lost_peer;
  LogImage lost;
  // Everything that this replica asked its disk to write: the log as it sees it itself.
  LogImage issued;
  // Writes under way that truncate, oldest first. What they delete may be on the disk still.
  struct Truncation {
    IoToken token;
    Index from;
  };
  std::deque<Truncation> truncations;
  // The last one that has the term and the vote, by the replica's own tokens.
  IoToken hard_state_token;
  raft::View view;    // After the last turn,
  raft::View before;  // and before it.
  Index applied;      // Covered by what was issued.

  bool leads() const { return running && peer && view.role == raft::Role::kLeader; }
};

// The log of `peer` on the disk of its node, or as it was when that disk was lost; null when there
// is neither. Borrowed.
inline const LogImage* DurableLog(const Replica& replica, PeerId peer, RegionId region) {
  if (peer && replica.lost_peer == peer) return &replica.lost;
  return replica.durable_peer == peer ? &replica.disk->image().log(region) : nullptr;
}

// Whether the voters of whom `holds` is true, of the replica and its DurableLog, are a quorum.
template <typename Holds>
bool OnQuorum(RegionId region, const raft::ConfState& conf, const std::vector<Replica>& replicas,
              const Names& names, Holds&& holds) {
  return IsQuorum(conf, [&](PeerId peer) {
    const Replica& replica = replicas[names.NodeOf(peer)];
    const LogImage* log = DurableLog(replica, peer, region);
    return log != nullptr && holds(replica, *log);
  });
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_REPLICA_H_
