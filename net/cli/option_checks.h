// SPDX-License-Identifier: Apache-2.0
// Checks of values on the command line.
#ifndef FLAREDB_NET_CLI_OPTION_CHECKS_H_
#define FLAREDB_NET_CLI_OPTION_CHECKS_H_

#include <charconv>
#include <cstdint>
#include <string>

#include "CLI/CLI.hpp"

namespace flaredb::net {

// Accepts decimal numbers from `first` up that fit into 64 bits. CLI11 itself wraps "-1" around.
inline CLI::Validator NumberFrom(uint64_t first) {
  return CLI::Validator(
      [first](const std::string& text) {
        uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [parsed, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc() && parsed == end && number >= first) return std::string();
        return "\"" + text + "\" is not a whole number from " + std::to_string(first) + " up";
      },
      "");
}

// Refuses what a shell makes of a variable that is not set. Taken for "not given" it could found a
// cluster, or speak in plain text.
inline CLI::Validator NotEmpty() {
  return CLI::Validator(
      [](const std::string& text) {
        return text.empty() ? std::string("is empty: give a value, or leave it out")
                            : std::string();
      },
      "");
}

// The validator without its description, which the library would add to the name of the value.
inline CLI::Validator Undescribed(CLI::Validator validator) { return validator.description(""); }

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_OPTION_CHECKS_H_
