// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/minimise_main.h"

#include <fstream>
#include <iostream>
#include <string>

#include "sim/campaign/minimise.h"
#include "sim/campaign/replay_main.h"
#include "sim/campaign/saved_run.h"
#include "sim/campaign/stopwatch.h"
#include "sim/campaign/user_files.h"

namespace flaredb::sim {

void MinimiseAndSave(const Flags& flags, const FailedSeed& failed) {
  const SavedRun found = Record(failed.seed, OptionsOf(flags));
  if (found.invariant.empty()) return;  // It does not fail every time.
  std::cout << "making it smaller..." << std::endl;
  const Stopwatch stopwatch;
  const Minimised least = Minimise(
      found, [&] { return stopwatch.seconds() < flags.minimise; },
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

}  // namespace flaredb::sim
