// SPDX-License-Identifier: Apache-2.0
// The placement driver's rows: one for the cluster, one for each store and namespace, two for each
// region. docs/FORMAT.md has the bytes.
//
// A region's row lies under its end key, so that the region of a key is in the first row that ends
// after it; a second one leads from its id to there.
//
// Rows that can't be read seem not to be there (core/region/state_machine.h), so nobody may rely on
// one row because of another.
#ifndef FLAREDB_CORE_PD_ROWS_H_
#define FLAREDB_CORE_PD_ROWS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/pd/cluster.h"
#include "core/region/state_machine.h"

namespace flaredb::pd {

// Nullopt before the cluster was founded.
std::optional<ClusterInfo> ReadCluster(const ObjectRows& rows);
void WriteCluster(const ClusterInfo& cluster, MutableObjectRows* rows);

std::optional<StoreInfo> ReadStore(StoreId id, const ObjectRows& rows);
// Ascending by id.
std::vector<StoreInfo> ReadStores(const ObjectRows& rows);
void WriteStore(const StoreInfo& store, MutableObjectRows* rows);

std::optional<Namespace> ReadNamespace(std::string_view name, const ObjectRows& rows);
// Visits the namespaces from the name `first` on, ascending, until `visit` returns false.
void VisitNamespaces(std::string_view first, const ObjectRows& rows,
                     absl::FunctionRef<bool(const Namespace&)> visit);
void WriteNamespace(const Namespace& ns, MutableObjectRows* rows);

std::optional<RegionInfo> ReadRegion(RegionId id, const ObjectRows& rows);
// Visits the regions that hold `key` or greater ones, ascending, until `visit` returns false.
void VisitRegions(std::string_view key, const ObjectRows& rows,
                  absl::FunctionRef<bool(const RegionInfo&)> visit);
// Requires that no other region that is there shares keys with it, and that it itself is not there
// with another end.
void WriteRegion(const RegionInfo& info, MutableObjectRows* rows);
void DeleteRegion(const Region& region, MutableObjectRows* rows);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_ROWS_H_
