// SPDX-License-Identifier: Apache-2.0
// Last writer wins: how rows of an eventual namespace merge.
#ifndef FLAREDB_CORE_KV_LWW_H_
#define FLAREDB_CORE_KV_LWW_H_

#include <optional>
#include <string>

#include "core/base/types.h"
#include "core/kv/hlc.h"
#include "core/kv/namespace_state.h"
#include "core/kv/record.h"

namespace flaredb::kv {

// A write to an eventual namespace, as the store that accepted it stamped it.
struct LwwRow {
  std::string key;
  std::string value;  // Empty when deleted.
  bool deleted = false;
  Hlc hlc;         // Not zero, and never the same twice of one origin.
  StoreId origin;  // Who stamped it.

  friend bool operator==(const LwwRow&, const LwwRow&) = default;
};

// Merges `row` into the record of its key, by the entry at `index`: whether it won. The greater of
//   (hlc, deleted, origin, value)
// wins, a total order of all rows that can be: so the merge is commutative, associative and
// idempotent, and replicas end alike whatever they got, in whatever order and how often.
//   record   the key's record, nullopt without one; replaced if the row wins. Its version goes on
//            counting, so versions seen before a namespace became eventual are never issued again.
//   state    of the namespace: a record without a time of its own is from before the fence
bool Merge(const LwwRow& row, const NamespaceState& state, Index index,
           std::optional<Record>* record);

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_LWW_H_
