// SPDX-License-Identifier: Apache-2.0
// The data column family, as the pure parts see it.
#ifndef FLAREDB_STORAGE_SEALED_READER_H_
#define FLAREDB_STORAGE_SEALED_READER_H_

#include "core/base/data_reader.h"
#include "storage/open_folder.h"

namespace flaredb::storage {

// Checks and strips the seal of every value that it returns: a damaged one is DATA_LOSS, never
// data. Each call sees one state of the database, the newest. Thread-safe.
class SealedReader final : public DataReader {
 public:
  // `folder` is borrowed.
  explicit SealedReader(const OpenedFolder& folder) : folder_(folder) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;

 private:
  const OpenedFolder& folder_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SEALED_READER_H_
