// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "net/cli/commands.h"
#include "net/cli/playground.h"
#include "net/cli/playground_shell.h"

namespace flaredb::net {

void AddPlaygroundCommand(CLI::App* app, CommandContext* context) {
  CLI::App* command = app->add_subcommand(
      "playground", "Run three stores in a temporary folder; everything is gone at the end");
  auto no_shell = std::make_shared<bool>(false);
  command->add_flag("--no-shell", *no_shell,
                    "Run until Ctrl-C; otherwise a terminal gets a shell, whose end is the end");
  command->callback([no_shell, context] {
    const bool shell = !*no_shell && PlaygroundShell::HasTerminal();
    const absl::Status status =
        RunPlayground(shell ? PlaygroundUse::kShell : PlaygroundUse::kWait);
    context->exit_code = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace flaredb::net
