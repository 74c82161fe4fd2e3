// SPDX-License-Identifier: Apache-2.0
// The configuration file of a server: TOML, a key for each setting, without tables.
#ifndef FLAREDB_NET_CONFIG_CONFIG_FILE_H_
#define FLAREDB_NET_CONFIG_CONFIG_FILE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "net/config/settings.h"

namespace flaredb::net {

// Line and column of a file count from 1; the column is that of the key.
struct FileValue {
  std::string text;  // As the flag would have it.
  uint32_t line = 0;
  uint32_t column = 0;
};

// One sentence: what, and what to write instead.
struct FileProblem {
  std::string what;
  uint32_t line = 0;
  uint32_t column = 0;
};

struct ConfigFile {
  std::string path;
  std::map<std::string, FileValue, std::less<>> values;  // By the setting's name.
  std::vector<FileProblem> problems;                     // In the order of the file.

  // Keeps the order.
  void Add(FileProblem problem);
  // "flaredb.toml:3:1"
  std::string Place(uint32_t line, uint32_t column) const;
  // "flaredb.toml:3:1: unknown key ..."
  std::string Describe(const FileProblem& problem) const;
};

// Reads and checks the file. What is wrong in it becomes `problems`: a syntax error the only one,
// of unknown keys, wrong types and values every one. UNAVAILABLE, one sentence: it can't be read.
absl::StatusOr<ConfigFile> ReadConfigFile(const std::string& path);
// The same for the content of a file.
ConfigFile ParseConfigFile(const std::string& path, std::string_view content);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CONFIG_CONFIG_FILE_H_
