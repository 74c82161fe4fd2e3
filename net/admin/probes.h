// SPDX-License-Identifier: Apache-2.0
// Is the process alive, and is the store of use to clients? For supervisors and load balancers, in
// the manner of Kubernetes' and etcd's health pages.
#ifndef FLAREDB_NET_ADMIN_PROBES_H_
#define FLAREDB_NET_ADMIN_PROBES_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "net/admin/server_status.h"

namespace flaredb::net {

struct ProbeResult {
  std::string name;       // One word.
  std::string waits_for;  // Empty: passed. Otherwise what it waits for, in words.
};
using Probe = std::vector<ProbeResult>;

// The loop that does not turn for so long hangs.
inline constexpr Duration kLoopStall = Duration::Seconds(10);

// A process that fails this should be ended and started again. Says nothing about other stores: a
// store without a majority is alive.
//   loop  the loop published its status within kLoopStall; a server that starts has none yet
Probe Liveness(const ServerStatus& status, Instant now);

// A store that fails this should get no calls at the moment.
//   start     the data folder is open and read, and the store part of a cluster
//   loop      as above
//   replicas  no broken invariant silenced a replica
//   leaders   every replica knows its region's leader
//   stop      the store is not stopping
Probe Readiness(const ServerStatus& status, Instant now);

bool Passed(const Probe& probe);

// "ok", or with `verbose` or when it failed:
//   [+]loop ok
//   [-]leaders waits for region 1 to have a leader
//   readyz check failed
// `page` is the "readyz" of the last line.
std::string ProbePage(std::string_view page, const Probe& probe, bool verbose);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADMIN_PROBES_H_
