// SPDX-License-Identifier: Apache-2.0
// The subcommands of the program. Each function adds one to `app`; if it is chosen, parsing runs it
// and sets `exit_code`. Arguments outlive the parse.
#ifndef FLAREDB_NET_CLI_COMMANDS_H_
#define FLAREDB_NET_CLI_COMMANDS_H_

#include "net/cli/exit_code.h"
#include "net/server/disk.h"

namespace CLI {
class App;
}

namespace flaredb::net {

// Throws a CLI::ParseError unless a command of `app` was chosen. CLI11's own check comes before
// that for unknown words, and so would hide them.
void RequireCommand(const CLI::App& app);

// flaredb server: one store in this process.
void AddServerCommand(CLI::App* app, const OpenDisk& open_disk, ExitCode* exit_code);
// flaredb kv: reads and writes keys.
void AddKvCommand(CLI::App* app, ExitCode* exit_code);
// flaredb config: checks and shows a server's settings.
void AddConfigCommand(CLI::App* app, ExitCode* exit_code);
// flaredb cert: makes certificates for mutual TLS.
void AddCertCommand(CLI::App* app, ExitCode* exit_code);
// flaredb playground: a throw-away cluster of three stores.
void AddPlaygroundCommand(CLI::App* app, ExitCode* exit_code);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_COMMANDS_H_
