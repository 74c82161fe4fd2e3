// SPDX-License-Identifier: Apache-2.0
// Makes a failing run small: fewer faults, then fewer operations, with the same invariant broken.
#ifndef FLAREDB_SIM_CAMPAIGN_MINIMISE_H_
#define FLAREDB_SIM_CAMPAIGN_MINIMISE_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "sim/campaign/saved_run.h"

namespace flaredb::sim {

struct Minimised {
  SavedRun run;  // Fails by the same invariant; choices and what it leaves out are spelled out.
  uint64_t faults = 0;
  uint64_t operations = 0;
  uint64_t runs = 0;  // That it took to get there.
};

// `run` fails. First takes away what the failure does not need, in chunks that shrink (delta
// debugging: Zeller and Hildebrandt 2002): kinds of fault, operations, single faults, until nothing
// more can go. Of a run that is not small then (kFaultsGoal, kOperationsGoal) variants are tried,
// which leave out several faults at once and make some choices anew; in turn with them other runs
// that may make only so many faults and operations at all, and any that the campaign might make.
// Each that fails and is smaller takes its place. What a run has beyond the goal counts first, then
// faults and operations together.
//   may_go_on  asked before each run: the caller's budget of time
//   replay     sim::Replay, or what stands for it in a test
using ReplayFunction = absl::FunctionRef<RunResult(const SavedRun&, const RunOptions&)>;
Minimised Minimise(const SavedRun& run, absl::FunctionRef<bool()> may_go_on,
                   ReplayFunction replay = Replay);

constexpr uint64_t kFaultsGoal = 5;
constexpr uint64_t kOperationsGoal = 20;

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_MINIMISE_H_
