// SPDX-License-Identifier: Apache-2.0
// What a store says of itself when its roll is called.
#ifndef FLAREDB_CORE_STORE_ROLL_REPORT_H_
#define FLAREDB_CORE_STORE_ROLL_REPORT_H_

#include <vector>

#include "core/base/time.h"
#include "core/cluster/directory.h"
#include "core/cluster/roll_call.h"
#include "core/store/outbox.h"
#include "core/store/replica_set.h"

namespace flaredb::store {

// Of the regions that the store leads, by id. O(replicas + members of those).
std::vector<cluster::RegionReport> ReportRegions(const ReplicaSet& replicas, Instant now);

// Of the namespaces that are not strong and settled, by id. O(n log n) of all namespaces.
std::vector<cluster::NamespaceReport> ReportNamespaces(const cluster::Directory& directory,
                                                       const Outbox& outbox);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_ROLL_REPORT_H_
