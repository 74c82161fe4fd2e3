// SPDX-License-Identifier: Apache-2.0
// How often a run used what a quiet cluster never needs.
#ifndef FLAREDB_SIM_CLUSTER_FEATURES_H_
#define FLAREDB_SIM_CLUSTER_FEATURES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "core/raft/types.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/event.h"

namespace flaredb::sim {

// A campaign that leaves one of these at zero says nothing about it. Turns count although a crash
// may keep their effects from leaving.
struct Features {
  uint64_t changes = 0;       // Committed configurations with other voters or learners than before;
  uint64_t joint_phases = 0;  // those of them that are joint.
  uint64_t created = 0;       // Replicas, without the founders.
  uint64_t destroyed = 0;
  uint64_t snapshots = 0;  // Installed.
  uint64_t compactions = 0;
  uint64_t transfers = 0;  // Requests of a leader that somebody campaign at once.
  uint64_t leases = 0;     // Reads that a leader of several voters answered without asking anybody.
  uint64_t rests = 0;      // Of leaders.

  // A store has turned; `events` are as it left them.
  void AddTurn(absl::Span<const store::Event> events, const raft::View& before,
               const raft::View& after, const store::Effects& effects);
  // Everything that was committed in a run, and before it what the region began with.
  void AddConfs(const std::vector<raft::ConfAt>& confs);

  Features& operator+=(const Features& other);
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_FEATURES_H_
