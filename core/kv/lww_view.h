// SPDX-License-Identifier: Apache-2.0
// Data as it will be once the rows that a store has accepted, and not yet seen applied, are merged.
#ifndef FLAREDB_CORE_KV_LWW_VIEW_H_
#define FLAREDB_CORE_KV_LWW_VIEW_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/data_reader.h"
#include "core/kv/lww.h"
#include "core/kv/namespace_state.h"

namespace flaredb::kv {

// The latest row of each key, by encoded key.
using LwwRows = std::map<std::string, LwwRow, std::less<>>;

// A DataReader over another one, which shows each record merged with the row that is held for its
// key. For reads of one eventual namespace: who wrote to a store finds it there, whether or not the
// store can reach anybody else.
class LwwView : public DataReader {
 public:
  // `rows` of namespace `ns`, whose state is `state`, perhaps among others. Everything passed
  // outlives this object.
  LwwView(NamespaceId ns, const NamespaceState& state, const LwwRows& rows, const DataReader& base)
      : ns_(ns), state_(state), rows_(rows), base_(base) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  absl::Status Scan(
      std::string_view begin, std::string_view end,
      absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;

 private:
  // The record under a key of which `row` is held and whose record is `bytes`, if it has one.
  absl::StatusOr<std::string> Merged(const LwwRow& row,
                                     std::optional<std::string_view> bytes) const;

  const NamespaceId ns_;
  const NamespaceState& state_;
  const LwwRows& rows_;
  const DataReader& base_;
};

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_LWW_VIEW_H_
