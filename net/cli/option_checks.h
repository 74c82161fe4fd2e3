// SPDX-License-Identifier: Apache-2.0
// Checks of values on the command line.
#ifndef FLAREDB_NET_CLI_OPTION_CHECKS_H_
#define FLAREDB_NET_CLI_OPTION_CHECKS_H_

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace flaredb::net {

// The library's own checks speak of "Value" and of braces; and it wraps "-1" around.

// Accepts decimal numbers from `first` to `last`.
inline CLI::Validator NumberFrom(uint64_t first,
                                 uint64_t last = std::numeric_limits<uint64_t>::max()) {
  return CLI::Validator(
      [first, last](const std::string& text) {
        uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [parsed, error] = std::from_chars(text.data(), end, number);
        const bool fits = error == std::errc();
        if (parsed == end && (error == std::errc::result_out_of_range || number > last)) {
          return "\"" + text + "\" is too large: at most " + std::to_string(last);
        }
        if (fits && parsed == end && number >= first) return std::string();
        return "\"" + text + "\" is not a whole number from " + std::to_string(first) + " up";
      },
      "");
}

inline CLI::Validator SecondsFrom(double first, double last) {
  return CLI::Validator(
      [first, last](const std::string& text) {
        double seconds = 0;
        const char* const end = text.data() + text.size();
        const auto [parsed, error] = std::from_chars(text.data(), end, seconds);
        // So that what is no number is outside, too.
        const bool good =
            error == std::errc() && parsed == end && seconds >= first && seconds <= last;
        return good ? std::string()
                    : absl::StrCat("\"", text, "\" is not a time from ", first, " to ", last,
                                   " seconds");
      },
      "");
}

inline CLI::Validator OneOf(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](const std::string& text) {
        if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
        return "\"" + text + "\" is none of " + absl::StrJoin(words, ", ");
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

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_OPTION_CHECKS_H_
