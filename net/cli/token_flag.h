// SPDX-License-Identifier: Apache-2.0
// How a command says who asks, where stores want a token.
#ifndef FLAREDB_NET_CLI_TOKEN_FLAG_H_
#define FLAREDB_NET_CLI_TOKEN_FLAG_H_

#include <string>

#include "absl/status/statusor.h"

namespace CLI {
class App;
}

namespace flaredb::net {

// Adds --token-file, which, `with_environment`, FLAREDB_TOKEN_FILE stands in for. The token itself
// is no argument: other users of a machine see command lines. `path` outlives the parse.
void AddTokenFlag(CLI::App* command, bool with_environment, std::string* path);

// What the file holds, without the end of its line; "" without a file. INVALID_ARGUMENT, one
// sentence: it can't be read or is empty, or the variable is set and empty.
absl::StatusOr<std::string> ClientToken(const std::string& path);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_TOKEN_FLAG_H_
