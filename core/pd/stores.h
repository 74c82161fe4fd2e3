// SPDX-License-Identifier: Apache-2.0
// Who belongs to the cluster: commands about the store table.
#ifndef FLAREDB_CORE_PD_STORES_H_
#define FLAREDB_CORE_PD_STORES_H_

#include <optional>
#include <string_view>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/reply.h"
#include "core/region/state_machine.h"

namespace flaredb::pd {

// "host:port", the host at most 255 bytes of printable ASCII without spaces, the port 1 to 65535 in
// decimal and without needless zeros. Equal addresses are equal texts.
bool IsAddress(std::string_view text);

// Why no store may be known by `store`, whoever else is in the cluster.
std::optional<Refused> CheckDescriptor(const StoreDescriptor& store, const ClusterInfo& cluster);

Reply Apply(const PutStore& put, ClusterInfo* cluster, MutableObjectRows* rows);
Reply Apply(const SetStoreState& set, ClusterInfo* cluster, MutableObjectRows* rows);

// Writes `store` as it is from now on: a new revision. Returns the row.
StoreInfo ChangeStore(StoreInfo store, ClusterInfo* cluster, MutableObjectRows* rows);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_STORES_H_
