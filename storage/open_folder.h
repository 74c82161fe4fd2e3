// SPDX-License-Identifier: Apache-2.0
// From a path to an open database that is known to be ours.
#ifndef FLAREDB_STORAGE_OPEN_FOLDER_H_
#define FLAREDB_STORAGE_OPEN_FOLDER_H_

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rocksdb/db.h"
#include "storage/key_space.h"

namespace flaredb::storage {

// An open folder. Closed by the destructor. Thread-safe as rocksdb::DB is.
class OpenedFolder {
 public:
  OpenedFolder(std::unique_ptr<rocksdb::Env> env, std::unique_ptr<rocksdb::DB> db,
               const std::vector<rocksdb::ColumnFamilyHandle*>& families);
  ~OpenedFolder();
  OpenedFolder(const OpenedFolder&) = delete;
  OpenedFolder& operator=(const OpenedFolder&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family f) const { return families_[static_cast<size_t>(f)]; }

 private:
  std::unique_ptr<rocksdb::Env> env_;  // Before what uses it.
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families_;
};

enum class OpenMode {
  kReadWrite,  // Creates a missing folder; takes RocksDB's lock on it.
  kReadOnly,   // Changes nothing, takes no lock. NOT_FOUND when there is no store.
};

// `env` is borrowed and outlives the result. Errors are one sentence that names the folder:
//   FAILED_PRECONDITION  in use by another process; holds something that is not FlareDB's; written
//                        by another version of the program
//   DATA_LOSS            damaged, or files are missing
//   PERMISSION_DENIED, RESOURCE_EXHAUSTED, INTERNAL   see ErrorFromRocks
absl::StatusOr<std::unique_ptr<OpenedFolder>> OpenFolder(rocksdb::Env* env, const std::string& path,
                                                         OpenMode mode);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_OPEN_FOLDER_H_
