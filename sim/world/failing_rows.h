// SPDX-License-Identifier: Apache-2.0
// The rows of a disk as its store reads them, one of which it may fail to read.
#ifndef FLAREDB_SIM_WORLD_FAILING_ROWS_H_
#define FLAREDB_SIM_WORLD_FAILING_ROWS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/data_reader.h"

namespace flaredb::sim {

enum class RowDefect : uint8_t {
  kNone,
  kLost,     // The disk can't read it.
  kStrange,  // Its bytes are those of a record that no program of today has written.
};

class FailingRows : public DataSource {
 public:
  // `base` outlives this object.
  explicit FailingRows(const DataSource* base) : base_(base) {}

  // The next read that comes to a row fails; of kStrange, the next one of a record. kNone: none
  // does. Copies are made of bytes that nobody looks into: a reader that is pinned meets no
  // kStrange.
  void FailNext(RowDefect defect) { state_->next = defect; }
  // What one has failed by.
  RowDefect failed() const { return state_->failed; }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;
  std::unique_ptr<DataReader> Pin() const override;

 private:
  struct State {
    RowDefect next = RowDefect::kNone;
    RowDefect failed = RowDefect::kNone;

    bool Takes(RowDefect defect);
  };
  class Pinned;

  const DataSource* base_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_FAILING_ROWS_H_
