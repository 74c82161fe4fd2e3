// SPDX-License-Identifier: Apache-2.0
#include "storage/key_space.h"

#include "core/base/check.h"
#include "storage/bytes.h"

namespace flaredb::storage {

std::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kMeta:
      return "default";
    case Family::kRaftLog:
      return "raft_log";
    case Family::kRaftState:
      return "raft_state";
    case Family::kData:
      return "data";
  }
  INVARIANT(false) << "family " << static_cast<int>(family);
  return {};
}

RaftLogKey MakeRaftLogKey(RegionId region, Index index) {
  RaftLogKey key;
  StoreBe64(key.data(), region.value());
  StoreBe64(key.data() + 8, index.value());
  return key;
}

RaftStateKey MakeRaftStateKey(RegionId region, RaftStateRow row) {
  RaftStateKey key;
  StoreBe64(key.data(), region.value());
  key[8] = static_cast<char>(row);
  return key;
}

std::optional<LogPosition> ParseRaftLogKey(std::string_view key) {
  if (key.size() != std::tuple_size_v<RaftLogKey>) return std::nullopt;
  return LogPosition{RegionId(LoadBe64(key.data())), Index(LoadBe64(key.data() + 8))};
}

std::optional<RaftStatePlace> ParseRaftStateKey(std::string_view key) {
  if (key.size() != std::tuple_size_v<RaftStateKey>) return std::nullopt;
  const RaftStateRow row{key[8]};
  if (row != RaftStateRow::kBase && row != RaftStateRow::kReplica) return std::nullopt;
  return RaftStatePlace{RegionId(LoadBe64(key.data())), row};
}

}  // namespace flaredb::storage
