// SPDX-License-Identifier: Apache-2.0
// How long a call may take.
#ifndef FLAREDB_NET_SERVER_BUDGET_H_
#define FLAREDB_NET_SERVER_BUDGET_H_

#include <algorithm>
#include <optional>

#include "core/base/time.h"

namespace flaredb::net {

// How long a request may wait when its client does not say.
inline constexpr Duration kDefaultBudget = Duration::Seconds(5);
// How long it may wait when its client says more.
inline constexpr Duration kMaxBudget = Duration::Seconds(60);

// The time that the store gets for a request: the least of what the client grants by gRPC
// (`time_left`), what it wishes in its context (`wish`) and kMaxBudget; kDefaultBudget when the
// client says neither. Part of a gRPC deadline is kept back, so that the store's typed answer comes
// before the bare DEADLINE_EXCEEDED of the protocol.
inline Duration BudgetOf(std::optional<Duration> time_left, std::optional<Duration> wish) {
  if (!time_left.has_value() && !wish.has_value()) return kDefaultBudget;
  Duration budget = wish.value_or(kMaxBudget);
  if (time_left.has_value()) {
    budget = std::min(budget, *time_left - std::min(*time_left / 10, Duration::Milliseconds(20)));
  }
  return std::clamp(budget, Duration(), kMaxBudget);
}

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_BUDGET_H_
