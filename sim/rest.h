// SPDX-License-Identifier: Apache-2.0
// Whether a region that has nothing to do comes to rest.
#ifndef FLAREDB_SIM_REST_H_
#define FLAREDB_SIM_REST_H_

#include <optional>
#include <string>

#include "core/raft/config.h"
#include "sim/cluster/losses.h"
#include "sim/invariants/checkers.h"

namespace flaredb::sim {

// For a cluster that has settled: who does not rest and what keeps it awake, a clause; nullopt:
// everybody rests, or nobody has to, since groups never rest (`config`) or a member is lost.
std::optional<std::string> WhoIsAwake(const raft::Config& config, const Checkers& checkers,
                                      const Losses& losses);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_REST_H_
