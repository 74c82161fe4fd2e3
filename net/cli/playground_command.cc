// SPDX-License-Identifier: Apache-2.0
#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "core/base/strings.h"
#include "net/cli/commands.h"
#include "net/cli/playground.h"
#include "net/cli/text.h"

namespace flaredb::net {

void AddPlaygroundCommand(CLI::App* app, ExitCode* exit_code) {
  CLI::App* command = app->add_subcommand(
      "playground", "Run three stores in a temporary folder; everything is gone at the end");
  command->callback([exit_code] {
    const absl::Status status = RunPlayground();
    if (!status.ok()) PrintError(FromAbsl(status.message()));
    *exit_code = ExitCodeOf(status);
  });
}

}  // namespace flaredb::net
