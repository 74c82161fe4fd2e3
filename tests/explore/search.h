// SPDX-License-Identifier: Apache-2.0
// Breadth-first search: every state once, nearest first, so a violation comes with a shortest path.
#ifndef FLAREDB_TESTS_EXPLORE_SEARCH_H_
#define FLAREDB_TESTS_EXPLORE_SEARCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "tests/explore/model.h"

namespace flaredb::explore {

struct Found {
  uint64_t states = 0;
  uint32_t depth = 0;      // Of the farthest state.
  bool exhausted = false;  // There are no more states within the bounds.
  // Empty, or the broken property.
  std::string violation;
  std::vector<Move> path;  // To the violation; the last move breaks the property.
};

// Ends at `states_max` states, at a violation, or when no state is left. `progress` is called from
// time to time. Deterministic.
Found Search(Model* model, uint64_t states_max,
             absl::FunctionRef<void(uint64_t states, uint32_t depth)> progress);

// The path as numbered lines with the replicas after each.
std::string Describe(Model* model, const Found& found);

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_SEARCH_H_
