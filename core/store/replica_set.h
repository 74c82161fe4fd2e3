// SPDX-License-Identifier: Apache-2.0
// The replicas of a store, by region and by key.
#ifndef FLAREDB_CORE_STORE_REPLICA_SET_H_
#define FLAREDB_CORE_STORE_REPLICA_SET_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/replica.h"

namespace flaredb::store {

// Iterates by region id.
class ReplicaSet {
 public:
  // Requires that no replica of the region, or of an overlapping one, is there.
  void Add(std::unique_ptr<Replica> replica);
  // Takes the replica of a region out. Requires that there is one.
  std::unique_ptr<Replica> Take(RegionId region);

  // The replica of a region, or of the region that holds an encoded key. Null when it is not here.
  // Borrowed. O(log regions).
  Replica* Find(RegionId region) const;
  Replica* FindByKey(std::string_view key) const;

  // The earliest deadline of any replica. O(regions).
  Instant next_deadline() const;

  auto begin() const { return by_id_.begin(); }
  auto end() const { return by_id_.end(); }

 private:
  std::map<RegionId, std::unique_ptr<Replica>> by_id_;
  std::map<std::string, Replica*, std::less<>> by_start_key_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_REPLICA_SET_H_
