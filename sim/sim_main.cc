// SPDX-License-Identifier: Apache-2.0
// The only file of sim/ that knows the time of day: it measures how long a campaign took, and ends
// one that has a time.
#include "sim/sim_main.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/campaign.h"
#include "sim/flags.h"
#include "sim/jobs.h"
#include "sim/minimise.h"
#include "sim/page/page_of_run.h"
#include "sim/report.h"
#include "sim/saved_run.h"

namespace flaredb::sim {
namespace {

constexpr int kUsageError = 2;

using WallClock = std::chrono::steady_clock;

// `bazel run` starts programs elsewhere; relative paths are the caller's.
std::filesystem::path CallersPath(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder == nullptr ? std::filesystem::path(path) : std::filesystem::path(folder) / path;
}

std::optional<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

std::string TraceLine(const Flags& flags, const std::string& path) {
  return flags.subject.command + " --trace=" + path;
}

// As small as the time allows, in a file.
void MinimiseAndSave(const Flags& flags, const FailedSeed& failed) {
  const SavedRun found = Record(failed.seed, OptionsOf(flags));
  if (found.invariant.empty()) return;  // It does not fail every time.
  std::cout << "making it smaller..." << std::endl;
  const WallClock::time_point begin = WallClock::now();
  const Minimised least = Minimise(
      found, [&] { return WallClock::now() - begin < std::chrono::seconds(flags.minimise); },
      [&](const SavedRun& run, RunOptions options) {
        options.subject = flags.subject;
        return Replay(run, options);
      });
  const std::string path =
      flags.save.empty() ? "seed-" + std::to_string(failed.seed) + ".trace" : flags.save;
  std::ofstream file(CallersPath(path));
  file << EncodeSavedRun(least.run) << std::flush;
  std::cout << "minimised: " << least.faults << " faults and " << least.operations
            << " operations, after " << least.runs << " runs: " << least.run.sentence << "\n";
  if (file) {
    std::cout << "replay: " << TraceLine(flags, path) << std::endl;
  } else {
    std::cout << path << ": this file can't be written; --save=FILE names another." << std::endl;
  }
}

// --trace: the exit code.
int ReplayTrace(const Flags& flags, std::ostream* trace_out) {
  const std::optional<std::string> text = ReadFile(CallersPath(flags.trace));
  if (!text) {
    std::cerr << "--trace=" << flags.trace << ": this file can't be read.\n";
    return kUsageError;
  }
  const absl::StatusOr<SavedRun> run = DecodeSavedRun(*text);
  if (!run.ok()) {
    std::cerr << "--trace=" << flags.trace << ": " << run.status().message() << "\n";
    return kUsageError;
  }
  RunOptions options = ReplayOptions(*run);
  options.subject = flags.subject;
  if (!flags.html.empty()) {
    const absl::Status written =
        WritePageOfRun(Choices(run->tape), options, flags.trace, TraceLine(flags, flags.trace),
                       CallersPath(flags.html));
    if (!written.ok()) {
      std::cerr << "--html=" << flags.html << ": " << written.message() << "\n";
      return kUsageError;
    }
  }
  options.trace_out = trace_out;
  const RunResult result = Run(Choices(run->tape), options);
  const Failure& failure = result.failure;
  if (failure.kind != FailureKind::kNone) {
    std::cout << failure.invariant << ": " << failure.sentence << "\n";
  } else if (!run->invariant.empty()) {
    std::cout << "It passes now; it failed by " << run->invariant << " when it was saved.\n";
  }
  std::cout << "faults=" << result.faults.size() << " operations=" << result.operations.size()
            << " events=" << result.counts.events << " hash=" << std::hex << result.hash
            << std::endl;
  return static_cast<int>(failure.kind);
}

absl::Status WriteHtml(const Flags& flags) {
  const uint64_t seed = flags.first_seed;
  return WritePageOfRun(Choices(seed), OptionsOf(flags), "seed " + std::to_string(seed),
                        ReplayLine(flags, seed), CallersPath(flags.html));
}

// False, and the user is told, if the file can't be written.
bool Open(const std::string& flag, const std::string& path, std::ofstream* file) {
  file->open(CallersPath(path));
  if (!*file) std::cerr << flag << "=" << path << ": this file can't be written.\n";
  return static_cast<bool>(*file);
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
    const WallClock::time_point now = WallClock::now();
    if (is_terminal_ && now >= next_line_) {
      Wipe();
      std::cerr << ProgressLine(flags_, so_far, wall_seconds()) << std::flush;
      has_line_ = true;
      next_line_ = now + std::chrono::milliseconds(500);
    }
    return flags_.minutes == 0 || wall_seconds() < flags_.minutes * 60;
  }
  double wall_seconds() const {
    return std::chrono::duration<double>(WallClock::now() - begin_).count();
  }

 private:
  // What comes next takes the place of the progress line.
  void Wipe() {
    if (std::exchange(has_line_, false)) std::cerr << "\r\033[K" << std::flush;
  }

  const Flags& flags_;
  const bool is_terminal_;
  const WallClock::time_point begin_ = WallClock::now();
  WallClock::time_point next_line_ = begin_ + std::chrono::milliseconds(500);
  bool has_line_ = false;
};

int Main(const Subject& subject, const std::vector<std::string>& arguments) {
  absl::StatusOr<Flags> flags = ParseFlags(arguments);
  if (!flags.ok()) {
    std::cerr << flags.status().message() << "\n";
    return kUsageError;
  }
  if (flags->help) {
    std::cout << Usage(subject.command);
    return 0;
  }
  flags->subject = subject;
  RunOptions options = OptionsOf(*flags);
  std::ofstream trace;
  std::ofstream json;
  if (flags->trace_out == "-") {
    options.trace_out = &std::cout;
  } else if (!flags->trace_out.empty()) {
    if (!Open("--trace-out", flags->trace_out, &trace)) return kUsageError;
    options.trace_out = &trace;
  }
  if (!flags->trace.empty()) return ReplayTrace(*flags, options.trace_out);
  if (!flags->json.empty() && !Open("--json", flags->json, &json)) return kUsageError;

  // First, so that a campaign is not run in vain when the file can't be written.
  if (!flags->html.empty()) {
    if (const absl::Status written = WriteHtml(*flags); !written.ok()) {
      std::cerr << "--html=" << flags->html << ": " << written.message() << "\n";
      return kUsageError;
    }
  }

  const auto run = [&options](uint64_t seed) { return RunAndRepeat(seed, options); };
  std::optional<Jobs> jobs;
  if (flags->jobs > 1) jobs.emplace(flags->first_seed, flags->last_seed, flags->jobs, run);
  std::optional<Watcher> watcher(*flags);
  const CampaignResult campaign = RunCampaign(
      *flags, [&](uint64_t seed) { return jobs ? jobs->Take(seed) : run(seed); }, &*watcher);
  const double wall_seconds = watcher->wall_seconds();
  watcher.reset();
  jobs.reset();

  const FailureKind first = campaign.first_failure();
  const bool repeats = first == FailureKind::kSafety || first == FailureKind::kLiveness ||
                       first == FailureKind::kChecker;
  if (repeats && !flags->keep_going && flags->minimise > 0) {
    MinimiseAndSave(*flags, campaign.failures.front());
  }
  PrintSummary(*flags, campaign, wall_seconds, std::cout);
  if (json.is_open()) WriteJson(*flags, campaign, wall_seconds, json);
  return static_cast<int>(campaign.first_failure());
}

}  // namespace

int SimMain(const Subject& subject, int argc, char** argv) {
  return Main(subject, std::vector<std::string>(argv + 1, argv + argc));
}

}  // namespace flaredb::sim
