// SPDX-License-Identifier: Apache-2.0
// Small random histories on one versioned key, and the verdict by definition.
#ifndef FLAREDB_TESTS_SIM_HISTORY_RANDOM_HISTORY_H_
#define FLAREDB_TESTS_SIM_HISTORY_RANDOM_HISTORY_H_

#include <cstddef>
#include <vector>

#include "core/base/rng.h"
#include "sim/history/history.h"

namespace flaredb::sim {

// A few clients work on a correct key; some writes stay unknown, some of those took effect. Most of
// the histories are then damaged in a few places: another version, value, outcome or time.
// `operations_max` >= 3. Values are unique.
std::vector<VersionedOp> RandomHistory(Rng* rng, size_t operations_max);

// Tries every order of every subset that linearizability allows. Exponential; shares no code with
// the checkers.
bool LinearizableByDefinition(const std::vector<VersionedOp>& ops);

}  // namespace flaredb::sim

#endif  // FLAREDB_TESTS_SIM_HISTORY_RANDOM_HISTORY_H_
