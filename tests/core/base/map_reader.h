// SPDX-License-Identifier: Apache-2.0
// Data in a std::map: what tests read and write instead of a disk.
#ifndef FLAREDB_TESTS_CORE_BASE_MAP_READER_H_
#define FLAREDB_TESTS_CORE_BASE_MAP_READER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/data_reader.h"
#include "core/base/write_batch.h"

namespace flaredb {

class MapReader : public DataSource {
 public:
  // Public: tests damage it at will.
  std::map<std::string, std::string, std::less<>> rows;
  // Returned by every call unless OK.
  absl::Status failure;

  void Write(const WriteBatch& batch) {
    for (const Mutation& mutation : batch.mutations) {
      if (mutation.value) {
        rows[mutation.key] = *mutation.value;
      } else {
        rows.erase(mutation.key);
      }
    }
  }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    if (!failure.ok()) return failure;
    const auto it = rows.find(key);
    return it == rows.end() ? std::optional<std::string>() : it->second;
  }

  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override {
    for (auto it = rows.lower_bound(begin); it != rows.end(); ++it) {
      if (!end.empty() && it->first >= end) break;
      if (!visit(it->first, it->second)) break;
    }
    return failure;
  }

  std::unique_ptr<DataReader> Pin() const override { return std::make_unique<MapReader>(*this); }
};

}  // namespace flaredb

#endif  // FLAREDB_TESTS_CORE_BASE_MAP_READER_H_
