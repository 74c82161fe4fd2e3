// SPDX-License-Identifier: Apache-2.0
// The simulator as a program. The only file of sim/ that knows the time of day: it measures how
// long a campaign took.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "sim/campaign.h"
#include "sim/flags.h"
#include "sim/page/page_of_run.h"

namespace flaredb::sim {
namespace {

constexpr int kUsageError = 2;

// `bazel run` starts programs elsewhere; relative paths are the caller's.
std::filesystem::path CallersPath(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder == nullptr ? std::filesystem::path(path) : std::filesystem::path(folder) / path;
}

absl::Status WriteHtml(const Flags& flags) {
  RunOptions options;
  options.operations_max = flags.operations_max;
  const std::string seed = std::to_string(flags.first_seed);
  std::string replay = "./bazelw run //:sim -- --seed=" + seed;
  if (flags.operations_max != 0) replay += " --ops=" + std::to_string(flags.operations_max);
  return WritePageOfRun(Choices(flags.first_seed), options, "seed " + seed, replay,
                        CallersPath(flags.html));
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = ParseFlags(arguments);
  if (!flags.ok()) {
    std::cerr << flags.status().message() << "\n";
    return kUsageError;
  }
  if (flags->help) {
    std::cout << Usage();
    return 0;
  }
  std::ofstream file;
  std::ostream* trace_out = nullptr;
  if (flags->trace_out == "-") {
    trace_out = &std::cout;
  } else if (!flags->trace_out.empty()) {
    file.open(CallersPath(flags->trace_out));
    if (!file) {
      std::cerr << "--trace-out=" << flags->trace_out << ": this file can't be written.\n";
      return kUsageError;
    }
    trace_out = &file;
  }

  // First, so that a campaign is not run in vain when the file can't be written.
  if (!flags->html.empty()) {
    if (const absl::Status written = WriteHtml(*flags); !written.ok()) {
      std::cerr << "--html=" << flags->html << ": " << written.message() << "\n";
      return kUsageError;
    }
  }

  const auto begin = std::chrono::steady_clock::now();
  const CampaignResult campaign = RunCampaign(*flags, trace_out, std::cout);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;

  const RunCounts& counts = campaign.counts;
  const Features& features = counts.features;
  std::cout << "operations=" << counts.operations << " unknown=" << counts.unknown
            << " committed=" << counts.committed << " terms=" << counts.terms
            << " crashes=" << counts.crashes << " turns=" << counts.turns
            << " changes=" << features.changes << " snapshots=" << features.snapshots
            << " transfers=" << features.transfers << " leases=" << features.leases << "\n"
            << "seeds=" << campaign.seeds << " failed=" << campaign.failed
            << " events=" << counts.events
            << " sim_seconds=" << campaign.simulated.milliseconds() / 1000
            << " wall_seconds=" << wall.count() << " hash=" << std::hex << campaign.hash.value()
            << std::endl;
  return static_cast<int>(campaign.first_failure);
}

}  // namespace
}  // namespace flaredb::sim

int main(int argc, char** argv) {
  return flaredb::sim::Main(std::vector<std::string>(argv + 1, argv + argc));
}
