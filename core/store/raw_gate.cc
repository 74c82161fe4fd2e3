// SPDX-License-Identifier: Apache-2.0
#include "core/store/raw_gate.h"

#include "absl/strings/str_cat.h"
#include "core/store/errors.h"

namespace flaredb::store {

void RawGate::OnClusterTime(Instant now, uint64_t unix_ms) {
  if (unix_ms != 0) cluster_.Add(now, unix_ms);
}

int64_t RawGate::AheadMs(Instant now, uint64_t unix_ms) const {
  if (!cluster_.known()) return 0;
  const int64_t ahead = static_cast<int64_t>(unix_ms) - cluster_.At(now);
  return ahead > skew_max_.milliseconds() ? ahead : 0;
}

std::optional<Error> RawGate::Refusal(Instant now, uint64_t unix_ms) const {
  if (!why_.empty()) return NotAcceptingError(why_);
  const int64_t ahead = AheadMs(now, unix_ms);
  if (ahead == 0) return std::nullopt;
  return NotAcceptingError(
      absl::StrCat("its wall clock is ", ahead, " ms ahead of most stores' and has to be set"));
}

}  // namespace flaredb::store
