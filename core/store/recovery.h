// SPDX-License-Identifier: Apache-2.0
// From what the disk holds to a store's peers; and the first rows of a new store.
#ifndef FLAREDB_CORE_STORE_RECOVERY_H_
#define FLAREDB_CORE_STORE_RECOVERY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/raft/types.h"
#include "core/region/region.h"
#include "core/store/effects.h"

namespace flaredb::store {

// Who a store is. Written once, with the first region, before anything else.
struct Identity {
  uint64_t cluster_id = 0;  // Never zero.
  StoreId store;

  friend bool operator==(const Identity&, const Identity&) = default;
};

// Everything that a Store starts from.
struct RecoveredRegion {
  Region region;
  raft::LogId applied;
  raft::Recovered raft;
};
struct RecoveredStore {
  Identity identity;
  std::vector<RecoveredRegion> regions;  // By region id.
};

// The first GroupCommit of a new store that holds a replica of `region`; token 1.
// Requires that `region` has a peer on the store.
env::GroupCommit Bootstrap(const Identity& identity, const Region& region, Incarnation incarnation);

// Reads the rows and joins them with the logs. NOT_FOUND: the store was never bootstrapped (no
// identity row). DATA_LOSS: rows and logs contradict each other, or cannot be decoded; the text
// names the region and the row.
absl::StatusOr<RecoveredStore> Recover(const DataReader& data,
                                       const std::vector<env::LogState>& logs);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_RECOVERY_H_
