// SPDX-License-Identifier: Apache-2.0
// Data as it will be once the writes in flight have landed.
#ifndef FLAREDB_CORE_REGION_OVERLAY_H_
#define FLAREDB_CORE_REGION_OVERLAY_H_

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/base/write_batch.h"

namespace flaredb {

// A DataReader over another one with the mutations that are not visible there yet. Entries are
// applied without waiting for the disk; whatever is read next must see them.
class Overlay : public DataReader {
 public:
  // `base` outlives this object, which cannot be copied: it points into itself.
  explicit Overlay(const DataReader* base) : base_(base) {}
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // Makes `batch` visible under `token`; tokens never decrease. O(log n) for each mutation.
  void Add(IoToken token, const WriteBatch& batch);
  // Everything up to and including `token` is visible in the base now. A row leaves with its latest
  // mutation; until then it hides the base's older value. The base may show more than was released.
  void Release(IoToken token);

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;

  // Keys held, for metrics and for the check that a quiet store holds none.
  size_t size() const { return rows_.size(); }

 private:
  struct Row {
    IoToken token;  // Of the latest mutation.
    std::optional<std::string> value;
  };
  using Rows = std::map<std::string, Row, std::less<>>;

  const DataReader* base_;
  Rows rows_;
  // Which row to look at on release: one element for each token that changed it, oldest first.
  std::deque<std::pair<IoToken, Rows::iterator>> in_flight_;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_OVERLAY_H_
