// SPDX-License-Identifier: Apache-2.0
// Folders with the Raft log of one region, and changes to them behind the disk's back.
#ifndef FLAREDB_TESTS_STORAGE_FOLDER_SUPPORT_H_
#define FLAREDB_TESTS_STORAGE_FOLDER_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "storage/key_space.h"
#include "storage/open_folder.h"
#include "tests/storage/disk_support.h"

namespace flaredb::storage {

inline constexpr RegionId kRegion(5);

std::string Text(const absl::Status& status);

// The first commit of region 5: term 1, entries "1", "2", ... up to `entries`.
env::GroupCommit FirstCommit(uint64_t entries);
// A new folder with FirstCommit in it.
std::string FolderWithLog(uint64_t entries);

// Writes them as one group commit and waits for it.
absl::Status WriteAll(TestDisk& disk, uint64_t token, std::vector<env::LogWrite> writes);
// Opens `folder`, writes one group commit and closes.
void WriteTo(const std::string& folder, std::vector<env::LogWrite> writes);

// What RecoverLogs of a new disk on `folder` says.
absl::StatusOr<std::vector<env::LogState>> Recover(const std::string& folder);
// How many rows the family has.
size_t RowsOf(const std::string& folder, Family family);

// Keys of region 5.
std::string LogKey(uint64_t index);
std::string StateKey(RaftStateRow row);

// Changes the database of `folder` behind the disk's back.
void Meddle(const std::string& folder,
            const std::function<rocksdb::Status(const OpenedFolder&)>& change);
// Puts the value of one key under another one.
void MoveValue(const std::string& folder, Family family, const std::string& from,
               const std::string& to);

}  // namespace flaredb::storage

#endif  // FLAREDB_TESTS_STORAGE_FOLDER_SUPPORT_H_
