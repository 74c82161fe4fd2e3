// SPDX-License-Identifier: Apache-2.0
// What becomes of the reports about regions: the region table follows them.
#ifndef FLAREDB_CORE_CLUSTER_REGION_REPORTS_H_
#define FLAREDB_CORE_CLUSTER_REGION_REPORTS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/pd/cluster.h"
#include "core/pd/query.h"
#include "core/pd/reply.h"

namespace flaredb::cluster {

using AskPd = absl::FunctionRef<pd::Reply(const pd::Query&)>;

// Whether the table lacks what `report` says of its region: its range, its peers, who leads in
// which term. False, too, if the table knows better, or if the leader has yet to apply that it is a
// peer.
bool IsNews(const pd::RegionInfo& report, AskPd ask);

// The regions of [begin, end) of encoded keys, in their order.
struct KnownRegions {
  std::vector<pd::RegionInfo> regions;
  bool has_hole = false;  // Some key's region is not known at the moment.
};
KnownRegions RegionsOf(std::string_view begin, std::string_view end, AskPd ask);

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_REGION_REPORTS_H_
