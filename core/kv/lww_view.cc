// SPDX-License-Identifier: Apache-2.0
#include "core/kv/lww_view.h"

#include "core/base/probe.h"
#include "core/kv/engine.h"

namespace flaredb::kv {

absl::StatusOr<std::string> LwwView::Merged(const LwwRow& row,
                                            std::optional<std::string_view> bytes) const {
  std::optional<Record> record;
  if (bytes) {
    absl::StatusOr<Record> decoded = DecodeRecordOf(ns_, *bytes);
    if (!decoded.ok()) return decoded.status();
    record = *std::move(decoded);
  }
  // The entry that will apply the row has no index yet, and no reader asks for it.
  constexpr Index kSomeIndex(UINT64_MAX);
  const bool wins = Merge(row, state_, kSomeIndex, &record);
  SOMETIMES(kOverlayWins, wins && bytes);
  SOMETIMES(kOverlayAlone, wins && !bytes);
  SOMETIMES(kOverlayLoses, !wins && record && row.hlc < record->hlc);
  if (record) return EncodeRecord(*record);
  // The row was applied, and its tombstone collected.
  Record gone;
  gone.tombstone = true;
  gone.version = Version(1);
  gone.changed_index = kSomeIndex;
  return EncodeRecord(gone);
}

absl::StatusOr<std::optional<std::string>> LwwView::Get(std::string_view key) const {
  absl::StatusOr<std::optional<std::string>> bytes = base_.Get(key);
  const auto row = rows_.find(key);
  if (!bytes.ok() || row == rows_.end()) return bytes;
  absl::StatusOr<std::string> merged = Merged(row->second, *bytes);
  if (!merged.ok()) return merged.status();
  return std::optional<std::string>(*std::move(merged));
}

absl::Status LwwView::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  if (!end.empty() && begin >= end) return absl::OkStatus();
  auto next = rows_.lower_bound(begin);
  const auto last = end.empty() ? rows_.end() : rows_.lower_bound(end);
  bool wants_more = true;
  absl::Status defect;
  // Visits the row held at `next`, merged with `bytes`, and moves past it.
  const auto visit_held = [&](std::optional<std::string_view> bytes) {
    const absl::StatusOr<std::string> merged = Merged(next->second, bytes);
    defect.Update(merged.status());
    wants_more = merged.ok() && visit(next->first, *merged);
    ++next;
  };

  absl::Status status = base_.Scan(begin, end, [&](std::string_view key, std::string_view value) {
    while (wants_more && next != last && next->first < key) visit_held(std::nullopt);
    if (!wants_more) return false;
    if (next != last && next->first == key) {
      visit_held(value);
    } else {
      wants_more = visit(key, value);
    }
    return wants_more;
  });
  while (status.ok() && wants_more && next != last) visit_held(std::nullopt);
  status.Update(defect);
  return status;
}

}  // namespace flaredb::kv
