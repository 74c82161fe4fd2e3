// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "net/cli/command_context.h"
#include "net/cli/command_tree.h"
#include "net/cli/commands.h"
#include "net/cli/completion.h"
#include "net/cli/man_page.h"
#include "net/cli/option_checks.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

struct ManArguments {
  std::vector<std::string> command;
  std::string dir;
};

ExitCode PrintCompletion(const CommandInfo& root, std::string_view shell) {
  Print(shell == "bash"  ? BashCompletion(root)
        : shell == "zsh" ? ZshCompletion(root)
                         : FishCompletion(root));
  return kExitOk;
}

ExitCode WriteAllPages(const CommandInfo& root, const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  for (const CommandPath& path : AllCommands(root)) {
    const std::string name = dir + "/" + ManPageName(path) + ".1";
    std::ofstream file(name, std::ios::binary);
    file << ManPage(path, kVersion);
    file.close();
    if (!file) {
      PrintError("cannot write " + name + ": " + std::strerror(errno));
      return kExitUnavailable;
    }
  }
  return kExitOk;
}

ExitCode PrintPage(const CommandInfo& root, const std::vector<std::string>& command) {
  std::string words = root.name;
  for (const std::string& word : command) words += " " + word;
  for (const CommandPath& path : AllCommands(root)) {
    if (path.words != words) continue;
    Print(ManPage(path, kVersion));
    return kExitOk;
  }
  throw CLI::ValidationError("COMMAND", "\"" + words + "\" is no command of this program");
}

}  // namespace

void AddDocumentCommands(CLI::App* app, CommandContext* context) {
  CLI::App* completion =
      app->add_subcommand("completion", "Print a script that completes commands in a shell");
  auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(OneOf({"bash", "zsh", "fish"}))
      ->type_name("bash|zsh|fish");
  completion->callback(
      [app, context, shell] { context->exit_code = PrintCompletion(Describe(*app), *shell); });

  CLI::App* man = app->add_subcommand("man", "Print the manual page of a command, for man -l -");
  auto arguments = std::make_shared<ManArguments>();
  CLI::Option* command =
      man->add_option("COMMAND", arguments->command, "Words of the command, such as kv get")
          ->type_name("");
  man->add_option("--dir", arguments->dir,
                  "Write the pages of all commands to files in this folder")
      ->excludes(command)
      ->type_name("DIR");
  man->callback([app, context, arguments] {
    const CommandInfo root = Describe(*app);
    context->exit_code = arguments->dir.empty() ? PrintPage(root, arguments->command)
                                                : WriteAllPages(root, arguments->dir);
  });
}

}  // namespace flaredb::net
