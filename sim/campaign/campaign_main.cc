// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/campaign_main.h"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <optional>
#include <utility>

#include "sim/campaign/campaign.h"
#include "sim/campaign/jobs.h"
#include "sim/campaign/minimise_main.h"
#include "sim/campaign/replay_main.h"
#include "sim/campaign/report.h"
#include "sim/campaign/sim_main.h"
#include "sim/campaign/stopwatch.h"
#include "sim/campaign/user_files.h"

namespace flaredb::sim {
namespace {

constexpr double kProgressSeconds = 0.5;  // From one progress line to the next.
constexpr int kInterrupted = 130;         // As shells call it.

volatile sig_atomic_t g_interrupted = 0;

// Once: what was found so far is still told. The second time ends the program at once.
void InterruptOnce() {
  struct sigaction action = {};
  action.sa_handler = [](int) { g_interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
}

// Tells of failures as they happen; on a terminal, of progress as well.
class Watcher : public CampaignWatcher {
 public:
  explicit Watcher(const Flags& flags) : flags_(flags), is_terminal_(isatty(STDERR_FILENO) != 0) {}
  ~Watcher() override { Wipe(); }

  void OnFailure(const FailedSeed& failed) override {
    Wipe();
    PrintFailure(flags_, failed, std::cout);
  }
  bool GoOn(const CampaignResult& so_far) override {
    const double now = wall_seconds();
    if (is_terminal_ && now >= next_line_) {
      Wipe();
      std::cerr << ProgressLine(flags_, so_far, now) << std::flush;
      has_line_ = true;
      next_line_ = now + kProgressSeconds;
    }
    return g_interrupted == 0 && (flags_.minutes == 0 || now < flags_.minutes * 60);
  }
  double wall_seconds() const { return stopwatch_.seconds(); }

 private:
  // What comes next takes the place of the progress line.
  void Wipe() {
    if (std::exchange(has_line_, false)) std::cerr << "\r\033[K" << std::flush;
  }

  const Flags& flags_;
  const bool is_terminal_;
  const Stopwatch stopwatch_;
  double next_line_ = kProgressSeconds;
  bool has_line_ = false;
};

// Whether the same run fails again, so that it can be made smaller.
bool FailsEveryTime(FailureKind kind) {
  return kind == FailureKind::kSafety || kind == FailureKind::kLiveness ||
         kind == FailureKind::kChecker;
}

}  // namespace

int CampaignMain(const Flags& flags, std::ostream* trace_out) {
  std::ofstream json;
  if (!flags.json.empty() && !OpenUserFile("--json", flags.json, &json)) return kUsageError;
  // First, so that a campaign is not run in vain when the file can't be written.
  if (!flags.save.empty() && !CanBeWritten(flags.save)) {
    std::cerr << "--save=" << flags.save << ": this file can't be written.\n";
    return kUsageError;
  }
  if (!flags.html.empty() && !WritePageOfSeed(flags)) return kUsageError;

  RunOptions options = OptionsOf(flags);
  options.trace_out = trace_out;
  const auto run = [&options, twice = flags.twice](uint64_t seed) {
    return RunAndRepeat(seed, options, twice);
  };
  InterruptOnce();
  std::optional<Jobs> jobs;
  if (flags.jobs > 1) jobs.emplace(flags.seeds.first, flags.seeds.last, flags.jobs, run);
  std::optional<Watcher> watcher(flags);
  const CampaignResult campaign = RunCampaign(
      flags, [&](uint64_t seed) { return jobs ? jobs->Take(seed) : run(seed); }, &*watcher);
  const double wall_seconds = watcher->wall_seconds();
  watcher.reset();
  jobs.reset();

  if (FailsEveryTime(campaign.first_failure()) && !flags.keep_going && flags.minimise > 0) {
    MinimiseAndSave(flags, campaign.failures.front());
  }
  PrintSummary(flags, campaign, wall_seconds, std::cout);
  if (json.is_open()) WriteJson(flags, campaign, wall_seconds, json);
  if (campaign.failures.empty() && g_interrupted != 0) return kInterrupted;
  return static_cast<int>(campaign.first_failure());
}

}  // namespace flaredb::sim
