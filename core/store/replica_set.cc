// SPDX-License-Identifier: Apache-2.0
#include "core/store/replica_set.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/check.h"

namespace flaredb::store {

// An uninitialized replica holds no keys.
void ReplicaSet::Add(std::unique_ptr<Replica> replica) {
  const Region& region = replica->region();
  const bool free =
      (!region.initialized() || by_start_key_.emplace(region.start_key, replica.get()).second) &&
      by_id_.emplace(region.id, std::move(replica)).second;
  INVARIANT(free);
}

std::unique_ptr<Replica> ReplicaSet::Take(RegionId region) {
  auto node = by_id_.extract(region);
  INVARIANT(!node.empty());
  const Replica* replica = node.mapped().get();
  std::erase_if(by_start_key_, [&](const auto& row) { return row.second == replica; });
  return std::move(node.mapped());
}

Replica* ReplicaSet::Find(RegionId region) const {
  const auto found = by_id_.find(region);
  return found != by_id_.end() ? found->second.get() : nullptr;
}

Replica* ReplicaSet::FindByKey(std::string_view key) const {
  const auto after = by_start_key_.upper_bound(key);
  if (after == by_start_key_.begin()) return nullptr;
  Replica* candidate = std::prev(after)->second;
  return candidate->region().Contains(key) ? candidate : nullptr;
}

Instant ReplicaSet::next_deadline() const {
  Instant earliest = Instant::Max();
  for (const auto& [id, replica] : by_id_) earliest = std::min(earliest, replica->next_deadline());
  return earliest;
}

}  // namespace flaredb::store
