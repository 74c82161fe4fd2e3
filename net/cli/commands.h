// SPDX-License-Identifier: Apache-2.0
// The subcommands of the program. Each function adds one to `app`; if it is chosen, parsing runs it
// and sets the exit code. Arguments outlive the parse.
#ifndef FLAREDB_NET_CLI_COMMANDS_H_
#define FLAREDB_NET_CLI_COMMANDS_H_

#include <string>
#include <vector>

#include "net/cli/command_context.h"
#include "net/cli/exit_code.h"
#include "net/server/disk.h"

namespace CLI {
class App;
}

namespace flaredb::net {

inline constexpr char kVersion[] = "flaredb 0.1.0";

// Throws a CLI::ParseError unless a command of `app` was chosen. CLI11's own check comes before
// that for unknown words, and so would hide them.
void RequireCommand(const CLI::App& app);

// Parses `words`, the command line without the program's name, and so runs what it says. Errors of
// usage are told as one sentence.
ExitCode ParseAndRun(CLI::App* app, std::vector<std::string> words, CommandContext* context);

// Every group of commands that talks to a cluster, for the program and for its shell.
void AddClusterCommands(CLI::App* app, CommandContext* context);
// flaredb kv, flaredb raw: read and write keys of strong and of eventual namespaces.
void AddKvCommand(CLI::App* app, CommandContext* context);
void AddRawCommand(CLI::App* app, CommandContext* context);
// flaredb ns: namespaces and their modes.
void AddNsCommand(CLI::App* app, CommandContext* context);
// flaredb store: who belongs to the cluster.
void AddStoreCommand(CLI::App* app, CommandContext* context);

// flaredb server: one store in this process.
void AddServerCommand(CLI::App* app, const OpenDisk& open_disk, CommandContext* context);
// flaredb config: checks and shows a server's settings.
void AddConfigCommand(CLI::App* app, CommandContext* context);
// flaredb cert: makes certificates for mutual TLS.
void AddCertCommand(CLI::App* app, CommandContext* context);
// flaredb token: makes tokens for clients.
void AddTokenCommand(CLI::App* app, CommandContext* context);
// flaredb playground: a throw-away cluster of three stores.
void AddPlaygroundCommand(CLI::App* app, CommandContext* context);
// flaredb shell: commands of a cluster, line by line.
void AddShellCommand(CLI::App* app, CommandContext* context);
// flaredb completion and flaredb man: texts made from the tree of `app`, the program's root.
void AddDocumentCommands(CLI::App* app, CommandContext* context);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_COMMANDS_H_
