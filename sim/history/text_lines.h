// SPDX-License-Identifier: Apache-2.0
// Text files as lines, and errors that name file and line.
#ifndef FLAREDB_SIM_HISTORY_TEXT_LINES_H_
#define FLAREDB_SIM_HISTORY_TEXT_LINES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace flaredb::sim {

// The whole file. NotFound or Unavailable with one sentence if it can't be read.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

// The lines of `text` without their ends ("\n" or "\r\n"); line n is at n - 1.
std::vector<std::string_view> SplitLines(std::string_view text);

// The words of `line`, split at white space of any kind and length.
std::vector<std::string_view> SplitWords(std::string_view line);

// InvalidArgument "FILE:LINE: MESSAGE", for input that a person has to mend.
absl::Status LineError(std::string_view file, size_t line, std::string_view message);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_TEXT_LINES_H_
