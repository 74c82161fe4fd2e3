// SPDX-License-Identifier: Apache-2.0
#include "core/region/overlay.h"

#include "core/base/check.h"

namespace flaredb {

void Overlay::Add(IoToken token, const WriteBatch& batch) {
  INVARIANT(in_flight_.empty() || in_flight_.back().first <= token) << token;
  for (const Mutation& mutation : batch.mutations) {
    const auto [it, added] = rows_.try_emplace(mutation.key);
    // A second change under the same token leaves with the first.
    if (added || it->second.token != token) in_flight_.emplace_back(token, it);
    it->second = {token, mutation.value};
  }
}

void Overlay::Release(IoToken token) {
  for (; !in_flight_.empty() && in_flight_.front().first <= token; in_flight_.pop_front()) {
    const auto [released, row] = in_flight_.front();
    if (row->second.token == released) rows_.erase(row);
  }
}

absl::StatusOr<std::optional<std::string>> Overlay::Get(std::string_view key) const {
  const auto it = rows_.find(key);
  return it == rows_.end() ? base_->Get(key) : it->second.value;
}

absl::Status Overlay::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  if (!end.empty() && begin >= end) return absl::OkStatus();
  auto next = rows_.lower_bound(begin);
  const auto last = end.empty() ? rows_.end() : rows_.lower_bound(end);
  bool wants_more = true;
  // Visits the row held here at `next` and moves past it.
  const auto visit_held = [&] {
    const auto& [key, row] = *next++;
    if (row.value) wants_more = visit(key, *row.value);
  };

  const absl::Status status =
      base_->Scan(begin, end, [&](std::string_view key, std::string_view value) {
        while (wants_more && next != last && next->first < key) visit_held();
        // A row of the same key held here replaces this one, and is visited before the next.
        const bool hidden = next != last && next->first == key;
        if (wants_more && !hidden) wants_more = visit(key, value);
        return wants_more;
      });
  if (!status.ok()) return status;
  while (wants_more && next != last) visit_held();
  return absl::OkStatus();
}

}  // namespace flaredb
