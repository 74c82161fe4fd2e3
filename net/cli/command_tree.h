// SPDX-License-Identifier: Apache-2.0
// The commands of the program as values: what completion scripts, man pages and the shell's
// completion are made from. Read from the CLI11 tree that parses command lines, so that they cannot
// differ from it.
//
// The name of a value tells its kind: "table|json|raw" is a choice, DIR and FILE are paths,
// anything else is for the user to know.
#ifndef FLAREDB_NET_CLI_COMMAND_TREE_H_
#define FLAREDB_NET_CLI_COMMAND_TREE_H_

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace flaredb::net {

struct OptionInfo {
  std::vector<std::string> names;  // "-o", "--output"
  std::string value;               // "SECONDS", "table|json|raw"; empty for a flag.
  std::string help;
  std::string default_value;  // Empty: none that is worth telling.
  std::string environment;    // The variable that sets it; empty: none.
  bool required = false;
};
struct ArgumentInfo {
  std::string name;   // "KEY"
  std::string value;  // As of an option; often empty.
  std::string help;
  bool required = false;
  bool repeated = false;
};
// The choices that the name of a value lists; none for other names.
std::vector<std::string> ChoicesOf(const std::string& value);

struct CommandInfo {
  std::string name;  // The last word only.
  std::string help;
  std::string footer;
  std::vector<OptionInfo> options;
  std::vector<ArgumentInfo> arguments;
  std::vector<CommandInfo> commands;

  const CommandInfo* Find(std::string_view command) const;
};

CommandInfo Describe(const CLI::App& app);

// A command with the words that lead to it: "flaredb kv get".
struct CommandPath {
  std::string words;
  const CommandInfo* command;
};
// `root` and all below it, parents first. Borrowed from `root`.
std::vector<CommandPath> AllCommands(const CommandInfo& root);

// What the last of `words` may become, in the order of the tree: commands; options, if it begins
// with a hyphen; choices of the option before it or of the command's arguments. `words` is what was
// typed after the program's name, and not empty.
std::vector<std::string> Complete(const CommandInfo& root, const std::vector<std::string>& words);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_COMMAND_TREE_H_
