// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/flags.h"

#include <string_view>

#include "sim/campaign/arguments.h"

namespace flaredb::storage {

absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments) {
  Flags flags;
  for (const std::string& argument : arguments) {
    if (argument == "--help") {
      flags.help = true;
    } else if (argument == "--keep-going") {
      flags.keep_going = true;
    } else if (argument == "--sweep") {
      flags.sweep = 1;
    } else if (constexpr std::string_view kSweep = "--sweep="; argument.starts_with(kSweep)) {
      flags.sweep = sim::ParseNumber(argument.substr(kSweep.size())).value_or(0);
      if (flags.sweep == 0) return sim::Wrong(argument, "every so many-th write is 1 or more");
    } else if (sim::SaysSeeds(argument)) {
      const absl::StatusOr<sim::SeedRange> seeds = sim::ParseSeeds(argument);
      if (!seeds.ok()) return seeds.status();
      flags.seeds = *seeds;
    } else {
      return sim::Wrong(argument, "there is no such flag");
    }
  }
  return flags;
}

std::string Usage() {
  return R"(Runs the production storage layer over a simulated disk and loses its power.

  ./bazelw run --config=opt //storage/sim:campaign -- [flags]

  --seed=N      Run one seed.
  --seeds=A..B  Run the seeds A to B, both included. Default: 1..1000.
  --sweep       Instead of random lives: one life for each seed, and a loss of power after every
                single write, sync and change of a name in it.
  --sweep=N     The same after every Nth of them.
  --keep-going  Go on after a failing seed.
  --help        This text.

A failing seed prints what is wrong and the line that replays it. The last line is always
  seeds=N failed=F commits=C crashes=K recoveries=R faults_fired=X wall_seconds=S hash=H
Exit codes: 0 passed, 1 failed, 2 wrong usage. docs/SIMULATION.md tells more.
)";
}

}  // namespace flaredb::storage
