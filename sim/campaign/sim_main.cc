// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/sim_main.h"

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "sim/campaign/campaign_main.h"
#include "sim/campaign/flags.h"
#include "sim/campaign/replay_main.h"
#include "sim/campaign/user_files.h"

namespace flaredb::sim {

int SimMain(const Subject& subject, int argc, char** argv) {
  absl::StatusOr<Flags> flags = ParseFlags(std::vector<std::string>(argv + 1, argv + argc));
  if (!flags.ok()) {
    std::cerr << flags.status().message() << "\n";
    return kUsageError;
  }
  if (flags->help) {
    std::cout << Usage(subject.command);
    return 0;
  }
  flags->subject = subject;
  std::ofstream file;
  std::ostream* trace_out = nullptr;
  if (flags->trace_out == "-") {
    trace_out = &std::cout;
  } else if (!flags->trace_out.empty()) {
    if (!OpenUserFile("--trace-out", flags->trace_out, &file)) return kUsageError;
    trace_out = &file;
  }
  return flags->trace.empty() ? CampaignMain(*flags, trace_out) : ReplayMain(*flags, trace_out);
}

}  // namespace flaredb::sim
