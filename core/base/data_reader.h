// SPDX-License-Identifier: Apache-2.0
// How the pure parts read a store's data.
#ifndef FLAREDB_CORE_BASE_DATA_READER_H_
#define FLAREDB_CORE_BASE_DATA_READER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace flaredb {

// A sorted map of byte strings, read within one turn. Errors are environmental (I/O, checksum);
// whoever gets one stops serving the data.
class DataReader {
 public:
  virtual ~DataReader() = default;

  // The value of `key`; nullopt when it has none.
  virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const = 0;

  // Visits the keys of [begin, end) in ascending order until `visit` returns false. An empty `end`
  // means no upper bound; otherwise a `begin` at or after `end` makes the range empty. The views
  // passed to `visit` live for that call.
  virtual absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const = 0;
};

// A store's data, which changes between turns.
class DataSource : public DataReader {
 public:
  // The data as it is now, whatever is written later. May be kept over many turns; this object
  // outlives it.
  virtual std::unique_ptr<DataReader> Pin() const = 0;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_DATA_READER_H_
