// SPDX-License-Identifier: Apache-2.0
// Stores that go: drained by an operator, or given up for lost. What each still has to hand over
// holds the end of a drain, and is what an operator is told.
#ifndef FLAREDB_CORE_CLUSTER_DEPARTURES_H_
#define FLAREDB_CORE_CLUSTER_DEPARTURES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/cluster/directory.h"
#include "core/cluster/roster.h"
#include "core/pd/command.h"

namespace flaredb::cluster {

class Departures {
 public:
  // Notes what members had that are none any more by `directory`; before `roster` follows it.
  void OnDirectory(const Directory& directory, const Roster& roster);

  struct Work {
    std::vector<pd::SetStoreState> drained;
    std::vector<std::string> waiting;  // Sentences.
  };
  // `regions`: of the roster. O(regions) for each store that goes.
  Work Look(const Directory& directory, const Roster& roster,
            const std::map<RegionId, LedRegion>& regions) const;

 private:
  std::map<StoreId, uint64_t> given_up_with_;  // Rows to ship, of members that were seen to go.
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_DEPARTURES_H_
