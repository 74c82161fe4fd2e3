// SPDX-License-Identifier: Apache-2.0
#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "net/cli/commands.h"
#include "net/cli/playground.h"

namespace flaredb::net {

void AddPlaygroundCommand(CLI::App* app, CommandContext* context) {
  CLI::App* command = app->add_subcommand(
      "playground", "Run three stores in a temporary folder; everything is gone at the end");
  command->callback([context] {
    const absl::Status status = RunPlayground();
    context->exit_code = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace flaredb::net
