// SPDX-License-Identifier: Apache-2.0
// A region's rows beside its data: what it is, how far it has applied its log, and who was here
// before.
#ifndef FLAREDB_CORE_REGION_STATE_ROWS_H_
#define FLAREDB_CORE_REGION_STATE_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/raft/types.h"
#include "core/region/region.h"

namespace flaredb {

// System rows lie under 0x01, below every user key (core/kv/key.h):
//   0x01 'r' <region id, 8 bytes big-endian> 's'   the Region (EncodeRegion)
//   0x01 'r' <region id, 8 bytes big-endian> 'a'   the applied position
//   0x01 'r' <region id, 8 bytes big-endian> 'n'   what it knows of namespaces
//   (EncodeNamespaceStates);
//                                                  absent while that is nothing
//   0x01 'r' <region id, 8 bytes big-endian> 'p'   the replica, which outlives the others
std::string RegionRowKey(RegionId region);
std::string AppliedRowKey(RegionId region);
std::string NamespacesRowKey(RegionId region);
std::string ReplicaRowKey(RegionId region);
// The range that holds the rows of all regions.
std::string RegionRowsBegin();
std::string RegionRowsEnd();

enum class RegionRowKind : uint8_t {
  kRegion = 's',
  kApplied = 'a',
  kNamespaces = 'n',
  kReplica = 'p',
};
struct RegionRow {
  RegionId region;
  RegionRowKind kind = RegionRowKind::kRegion;
};
std::string RegionRowKey(const RegionRow& row);
// nullopt when `key` is none of the above.
std::optional<RegionRow> DecodeRegionRowKey(std::string_view key);

// The last applied entry; written in the same batch as what it covers.
std::string EncodeApplied(raft::LogId applied);
absl::StatusOr<raft::LogId> DecodeApplied(std::string_view bytes);

// The latest replica of the region on this store. When it was removed the row stays as a tombstone:
// ids are never reused, so whatever still comes for it or for an earlier one is late and must not
// bring it back to life.
struct ReplicaRow {
  PeerId peer;
  bool removed = false;

  friend bool operator==(const ReplicaRow&, const ReplicaRow&) = default;
};
std::string EncodeReplicaRow(const ReplicaRow& row);
absl::StatusOr<ReplicaRow> DecodeReplicaRow(std::string_view bytes);

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_STATE_ROWS_H_
