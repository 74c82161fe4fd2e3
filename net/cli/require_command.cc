// SPDX-License-Identifier: Apache-2.0
#include "CLI/CLI.hpp"
#include "net/cli/commands.h"

namespace flaredb::net {

void RequireCommand(const CLI::App& app) {
  if (app.get_subcommands().empty()) throw CLI::RequiredError("a command");
}

}  // namespace flaredb::net
