// SPDX-License-Identifier: Apache-2.0
// LEASE: a lease ends before the promises that it rests on.
#ifndef FLAREDB_SIM_INVARIANTS_LEASES_H_
#define FLAREDB_SIM_INVARIANTS_LEASES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"

namespace flaredb::sim {

// Nobody can be elected against `leader` before this simulated time, whatever is sent and whoever
// restarts: too many of its configuration have promised it not to help (thesis 4.2.3, 6.4.1). It
// must not hold a lease then. nullopt: no end is in sight, because enough of them are the leader
// itself, or down (a restart promises anew), or gone for good.
//   when  the simulated time at which the clock of a node shows what; see NodeClock::WhenReads
std::optional<Instant> PromisesEnd(const Replica& leader, const Names& names,
                                   const std::vector<Replica>& replicas,
                                   absl::FunctionRef<Instant(uint32_t node, Instant local)> when);

// The sentence for a leader on `node` that would hold its lease `ahead` of now, when they have
// ended.
std::string LeaseBeyondPromises(uint32_t node, Duration ahead, const Names& names,
                                const std::vector<Replica>& replicas);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_LEASES_H_
