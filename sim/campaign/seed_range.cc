// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/seed_range.h"

#include <limits>
#include <optional>
#include <string_view>

#include "sim/campaign/arguments.h"

namespace flaredb::sim {
namespace {

constexpr std::string_view kOne = "--seed=";
constexpr std::string_view kRange = "--seeds=";

}  // namespace

bool SaysSeeds(const std::string& argument) {
  return argument.starts_with(kOne) || argument.starts_with(kRange) || argument == "--seed" ||
         argument == "--seeds";
}

absl::StatusOr<SeedRange> ParseSeeds(const std::string& argument) {
  const std::string_view text = argument;
  if (!text.starts_with(kRange)) {
    const auto seed = text.starts_with(kOne) ? ParseNumber(text.substr(kOne.size())) : std::nullopt;
    if (!seed) return Wrong(argument, "a seed is a whole number, as in --seed=42");
    return SeedRange{*seed, *seed};
  }
  const std::string_view range = text.substr(kRange.size());
  const size_t dots = range.find("..");
  const auto first = ParseNumber(range.substr(0, dots));
  const auto last =
      dots == std::string_view::npos ? std::nullopt : ParseNumber(range.substr(dots + 2));
  if (!first || !last || *last < *first || *last - *first == std::numeric_limits<uint64_t>::max()) {
    return Wrong(argument, "a range of seeds is two rising numbers, as in --seeds=1..500");
  }
  return SeedRange{*first, *last};
}

}  // namespace flaredb::sim
