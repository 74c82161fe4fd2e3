// SPDX-License-Identifier: Apache-2.0
// Everything that a folder holds, read as production reads it, and compared with what it should.
#ifndef FLAREDB_STORAGE_SIM_CONTENT_H_
#define FLAREDB_STORAGE_SIM_CONTENT_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/raft/entry_slices.h"
#include "sim/world/disk_image.h"
#include "storage/open_folder.h"

namespace flaredb::storage {

struct Content {
  std::vector<env::LogState> logs;
  std::map<RegionId, raft::EntrySlices> entries;
  std::map<std::string, std::string> rows;
};

// By ReadLogStates, ReadEntries and SealedReader, and by store::Recover, which must accept it
// unless the store is empty. The first error of any of them.
absl::StatusOr<Content> ReadContent(const OpenedFolder& folder);

// What is wrong with `content` if it should be `image`; nullopt when nothing is.
std::optional<std::string> Difference(const Content& content, const sim::DiskImage& image);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_CONTENT_H_
