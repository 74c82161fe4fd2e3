// SPDX-License-Identifier: Apache-2.0
// MONO, and what must hold inside one replica after every turn.
#ifndef FLAREDB_SIM_INVARIANTS_STEPS_H_
#define FLAREDB_SIM_INVARIANTS_STEPS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/raft/view.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"

namespace flaredb::sim {

// A sentence if the same life of a replica went from view `before` to `after` and took something
// back: a term, a vote, a commit, what was handed out; or if `after` contradicts itself.
std::optional<std::string> BrokenStep(const std::string& store, const raft::View& before,
                                      const raft::View& after);

// A sentence if the replica's view, already stored in replicas[node], contradicts what it asked its
// disk to write, what its disk holds, or what the disks of its followers hold. What is durable has
// to be there whichever of the writes under way come to pass, not only now.
std::optional<std::string> BrokenView(RegionId region, uint32_t node, const Names& names,
                                      const std::vector<Replica>& replicas);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_STEPS_H_
