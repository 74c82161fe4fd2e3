// SPDX-License-Identifier: Apache-2.0
// Many seeds, one after another.
#ifndef FLAREDB_SIM_CAMPAIGN_CAMPAIGN_H_
#define FLAREDB_SIM_CAMPAIGN_CAMPAIGN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/hash.h"
#include "core/base/time.h"
#include "sim/campaign/flags.h"
#include "sim/simulation.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

struct FailedSeed {
  uint64_t seed = 0;
  Failure failure;
};

struct CampaignResult {
  uint64_t seeds = 0;
  std::vector<FailedSeed> failures;
  RunCounts counts;
  Duration simulated;
  Hasher hash;  // Over the hashes of the runs, in order.

  FailureKind first_failure() const {
    return failures.empty() ? FailureKind::kNone : failures.front().failure.kind;
  }
};

// Whoever looks on while a campaign runs.
class CampaignWatcher {
 public:
  virtual ~CampaignWatcher() = default;
  virtual void OnFailure(const FailedSeed& failed) = 0;
  // After every seed; `so_far` includes it. False ends the campaign.
  virtual bool GoOn(const CampaignResult& so_far) = 0;
};

// What the flags say of every run.
RunOptions OptionsOf(const Flags& flags);

// Runs one seed; twice if it fails, if told so, and for one seed in sixteen. See RunAndCompare.
RunResult RunAndRepeat(uint64_t seed, const RunOptions& options, bool twice = false);

// Runs the seeds of `flags` by `run`, which is called for one after the other, up to the first that
// fails unless told to keep going, and as long as `watcher` likes. The result depends on the
// results of `run` alone.
CampaignResult RunCampaign(const Flags& flags, absl::FunctionRef<RunResult(uint64_t seed)> run,
                           CampaignWatcher* watcher);

// For tests: what is printed of the first of the seeds [first, last] that fails; empty when none
// does.
std::string FirstFailure(const Subject& subject, uint64_t first, uint64_t last);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_CAMPAIGN_H_
