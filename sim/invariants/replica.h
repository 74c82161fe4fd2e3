// SPDX-License-Identifier: Apache-2.0
// What the checkers know of one replica.
#ifndef FLAREDB_SIM_INVARIANTS_REPLICA_H_
#define FLAREDB_SIM_INVARIANTS_REPLICA_H_

#include "core/raft/view.h"
#include "sim/disk.h"
#include "sim/log_image.h"

namespace flaredb::sim {

struct Replica {
  const SimDisk* disk = nullptr;
  bool running = false;
  // Everything that this life asked its disk to write: the log as the replica itself sees it.
  LogImage issued;
  raft::View view;  // After the last turn.
  Index applied;    // Covered by what was issued.

  bool leads() const { return running && view.role == raft::Role::kLeader; }
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_REPLICA_H_
