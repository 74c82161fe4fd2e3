// SPDX-License-Identifier: Apache-2.0
// The settings of a server as flags of a command.
#ifndef FLAREDB_NET_CLI_SETTING_FLAGS_H_
#define FLAREDB_NET_CLI_SETTING_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "net/config/server_config.h"

namespace CLI {
class App;
}

namespace flaredb::net {

struct SettingFlags {
  GivenFlags given;
  std::string config_file;  // --config; empty: not given.
};

// Adds a flag for each setting, and --config. `flags` outlives the parse.
void AddSettingFlags(CLI::App* command, SettingFlags* flags);

// Resolves with the environment of this process; FLAREDB_CONFIG stands in for --config.
absl::StatusOr<ServerConfig> ResolveSettings(const SettingFlags& flags);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_SETTING_FLAGS_H_
