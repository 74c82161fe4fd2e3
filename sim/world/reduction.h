// SPDX-License-Identifier: Apache-2.0
// What is left out of a run: how a user narrows a campaign down, and how the minimiser describes a
// run that is smaller than the one that failed.
#ifndef FLAREDB_SIM_WORLD_REDUCTION_H_
#define FLAREDB_SIM_WORLD_REDUCTION_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <set>

#include "sim/world/fault.h"

namespace flaredb::sim {

// One fault of a run: the `number`-th of its kind that might happen, counted from 1, whether or not
// it did.
struct FaultName {
  Fault kind = Fault::kCount;
  uint32_t number = 0;

  friend auto operator<=>(const FaultName&, const FaultName&) = default;
};

// Empty: nothing is left out. Whatever is left out draws the same choices as if it had not been, as
// far as possible, so that the rest of the run stays as it was.
struct Reduction {
  FaultSet without;                              // Kinds that do not happen.
  std::optional<std::set<FaultName>> faults;     // Those that happen; absent: all.
  std::optional<uint32_t> faults_max;            // No more than so many in all.
  std::optional<std::set<uint32_t>> operations;  // Numbers of those that are made; absent: all.

  bool Makes(uint32_t operation) const { return !operations || operations->count(operation) != 0; }
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_REDUCTION_H_
