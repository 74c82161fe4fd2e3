// SPDX-License-Identifier: Apache-2.0
// FLOW: a replica that has been removed, and knows, goes.
#ifndef FLAREDB_SIM_INVARIANTS_REMOVALS_H_
#define FLAREDB_SIM_INVARIANTS_REMOVALS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "core/base/types.h"
#include "core/store/event.h"
#include "sim/invariants/commits.h"
#include "sim/invariants/replica.h"

namespace flaredb::sim {

// Of one region. Who knows: a replica that has applied a configuration without it after one that
// had it; and one that was told so while it had nothing to apply that could say otherwise. A
// learner that nobody told does not, and stays where it is.
class Removals {
 public:
  // `commits` outlives this object.
  Removals(RegionId region, const Commits* commits) : region_(region), commits_(commits) {}

  // The replica on `node` has turned to `events` and gone from replica.before to replica.view.
  void OnTurn(uint32_t node, absl::Span<const store::Event> events, const Replica& replica);
  // What it was told it may have forgotten.
  void OnCrash(uint32_t node) { told_.erase(node); }

  // Whether the replica that is on `node`, in memory or on its disk, is one that knows.
  bool Knows(uint32_t node, const Replica& replica) const;

 private:
  const RegionId region_;
  const Commits* commits_;
  std::map<uint32_t, PeerId> told_;  // By node.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_REMOVALS_H_
