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

RaftStateKey MakeRaftStateKey(RegionId region) {
  RaftStateKey key;
  StoreBe64(key.data(), region.value());
  key[8] = 's';
  return key;
}

std::optional<LogPosition> ParseRaftLogKey(std::string_view key) {
  if (key.size() != std::tuple_size_v<RaftLogKey>) return std::nullopt;
  return LogPosition{RegionId(LoadBe64(key.data())), Index(LoadBe64(key.data() + 8))};
}

std::optional<RegionId> ParseRaftStateKey(std::string_view key) {
  if (key.size() != std::tuple_size_v<RaftStateKey> || key[8] != 's') return std::nullopt;
  return RegionId(LoadBe64(key.data()));
}

}  // namespace flaredb::storage
