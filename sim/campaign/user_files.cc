// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/user_files.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace flaredb::sim {

std::string CallersPath(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr) return path;
  return std::filesystem::path(folder) / path;
}

std::optional<std::string> ReadUserFile(const std::string& path) {
  std::ifstream file(CallersPath(path));
  // A folder can be opened, too.
  if (!file || std::filesystem::is_directory(CallersPath(path))) return std::nullopt;
  // To copy nothing counts as a failure of the copy.
  if (file.peek() == std::ifstream::traits_type::eof()) return std::string();
  std::stringstream text;
  if (!(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

bool CanBeWritten(const std::string& path) {
  const std::filesystem::path file = CallersPath(path);
  if (access(file.c_str(), F_OK) == 0) return access(file.c_str(), W_OK) == 0;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  return access(folder.c_str(), W_OK | X_OK) == 0;
}

bool OpenUserFile(const std::string& flag, const std::string& path, std::ofstream* file) {
  file->open(CallersPath(path));
  if (!*file) std::cerr << flag << "=" << path << ": this file can't be written.\n";
  return static_cast<bool>(*file);
}

}  // namespace flaredb::sim
