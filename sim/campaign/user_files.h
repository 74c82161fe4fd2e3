// SPDX-License-Identifier: Apache-2.0
// The files that flags name.
#ifndef FLAREDB_SIM_CAMPAIGN_USER_FILES_H_
#define FLAREDB_SIM_CAMPAIGN_USER_FILES_H_

#include <fstream>
#include <optional>
#include <string>

namespace flaredb::sim {

// `bazel run` starts programs elsewhere; relative paths are the caller's.
std::string CallersPath(const std::string& path);

// Nullopt if it can't be read.
std::optional<std::string> ReadUserFile(const std::string& path);

// Whether there is, or can be, such a file; as far as one can tell without writing it.
bool CanBeWritten(const std::string& path);

// False, and the user is told, if the file that `flag` names can't be written.
bool OpenUserFile(const std::string& flag, const std::string& path, std::ofstream* file);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_USER_FILES_H_
