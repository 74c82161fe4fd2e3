// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/flags.h"

#include <limits>
#include <optional>
#include <string_view>

#include "sim/campaign/arguments.h"

namespace flaredb::sim {
namespace {

constexpr uint32_t kJobsMax = 256;
constexpr double kMinutesMax = 1e6;
constexpr uint32_t kSecondsMax = 3600;
// In the place of a list of kinds.
constexpr std::string_view kNoKind = "none";

std::string Join(const FaultSet& kinds) {
  std::string list;
  for (size_t i = 0; i < kFaults; ++i) {
    if (!kinds[i]) continue;
    list += (list.empty() ? "" : ",") + std::string(NameOf(static_cast<Fault>(i)));
  }
  return list.empty() ? std::string(kNoKind) : list;
}

// "split,crash-leader"
absl::StatusOr<FaultSet> ParseFaults(const std::string& argument, std::string_view list) {
  FaultSet kinds;
  if (list == kNoKind) return kinds;
  while (true) {
    const size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    const std::optional<Fault> fault = FaultNamed(name);
    if (!fault) {
      return Wrong(argument, "there is no fault named \"" + std::string(name) + "\"; there are " +
                                 Join(FaultSet().set()));
    }
    kinds.set(static_cast<size_t>(*fault));
    if (comma == std::string_view::npos) return kinds;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments) {
  Flags flags;
  bool seeds_given = false;
  std::string of_campaigns;  // A flag that a replay has no use for; empty: there was none.
  FaultSet only = FaultSet().set();
  FaultSet without;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value =
        equals == std::string::npos ? std::string() : argument.substr(equals + 1);
    if (name != "--trace" && name != "--trace-out" && name != "--html" && name != "--help") {
      of_campaigns = argument;
    }
    if (argument == "--help") {
      flags.help = true;
    } else if (argument == "--twice") {
      flags.twice = true;
    } else if (argument == "--keep-going") {
      flags.keep_going = true;
    } else if (SaysSeeds(argument)) {
      const absl::StatusOr<SeedRange> seeds = ParseSeeds(argument);
      if (!seeds.ok()) return seeds.status();
      if (seeds_given) return Wrong(argument, "the seeds were said before; say them once");
      flags.seeds = *seeds;
      seeds_given = true;
    } else if (name == "--minutes") {
      const auto minutes = ParseNumber<double>(value);
      if (!minutes || !(*minutes > 0) || *minutes > kMinutesMax) {
        return Wrong(argument, "a time is a number of minutes above 0, as in --minutes=30");
      }
      flags.minutes = *minutes;
    } else if (name == "--jobs") {
      const auto jobs = ParseNumber<uint32_t>(value);
      if (!jobs || *jobs == 0 || *jobs > kJobsMax) {
        return Wrong(argument, "the number of processes is between 1 and 256, as in --jobs=2");
      }
      flags.jobs = *jobs;
    } else if (name == "--ops") {
      const auto operations = ParseNumber<uint32_t>(value);
      if (!operations || *operations == 0) {
        return Wrong(argument, "the number of operations is at least 1, as in --ops=300");
      }
      flags.operations_max = *operations;
    } else if (name == "--seconds") {
      const auto seconds = ParseNumber<uint32_t>(value);
      if (!seconds || *seconds == 0 || *seconds > kSecondsMax) {
        return Wrong(argument, "a run lasts between 1 and 3600 seconds, as in --seconds=60");
      }
      flags.seconds = *seconds;
    } else if (name == "--minimise") {
      const auto seconds = ParseNumber<uint32_t>(value);
      if (!seconds) {
        return Wrong(argument, "it takes a number of seconds, as in --minimise=30; 0: not at all");
      }
      flags.minimise = *seconds;
    } else if (name == "--trace") {
      if (value.empty())
        return Wrong(argument, "it takes a saved run, as in --trace=seed-42.trace");
      flags.trace = value;
    } else if (name == "--save") {
      if (value.empty()) return Wrong(argument, "it takes a file, as in --save=found.trace");
      flags.save = value;
    } else if (name == "--only" || name == "--without") {
      const absl::StatusOr<FaultSet> kinds = ParseFaults(argument, value);
      if (!kinds.ok()) return kinds.status();
      (name == "--only" ? only : without) = *kinds;
    } else if (name == "--trace-out") {
      if (value.empty()) {
        return Wrong(argument, "a trace needs a file, as in --trace-out=run.txt, or - for here");
      }
      flags.trace_out = value;
    } else if (name == "--html") {
      if (value.empty()) return Wrong(argument, "a page needs a file, as in --html=run.html");
      flags.html = value;
    } else if (name == "--json") {
      if (value.empty()) return Wrong(argument, "a report needs a file, as in --json=report.json");
      flags.json = value;
    } else {
      return Wrong(argument, "there is no such flag");
    }
  }
  flags.without = ~only | without;
  // What a campaign that has a time leaves open is where it ends.
  if (flags.minutes != 0 && !seeds_given) flags.seeds.last = std::numeric_limits<uint64_t>::max();
  if (flags.jobs > 1 && !flags.trace_out.empty()) {
    return Wrong("--jobs=" + std::to_string(flags.jobs),
                 "a trace is written by one process; leave one of --jobs and --trace-out out");
  }
  if (!flags.trace.empty() && !of_campaigns.empty()) {
    return Wrong(of_campaigns,
                 "a saved run says itself what it consists of; only --trace-out and --html go with "
                 "--trace");
  }
  if (!flags.html.empty() && flags.trace.empty() && flags.seeds.first != flags.seeds.last) {
    return Wrong("--html=" + flags.html, "a page shows one run, so give --seed as well");
  }
  return flags;
}

std::string FaultFlag(const FaultSet& without) {
  return 2 * without.count() > kFaults ? "--only=" + Join(~without) : "--without=" + Join(without);
}

std::string Usage(const std::string& command) {
  return R"(Runs the production core on simulated time, disks and networks, and checks it.

  )" + command +
         R"( [flags]

  --seed=N          Run one seed.
  --seeds=A..B      Run the seeds A to B, both included. Default: 1..100.
  --minutes=M       Run seeds, from the first on, until the time is over. Without --seeds or
                    --seed there is no last one.
  --jobs=N          Run seeds in N processes. The result is that of one, whatever N is. Default: 1.
  --ops=N           Client operations of each run. Default: the seed decides, 200 to 400.
  --only=K,K,...    Let no other kinds of fault happen; none: not any.
  --without=K,...   Let these kinds of fault not happen.
  --trace-out=FILE  Write a line for every event of the run; - is standard output.
  --html=FILE       Write the page of the run of --seed or --trace: lanes, messages, faults, operations.
  --json=FILE       Write a report for scripts.
  --seconds=N       Simulated time until everything heals. Default: 10.
  --trace=FILE      Replay a saved run from its choices; takes --trace-out and --html, no more.
  --minimise=S      Take S seconds to make the run smaller that ended the campaign, and save it.
                    Default: 120; 0: do not.
  --save=FILE       Where to. Default: seed-N.trace.
  --twice           Run every seed twice and compare. Default: one in sixteen.
  --keep-going      Go on after a failing seed.
  --help            This text.

Kinds of fault: )" +
         Join(FaultSet().set()) + R"(.

A failing seed prints what contradicts what, and the line that replays it. The last line is always
  seeds=N failed=F events=E sim_seconds=S wall_seconds=W hash=H
Exit codes: 0 passed, 1 safety, 2 wrong usage, 3 liveness, 4 nondeterminism, 5 checker, 6 a process
died. That of a campaign is that of its first failure. Ctrl-C ends a campaign after the seed under
way, with its report; 130 if nothing had failed.
docs/SIMULATION.md tells more.
)";
}

}  // namespace flaredb::sim
