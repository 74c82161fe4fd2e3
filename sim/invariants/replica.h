// SPDX-License-Identifier: Apache-2.0
// What the checkers know of one store's replica of the region.
#ifndef FLAREDB_SIM_INVARIANTS_REPLICA_H_
#define FLAREDB_SIM_INVARIANTS_REPLICA_H_

#include <vector>

#include "core/base/types.h"
#include "core/raft/quorum.h"
#include "core/raft/view.h"
#include "sim/disk.h"
#include "sim/invariants/names.h"
#include "sim/log_image.h"

namespace flaredb::sim {

struct Replica {
  const SimDisk* disk = nullptr;
  bool running = false;
  PeerId peer;          // In memory; zero: there is none.
  PeerId durable_peer;  // On the disk.
  // Everything that this replica asked its disk to write: the log as it sees it itself.
  LogImage issued;
  raft::View view;  // After the last turn.
  Index applied;    // Covered by what was issued.

  bool leads() const { return running && peer && view.role == raft::Role::kLeader; }
};

// Whether the replicas of whom `holds` is true are a quorum of `conf`. `holds` is asked for the
// replica that is on the disk of a voter's node, if it is that voter's.
template <typename Holds>
bool OnQuorum(const raft::ConfState& conf, const std::vector<Replica>& replicas, const Names& names,
              Holds&& holds) {
  return raft::HasQuorum(conf, [&](PeerId peer) {
    const Replica& replica = replicas[names.NodeOf(peer)];
    return replica.durable_peer == peer && holds(replica);
  });
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_REPLICA_H_
