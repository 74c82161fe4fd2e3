// SPDX-License-Identifier: Apache-2.0
// A server's settings, which are texts, as what it runs with; and whether it would.
#ifndef FLAREDB_NET_CLI_SERVER_OPTIONS_H_
#define FLAREDB_NET_CLI_SERVER_OPTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "net/config/config_file.h"
#include "net/config/server_config.h"
#include "net/server/limits.h"
#include "net/server/server.h"

namespace flaredb::net {

Limits LimitsOf(const ServerConfig& config);

// Why a server refuses its settings, whatever the machine is like.
struct SettingProblem {
  std::string_view setting;  // The name of one that was given: the place to mend it.
  std::string what;          // One sentence.
};

// Reads each setting into `options` by itself. One that is wrong is left out. The store's number
// may be missing: it is 0 then, and the server asks for it.
std::vector<SettingProblem> JudgeValues(const ServerConfig& config, ServerOptions* options);
// What settings without such problems say together. Asks no name server.
std::vector<SettingProblem> JudgeTogether(const ServerOptions& options);

// Both, for a server. INVALID_ARGUMENT, one sentence that names the place: the first problem.
absl::StatusOr<ServerOptions> ServerOptionsOf(const ServerConfig& config);
// Both, for a file as if it were all that is said: adds what is wrong to its problems.
void Judge(ConfigFile* file);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_SERVER_OPTIONS_H_
