// SPDX-License-Identifier: Apache-2.0
#include "sim/flags.h"

#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace flaredb::sim {
namespace {

template <typename Integer>
std::optional<Integer> ParseNumber(std::string_view text) {
  Integer value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

absl::Status Wrong(const std::string& argument, const std::string& why) {
  return absl::InvalidArgumentError(argument + ": " + why + " (--help shows all flags).");
}

}  // namespace

absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments) {
  Flags flags;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const std::string value =
        equals == std::string::npos ? std::string() : argument.substr(equals + 1);
    if (argument == "--help") {
      flags.help = true;
    } else if (argument == "--keep-going") {
      flags.keep_going = true;
    } else if (name == "--seed") {
      const auto seed = ParseNumber<uint64_t>(value);
      if (!seed) return Wrong(argument, "a seed is a whole number, as in --seed=42");
      flags.first_seed = flags.last_seed = *seed;
    } else if (name == "--seeds") {
      const size_t dots = value.find("..");
      const auto first = ParseNumber<uint64_t>(std::string_view(value).substr(0, dots));
      const auto last = dots == std::string::npos
                            ? std::nullopt
                            : ParseNumber<uint64_t>(std::string_view(value).substr(dots + 2));
      if (!first || !last || *last < *first ||
          *last - *first == std::numeric_limits<uint64_t>::max()) {
        return Wrong(argument, "a range of seeds is two rising numbers, as in --seeds=1..500");
      }
      flags.first_seed = *first;
      flags.last_seed = *last;
    } else if (name == "--ops") {
      const auto operations = ParseNumber<uint32_t>(value);
      if (!operations || *operations == 0) {
        return Wrong(argument, "the number of operations is at least 1, as in --ops=300");
      }
      flags.operations_max = *operations;
    } else if (name == "--trace-out") {
      if (value.empty()) {
        return Wrong(argument, "a trace needs a file, as in --trace-out=run.txt, or - for here");
      }
      flags.trace_out = value;
    } else if (name == "--html") {
      if (value.empty()) return Wrong(argument, "a page needs a file, as in --html=run.html");
      flags.html = value;
    } else {
      return Wrong(argument, "there is no such flag");
    }
  }
  if (!flags.html.empty() && flags.first_seed != flags.last_seed) {
    return Wrong("--html=" + flags.html, "a page shows one run, so give --seed as well");
  }
  return flags;
}

std::string Usage() {
  return R"(Runs the production core on simulated time, disks and networks, and checks it.

  ./bazelw run //:sim -- [flags]

  --seed=N          Run one seed.
  --seeds=A..B      Run the seeds A to B, both included. Default: 1..100.
  --ops=N           Client operations of each run. Default: the seed decides, 200 to 400.
  --trace-out=FILE  Write a line for every event of the run; - is standard output.
  --html=FILE       Write the page of the run of --seed: lanes, messages, faults, operations.
  --keep-going      Go on after a failing seed.
  --help            This text.

A failing seed prints what contradicts what, and the line that replays it. The last line is always
  seeds=N failed=F events=E sim_seconds=S wall_seconds=W hash=H
Exit codes: 0 passed, 1 safety, 2 wrong usage, 3 liveness, 4 nondeterminism, 5 checker.
docs/SIMULATION.md tells more.
)";
}

}  // namespace flaredb::sim
