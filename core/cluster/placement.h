// SPDX-License-Identifier: Apache-2.0
// Where the replicas of a region belong, and the one step that brings them nearer to it.
//
// A new replica begins as a learner, gets the data, and becomes a voter when it has caught up; in
// the same step, by joint consensus, it takes the place of a voter that is to go. So a region has
// never fewer voters than before unless there are not more stores for it, and each half of each
// step has a quorum of voters that can be relied on. A leader goes last: it hands over first.
//
// A step is decided on a report that is newer than the step before and carries its epoch, so
// there is one at a time, and one that comes late is refused.
#ifndef FLAREDB_CORE_CLUSTER_PLACEMENT_H_
#define FLAREDB_CORE_CLUSTER_PLACEMENT_H_

#include <cstddef>
#include <map>
#include <string>
#include <variant>

#include "core/base/types.h"
#include "core/cluster/roll_call.h"

namespace flaredb::cluster {

// A store as a place for replicas. One that is lost, removed or unknown is no site.
struct Site {
  bool up = true;       // Otherwise it is being drained.
  bool answers = true;  // The roll call.
  size_t replicas = 0;  // How many it has.
};
using Sites = std::map<StoreId, Site>;

struct Placement {
  // Monostate: nothing now.
  std::variant<std::monostate, ChangeMembers, MoveLeader> step;
  // Where the step adds a replica, with an id that is the caller's to fill in; zero: nowhere.
  StoreId grows_onto;
  // What it takes before the region is as it should be: "waits for ..." Empty: it is.
  std::string waits_for;
};

// Pure.
//   replicas  voters of a region, if there are so many stores that are up
// O((members + sites) * log sites).
Placement Place(const RegionReport& report, const Sites& sites, size_t replicas);

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_PLACEMENT_H_
