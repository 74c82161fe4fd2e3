// SPDX-License-Identifier: Apache-2.0
#include "sim/world/fault.h"

#include <algorithm>
#include <iterator>

namespace flaredb::sim {
namespace {

// In the order of Fault.
constexpr std::string_view kNames[] = {
    "split",        "isolate-leader", "isolate-one",  "one-way",         "bridge",
    "hold-link",    "slow-link",      "reset-link",   "partial-append",  "short-reigns",
    "crash-random", "crash-leader",   "crash-all",    "crash-at-moment", "pause-random",
    "pause-leader", "other-limits",   "stall-disk",   "fail-write",      "fail-read",
    "wipe-disk",    "clock-rate",     "clock-jump",   "clock-stop",      "break-replica",
    "lose-message", "copy-message",   "slow-message", "overtake",        "corrupt-piece",
    "slow-commit",  "buggify",        "retry",        "second-attempt",  "abandon",
    "odd-budget",   "change-members", "transfer",     "lose-majority",   "wall-jump",
    "mode-switch",  "collect",        "wrong-door"};
static_assert(std::size(kNames) == kFaults);

}  // namespace

std::string_view NameOf(Fault fault) { return kNames[static_cast<size_t>(fault)]; }

std::optional<Fault> FaultNamed(std::string_view name) {
  const auto* at = std::find(std::begin(kNames), std::end(kNames), name);
  if (at == std::end(kNames)) return std::nullopt;
  return static_cast<Fault>(at - std::begin(kNames));
}

}  // namespace flaredb::sim
