// SPDX-License-Identifier: Apache-2.0
#include "sim/user_files.h"

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
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

bool OpenUserFile(const std::string& flag, const std::string& path, std::ofstream* file) {
  file->open(CallersPath(path));
  if (!*file) std::cerr << flag << "=" << path << ": this file can't be written.\n";
  return static_cast<bool>(*file);
}

}  // namespace flaredb::sim
