// SPDX-License-Identifier: Apache-2.0
// Completion scripts of other people's shells, made from the command tree.
#ifndef FLAREDB_NET_CLI_COMPLETION_H_
#define FLAREDB_NET_CLI_COMPLETION_H_

#include <string>

#include "net/cli/command_tree.h"

namespace flaredb::net {

// Each is a whole script that completes the program `root.name`: commands, options, and the values
// of options that list them; folders and files where a value is DIR or FILE. Names consist of
// letters, digits and hyphens; help texts may hold anything but line feeds.
std::string BashCompletion(const CommandInfo& root);
std::string ZshCompletion(const CommandInfo& root);
std::string FishCompletion(const CommandInfo& root);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_COMPLETION_H_
