// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/campaign.h"

#include <sstream>
#include <utility>

#include "sim/campaign/report.h"
#include "sim/campaign/self_check.h"

namespace flaredb::sim {
namespace {

// Of the seeds that pass, so many run twice.
constexpr uint64_t kRepeatOneIn = 16;

// Keeps what is said of failures.
class Listener : public CampaignWatcher {
 public:
  explicit Listener(const Flags& flags) : flags_(flags) {}
  void OnFailure(const FailedSeed& failed) override { PrintFailure(flags_, failed, out_); }
  bool GoOn(const CampaignResult&) override { return true; }
  std::string heard() const { return out_.str(); }

 private:
  const Flags& flags_;
  std::ostringstream out_;
};

}  // namespace

RunOptions OptionsOf(const Flags& flags) {
  RunOptions options;
  options.operations_max = flags.operations_max;
  options.subject = flags.subject;
  options.reduction.without = flags.without;
  options.faults_max = Duration::Seconds(flags.seconds);
  return options;
}

RunResult RunAndRepeat(uint64_t seed, const RunOptions& options, bool twice) {
  return RunAndCompare(options, twice || seed % kRepeatOneIn == 0,
                       [seed](const RunOptions& same) { return RunSeed(seed, same); });
}

CampaignResult RunCampaign(const Flags& flags, absl::FunctionRef<RunResult(uint64_t seed)> run,
                           CampaignWatcher* watcher) {
  CampaignResult campaign;
  for (uint64_t seed = flags.seeds.first;; ++seed) {
    RunResult result = run(seed);
    ++campaign.seeds;
    campaign.counts += result.counts;
    campaign.simulated = campaign.simulated + result.simulated;
    campaign.hash.Add(result.hash);
    if (result.failure.kind != FailureKind::kNone) {
      campaign.failures.push_back({seed, std::move(result.failure)});
      watcher->OnFailure(campaign.failures.back());
    }
    const bool over = seed == flags.seeds.last || (!campaign.failures.empty() && !flags.keep_going);
    if (!watcher->GoOn(campaign) || over) return campaign;
  }
}

std::string FirstFailure(const Subject& subject, uint64_t first, uint64_t last) {
  Flags flags;
  flags.subject = subject;
  flags.seeds.first = first;
  flags.seeds.last = last;
  const RunOptions options = OptionsOf(flags);
  Listener listener(flags);
  RunCampaign(
      flags, [&](uint64_t seed) { return RunAndRepeat(seed, options); }, &listener);
  return listener.heard();
}

}  // namespace flaredb::sim
