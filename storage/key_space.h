// SPDX-License-Identifier: Apache-2.0
// Where things lie on disk: the column families and their keys. Bytes: docs/FORMAT.md.
#ifndef FLAREDB_STORAGE_KEY_SPACE_H_
#define FLAREDB_STORAGE_KEY_SPACE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/types.h"

namespace flaredb::storage {

// The values are part of the format: every checksum covers its family's.
enum class Family : uint8_t {
  kMeta = 0,       // RocksDB's "default": one row that says whose folder this is.
  kRaftLog = 1,    // <region BE64> <index BE64> -> log entry
  kRaftState = 2,  // <region BE64> RaftStateRow -> ReplicaState or raft::LogBase
  kData = 3,       // the store's rows, under the keys that core/ gives them
};
inline constexpr size_t kFamilies = 4;

// The name of the column family in RocksDB.
std::string_view FamilyName(Family family);

// The two rows of a replica in kRaftState. They are apart since votes are frequent and small, and
// bases are rare and carry a configuration.
enum class RaftStateRow : char { kBase = 'b', kReplica = 's' };

// Fixed-size keys, built without allocation. Big-endian, so that byte order is number order and
// one region's log is one contiguous run.
using RaftLogKey = std::array<char, 16>;
using RaftStateKey = std::array<char, 9>;
RaftLogKey MakeRaftLogKey(RegionId region, Index index);
RaftStateKey MakeRaftStateKey(RegionId region, RaftStateRow row);

struct LogPosition {
  RegionId region;
  Index index;
};
struct RaftStatePlace {
  RegionId region;
  RaftStateRow row;

  friend bool operator==(const RaftStatePlace&, const RaftStatePlace&) = default;
};
// nullopt when `key` is not one that the function of the same name makes.
std::optional<LogPosition> ParseRaftLogKey(std::string_view key);
std::optional<RaftStatePlace> ParseRaftStateKey(std::string_view key);

inline constexpr std::string_view kFormatKey = "format";  // The row of kMeta.

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_KEY_SPACE_H_
