// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/replay_main.h"

#include <iostream>
#include <optional>
#include <utility>

#include "sim/campaign/campaign.h"
#include "sim/campaign/report.h"
#include "sim/campaign/saved_run.h"
#include "sim/campaign/sim_main.h"
#include "sim/campaign/user_files.h"
#include "sim/page/page_of_run.h"

namespace flaredb::sim {
namespace {

bool WriteHtml(const Flags& flags, Choices choices, const RunOptions& options,
               const std::string& name, const std::string& replay) {
  const absl::Status written =
      WritePageOfRun(std::move(choices), options, name, replay, CallersPath(flags.html));
  if (!written.ok()) std::cerr << "--html=" << flags.html << ": " << written.message() << "\n";
  return written.ok();
}

}  // namespace

std::string TraceLine(const Flags& flags, const std::string& path) {
  return flags.subject.command + " --trace=" + path;
}

int ReplayMain(const Flags& flags, std::ostream* trace_out) {
  const std::optional<std::string> text = ReadUserFile(flags.trace);
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
  if (!flags.html.empty() &&
      !WriteHtml(flags, Choices(run->tape), options, flags.trace, TraceLine(flags, flags.trace))) {
    return kUsageError;
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

bool WritePageOfSeed(const Flags& flags) {
  const uint64_t seed = flags.seeds.first;
  return WriteHtml(flags, Choices(seed), OptionsOf(flags), "seed " + std::to_string(seed),
                   ReplayLine(flags, seed));
}

}  // namespace flaredb::sim
