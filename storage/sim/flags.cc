// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/flags.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace flaredb::storage {
namespace {

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
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
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    if (argument == "--help") {
      flags.help = true;
    } else if (argument == "--keep-going") {
      flags.keep_going = true;
    } else if (argument == "--sweep") {
      flags.sweep = true;
    } else if (name == "--seed") {
      const auto seed = ParseNumber(value);
      if (!seed) return Wrong(argument, "a seed is a whole number, as in --seed=42");
      flags.first_seed = flags.last_seed = *seed;
    } else if (name == "--seeds") {
      const size_t dots = value.find("..");
      const auto first = ParseNumber(std::string_view(value).substr(0, dots));
      const auto last = dots == std::string::npos
                            ? std::nullopt
                            : ParseNumber(std::string_view(value).substr(dots + 2));
      if (!first || !last || *last < *first) {
        return Wrong(argument, "a range of seeds is two rising numbers, as in --seeds=1..500");
      }
      flags.first_seed = *first;
      flags.last_seed = *last;
    } else {
      return Wrong(argument, "there is no such flag");
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
  --keep-going  Go on after a failing seed.
  --help        This text.

A failing seed prints what is wrong and the line that replays it. The last line is always
  seeds=N failed=F commits=C crashes=K recoveries=R faults_fired=X wall_seconds=S hash=H
Exit codes: 0 passed, 1 failed, 2 wrong usage. docs/SIMULATION.md tells more.
)";
}

}  // namespace flaredb::storage
