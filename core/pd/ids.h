// SPDX-License-Identifier: Apache-2.0
// Ids of stores, regions and peers: three kinds of thing that share one counter.
#ifndef FLAREDB_CORE_PD_IDS_H_
#define FLAREDB_CORE_PD_IDS_H_

#include <cstdint>

#include "core/pd/cluster.h"
#include "core/pd/command.h"
#include "core/pd/reply.h"
#include "core/region/state_machine.h"

namespace flaredb::pd {

// Ids that were not allocated but chosen, by an operator for a store or by the founder, are at most
// this, so that a slip of the finger does not use up the counter.
inline constexpr uint64_t kChosenIdMax = 0xffffffff;
// Of one allocation. A counter that begins below 2^33 would outlive 2^53 of them.
inline constexpr uint64_t kIdsMax = 1024;

// Whether `id` may come into use: it is small enough to be chosen, or was allocated.
bool MayUseId(uint64_t id, const ClusterInfo& cluster);
// Notes that `id` is in use: it will not be allocated any more.
void UseId(uint64_t id, ClusterInfo* cluster);

Reply Apply(const AllocateIds& allocate, ClusterInfo* cluster, MutableObjectRows* rows);

}  // namespace flaredb::pd

#endif  // FLAREDB_CORE_PD_IDS_H_
