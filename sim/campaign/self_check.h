// SPDX-License-Identifier: Apache-2.0
// Determinism: whether a run does the same when it is repeated, and if not, where it parts.
#ifndef FLAREDB_SIM_CAMPAIGN_SELF_CHECK_H_
#define FLAREDB_SIM_CAMPAIGN_SELF_CHECK_H_

#include "absl/functional/function_ref.h"
#include "sim/simulation.h"

namespace flaredb::sim {

// Carries one run out, the same one at every call.
using RunOnce = absl::FunctionRef<RunResult(const RunOptions&)>;

// Runs once, and again if the run failed or `always`. A run that differs from itself is a failure
// of its own kind, whatever the first verdict was: its sentence names the first event that differs,
// as both runs had it. For the lines of the trace below it a few more runs are made; a difference
// that none of them repeats stays without.
RunResult RunAndCompare(const RunOptions& options, bool always, RunOnce run);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_SELF_CHECK_H_
