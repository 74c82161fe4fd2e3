// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign.h"

#include <utility>

#include "sim/self_check.h"

namespace flaredb::sim {
namespace {

// Of the seeds that pass, so many run twice.
constexpr uint64_t kRepeatOneIn = 16;

}  // namespace

RunOptions OptionsOf(const Flags& flags) {
  RunOptions options;
  options.operations_max = flags.operations_max;
  options.reduction.without = flags.without;
  options.faults_max = Duration::Seconds(flags.seconds);
  return options;
}

RunResult RunAndRepeat(uint64_t seed, const RunOptions& options) {
  return RunAndCompare(options, seed % kRepeatOneIn == 0,
                       [seed](const RunOptions& same) { return RunSeed(seed, same); });
}

CampaignResult RunCampaign(const Flags& flags, absl::FunctionRef<RunResult(uint64_t seed)> run,
                           CampaignWatcher* watcher) {
  CampaignResult campaign;
  for (uint64_t seed = flags.first_seed;; ++seed) {
    RunResult result = run(seed);
    ++campaign.seeds;
    campaign.counts += result.counts;
    campaign.simulated = campaign.simulated + result.simulated;
    campaign.hash.Add(result.hash);
    if (result.failure.kind != FailureKind::kNone) {
      campaign.failures.push_back({seed, std::move(result.failure)});
      watcher->OnFailure(campaign.failures.back());
    }
    const bool over = seed == flags.last_seed || (!campaign.failures.empty() && !flags.keep_going);
    if (!watcher->GoOn(campaign) || over) return campaign;
  }
}

}  // namespace flaredb::sim
