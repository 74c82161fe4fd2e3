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
#include "core/raft/types.h"

namespace flaredb {

// Each change of the replicas raises conf_version, each change of the range raises version.
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
  std::vector<Peer> peers;  // Sorted by id; at least one, each on another store.

  bool Contains(std::string_view key) const {
    return key >= start_key && (end_key.empty() || key < end_key);
  }
  // The peer on `store`, or null. Borrowed.
  const Peer* PeerOn(StoreId store) const;
  // The peer of that id, or null. Borrowed.
  const Peer* PeerOf(PeerId id) const;

  friend bool operator==(const Region&, const Region&) = default;
};

// All peers as voters.
raft::ConfState ConfStateOf(const Region& region);

// The bytes of a region in the store's state rows (docs/FORMAT.md). Decoding refuses anything that
// Encode does not produce with DATA_LOSS.
std::string EncodeRegion(const Region& region);
absl::StatusOr<Region> DecodeRegion(std::string_view bytes);

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_REGION_H_
