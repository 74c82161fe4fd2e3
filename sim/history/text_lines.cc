// SPDX-License-Identifier: Apache-2.0
#include "sim/history/text_lines.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "core/base/strings.h"

namespace flaredb::sim {

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(ToAbsl(path + " is a folder: name a file in it"));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::NotFoundError(ToAbsl("cannot open " + path + " (" + std::strerror(errno) +
                                      "): check the path, relative ones start at your folder"));
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return absl::UnavailableError(ToAbsl("cannot read " + path + ": try again"));
  return text.str();
}

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<std::string_view> SplitWords(std::string_view line) {
  constexpr std::string_view kWhite = " \t\r\v\f";
  std::vector<std::string_view> words;
  for (size_t at = line.find_first_not_of(kWhite); at != std::string_view::npos;) {
    const size_t end = line.find_first_of(kWhite, at);
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kWhite, end);
  }
  return words;
}

absl::Status LineError(std::string_view file, size_t line, std::string_view message) {
  std::ostringstream text;
  text << file << ":" << line << ": " << message;
  return absl::InvalidArgumentError(ToAbsl(text.str()));
}

}  // namespace flaredb::sim
