// SPDX-License-Identifier: Apache-2.0
#include "core/kv/lww.h"

#include <string_view>
#include <tuple>

#include "core/base/check.h"
#include "core/base/probe.h"

namespace flaredb::kv {

namespace {

using Rank = std::tuple<Hlc, bool, StoreId, std::string_view>;

Rank RankOf(const LwwRow& row) { return {row.hlc, row.deleted, row.origin, row.value}; }

Rank RankOf(const Record& record, const NamespaceState& state) {
  const Hlc base = state.fence ? state.fence->base_hlc : Hlc();
  const Hlc hlc = record.hlc ? record.hlc : base;
  return {hlc, record.tombstone, record.origin, record.value};
}

}  // namespace

bool Merge(const LwwRow& row, const NamespaceState& state, Index index,
           std::optional<Record>* record) {
  INVARIANT(row.hlc) << "a row has a time";
  INVARIANT(!row.deleted || row.value.empty());
  // It was applied before, and what it left may have been collected since.
  if (row.hlc < state.floors.collected_hlc) {
    REACHED(kMergeCollected);
    return false;
  }
  SOMETIMES(kMergeOverStrong, *record && !(*record)->hlc);
  if (*record && RankOf(row) <= RankOf(**record, state)) {
    SOMETIMES(kMergeRepeated, RankOf(row) == RankOf(**record, state));
    SOMETIMES(kMergeLost, RankOf(row) < RankOf(**record, state));
    return false;
  }

  SOMETIMES(kMergeWithGhost, !*record && state.Ghost());
  if (!*record) *record = state.Ghost();
  if (!*record) record->emplace();
  Record& merged = **record;
  ++merged.version;
  merged.changed_index = index;
  merged.tombstone = row.deleted;
  merged.value = row.value;
  merged.hlc = row.hlc;
  merged.origin = row.origin;
  return true;
}

}  // namespace flaredb::kv
