// SPDX-License-Identifier: Apache-2.0
// The data column family, as the pure parts see it.
#ifndef FLAREDB_STORAGE_SEALED_READER_H_
#define FLAREDB_STORAGE_SEALED_READER_H_

#include <memory>

#include "core/base/data_reader.h"
#include "storage/open_folder.h"

namespace flaredb::storage {

// Checks and strips the seal of every value that it returns: a damaged one is DATA_LOSS, never
// data. Each call sees one state of the database, the newest. Thread-safe.
class SealedReader final : public DataSource {
 public:
  // `folder` is borrowed.
  explicit SealedReader(const OpenedFolder& folder) : folder_(folder) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;
  // Holds a snapshot of RocksDB: no copy, but what is overwritten meanwhile keeps its room on disk.
  // Seals are checked in the same way.
  std::unique_ptr<DataReader> Pin() const override;

 private:
  const OpenedFolder& folder_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SEALED_READER_H_
