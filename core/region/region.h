// SPDX-License-Identifier: Apache-2.0
// A region: a key range, the replicas that hold it, and how often either changed.
#ifndef FLAREDB_CORE_REGION_REGION_H_
#define FLAREDB_CORE_REGION_REGION_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/kv/key.h"
#include "core/raft/types.h"

namespace flaredb {

// Each change of `peers` raises conf_version, each change of the range raises version. A new part
// in the quorum (a learner that is promoted) changes neither: it moves nothing.
struct RegionEpoch {
  uint64_t conf_version = 0;
  uint64_t version = 0;

  friend bool operator==(const RegionEpoch&, const RegionEpoch&) = default;
};

struct Peer {
  PeerId id;
  StoreId store;

  friend bool operator==(const Peer&, const Peer&) = default;
};

struct Region {
  RegionId id;
  std::string start_key;  // Inclusive; encoded as in core/kv/key.h. Empty: from the first key.
  std::string end_key;    // Exclusive. Empty: without end.
  RegionEpoch epoch;
  // Sorted by id, each on another store. Empty in an uninitialized replica, which knows no more of
  // its region than the id until it gets a snapshot; never in what is stored.
  std::vector<Peer> peers;

  bool initialized() const { return !peers.empty(); }
  bool Contains(std::string_view key) const {
    return key >= start_key && (end_key.empty() || key < end_key);
  }
  // The peer on `store`, or null. Borrowed.
  const Peer* PeerOn(StoreId store) const;
  // The peer of that id, or null. Borrowed.
  const Peer* PeerOf(PeerId id) const;

  friend bool operator==(const Region&, const Region&) = default;
};

// All peers as voters, none of them pinned to a life yet.
raft::ConfState ConfStateOf(const Region& region);

// The peers of a region under `conf`: everybody who gets the log. DATA_LOSS when one has no store,
// when two share a store, or when there is nobody. Such a configuration can never be applied, so
// whoever proposes one asks here first.
absl::StatusOr<std::vector<Peer>> PeersOf(const raft::ConfState& conf);

// Where the region's records lie: its keys without the system rows, which an empty start key would
// include. The end is never empty.
kv::KeyRange DataRange(const Region& region);

// The bytes of a region in the store's state rows (docs/FORMAT.md). Decoding refuses anything that
// Encode does not produce with DATA_LOSS.
std::string EncodeRegion(const Region& region);
absl::StatusOr<Region> DecodeRegion(std::string_view bytes);

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_REGION_H_
