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

// "9.800000 s", as the page of a run has it; rounded down.
std::string Seconds(Instant t);

// What a voter promised: to help nobody against its leader. In simulated time.
struct Promise {
  uint32_t node = 0;
  Instant given;
  Instant until;
};

// What the voters that run promised to `leader` last, by node. None of who has heard another leader
// since. `election_timeout`: of a promise's length by its giver's clock.
std::vector<Promise> PromisesTo(const Replica& leader, const Names& names,
                                const std::vector<Replica>& replicas, Duration election_timeout,
                                absl::FunctionRef<Instant(uint32_t node, Instant local)> when);
// "Promised to store 1: by store 2 from 9.800000 s until 10.300000 s, by ..."; a sentence.
std::string Describe(const std::vector<Promise>& promises, uint32_t leader);

// The sentence for a leader on `node` that would hold its lease at `then`, when they have ended.
std::string LeaseBeyondPromises(uint32_t node, Instant then, const Names& names,
                                const std::vector<Replica>& replicas);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_LEASES_H_
