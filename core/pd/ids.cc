// SPDX-License-Identifier: Apache-2.0
#include "core/pd/ids.h"

#include <algorithm>

namespace flaredb::pd {

bool MayUseId(uint64_t id, const ClusterInfo& cluster) {
  return id <= kChosenIdMax || id < cluster.next_id;
}

void UseId(uint64_t id, ClusterInfo* cluster) {
  cluster->next_id = std::max(cluster->next_id, id + 1);
}

Reply Apply(const AllocateIds& allocate, ClusterInfo* cluster, MutableObjectRows*) {
  if (allocate.count == 0 || allocate.count > kIdsMax) return Refused{Refusal::kTooManyIds};
  const IdRange ids{cluster->next_id, allocate.count};
  cluster->next_id += allocate.count;
  return ids;
}

}  // namespace flaredb::pd
