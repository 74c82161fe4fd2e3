// SPDX-License-Identifier: Apache-2.0
// From what the disk holds to a store's peers; and the first rows of a new store.
#ifndef FLAREDB_CORE_STORE_RECOVERY_H_
#define FLAREDB_CORE_STORE_RECOVERY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/cluster/directory.h"
#include "core/env/disk.h"
#include "core/kv/namespace_state.h"
#include "core/pd/cluster.h"
#include "core/raft/types.h"
#include "core/region/region.h"
#include "core/store/effects.h"
#include "core/store/outbox.h"

namespace flaredb::store {

// Who a store is. Written once, with the first regions, before anything else.
struct Identity {
  uint64_t cluster_id = 0;  // Never zero.
  StoreId store;
  pd::InstanceId instance = {};  // Zero without Options::cluster.

  friend bool operator==(const Identity&, const Identity&) = default;
};

// Everything that a Store starts from.
struct RecoveredRegion {
  PeerId peer;    // The replica here.
  Region region;  // Only its id, if the replica is uninitialized.
  raft::LogId applied;
  raft::Recovered raft;
  kv::NamespaceStates namespaces;
};
struct RecoveredStore {
  Identity identity;
  std::vector<RecoveredRegion> regions;   // By region id.
  std::map<RegionId, PeerId> tombstones;  // Peers that were removed from this store.
  RecoveredOutbox outbox;
  cluster::Directory directory;
};

// A region begins at this entry, which no log holds: whoever joins later needs a snapshot, and with
// it gets to know what the region is.
inline constexpr raft::LogId kRegionBirth{Term(1), Index(1)};

// The first GroupCommit of a new store; token 1.
env::GroupCommit Bootstrap(const Identity& identity);
// The same of a store that holds replicas from the start. Requires that each region has a peer on
// the store, and that no key is in two.
struct FirstReplica {
  Region region;
  Incarnation incarnation;
};
env::GroupCommit Bootstrap(const Identity& identity, const std::vector<FirstReplica>& replicas);
env::GroupCommit Bootstrap(const Identity& identity, const Region& region, Incarnation incarnation);

// The regions that a cluster is founded with, on its first store: one that holds all users' keys,
// and one for the placement driver. Nothing relies on there being two.
std::vector<Region> FoundingRegions(StoreId store);

// Adds to `commit` the first rows of an uninitialized replica.
void CreateReplica(RegionId region, PeerId peer, Incarnation incarnation, env::GroupCommit* commit);
// Adds to `commit` the end of a replica: its log and its rows go, a tombstone stays. The data rows
// go, too, as `data` shows them.
absl::Status DestroyReplica(const Region& region, PeerId peer, const DataReader& data,
                            env::GroupCommit* commit);

// Reads the rows and joins them with the logs. NOT_FOUND: the store was never bootstrapped (no
// identity row). DATA_LOSS: rows and logs contradict each other, or cannot be decoded; the text
// names the region and the row.
absl::StatusOr<RecoveredStore> Recover(const DataReader& data,
                                       const std::vector<env::LogState>& logs);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_RECOVERY_H_
