// SPDX-License-Identifier: Apache-2.0
// What the command lines of all campaigns have in common.
#ifndef FLAREDB_SIM_CAMPAIGN_ARGUMENTS_H_
#define FLAREDB_SIM_CAMPAIGN_ARGUMENTS_H_

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace flaredb::sim {

// The number that the whole of `text` is, in decimal digits; nullopt when it is none or too large.
template <typename Number = uint64_t>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

// INVALID_ARGUMENT with one sentence for the user: `why` the argument makes no sense.
inline absl::Status Wrong(const std::string& argument, const std::string& why) {
  return absl::InvalidArgumentError(argument + ": " + why + " (--help shows all flags).");
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_ARGUMENTS_H_
