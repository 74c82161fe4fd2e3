// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "net/cli/command_context.h"
#include "net/cli/command_tree.h"
#include "net/cli/commands.h"
#include "net/cli/line_editor.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

struct ShellArguments {
  ClusterOptions cluster;
  std::string history;
};

std::string DefaultHistory() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.flaredb_history";
}

// Runs lines, each as the program would run its arguments.
class Shell {
 public:
  explicit Shell(const ClusterOptions& cluster) { context_.shell = cluster; }

  // Not 0: what the line asked for was not done.
  ExitCode RunLine(const std::string& line);
  bool ended() const { return ended_; }
  CommandInfo Commands();

 private:
  // The tree keeps what it has parsed, so that each line needs a new one.
  std::unique_ptr<CLI::App> NewTree();
  void CheckCommand(const std::vector<std::string>& words);

  CommandContext context_;
  bool ended_ = false;
};

std::unique_ptr<CLI::App> Shell::NewTree() {
  auto app = std::make_unique<CLI::App>("Commands of the shell; \"help kv get\" explains one");
  app->require_subcommand(0, 1);
  AddClusterCommands(app.get(), &context_);
  CLI::App* help = app->add_subcommand("help", "List the commands, or explain one");
  auto words = std::make_shared<std::vector<std::string>>();
  help->add_option("COMMAND", *words, "Words of the command")->type_name("");
  help->callback([this, words] {
    CheckCommand(*words);
    words->push_back("--help");
    ParseAndRun(NewTree().get(), *words, &context_);
    std::fflush(stdout);
  });
  app->add_subcommand("exit", "Leave the shell; so does the end of input")->callback([this] {
    ended_ = true;
  });
  return app;
}

// With --help the library takes words for granted that are no command.
void Shell::CheckCommand(const std::vector<std::string>& words) {
  const CommandInfo root = Commands();
  const CommandInfo* command = &root;
  for (const std::string& word : words) {
    command = command->Find(word);
    if (command == nullptr) throw CLI::ValidationError("COMMAND", "there is no \"" + word + "\"");
  }
}

CommandInfo Shell::Commands() { return Describe(*NewTree()); }

ExitCode Shell::RunLine(const std::string& line) {
  const size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos || line[first] == '#') return kExitOk;
  std::optional<std::vector<std::string>> words = SplitWords(line.substr(first));
  if (!words.has_value()) {
    PrintError("the line ends within a quote: close it, or put a backslash before the character");
    return kExitUsage;
  }
  return ParseAndRun(NewTree().get(), *std::move(words), &context_);
}

ExitCode RunScript(Shell* shell) {
  uint64_t number = 0;
  for (std::string line; !shell->ended() && std::getline(std::cin, line);) {
    ++number;
    const ExitCode code = shell->RunLine(line);
    if (code == kExitOk) continue;
    std::fprintf(stderr, "flaredb: stopped at line %lu: the lines after it were not run\n", number);
    return code;
  }
  return kExitOk;
}

ExitCode Converse(Shell* shell, const std::string& history) {
  std::setlocale(LC_CTYPE, "");  // For the width of what is typed.
  const CommandInfo commands = shell->Commands();
  LineEditor editor("flaredb> ", history, [&](const std::vector<std::string>& words) {
    return Complete(commands, words);
  });
  std::puts("\"help\" lists the commands; Tab completes them; Ctrl-D or \"exit\" leaves.");
  while (!shell->ended()) {
    const std::optional<std::string> line = editor.Read();
    if (!line.has_value()) {
      std::putchar('\n');
      break;
    }
    shell->RunLine(*line);
  }
  return kExitOk;
}

ExitCode RunShell(const ShellArguments& arguments) {
  Shell shell(arguments.cluster);
  return isatty(STDIN_FILENO) == 1 ? Converse(&shell, arguments.history) : RunScript(&shell);
}

}  // namespace

void AddShellCommand(CLI::App* app, CommandContext* context) {
  CLI::App* command = app->add_subcommand(
      "shell", "Run commands line by line, from a terminal or a pipe, as \"kv get colour\"");
  command->footer(
      "From a pipe or file the shell stops at the first command that fails, with its exit code.\n"
      "Lines that begin with # are comments.");
  auto arguments = std::make_shared<ShellArguments>();
  arguments->history = DefaultHistory();
  AddClusterOptions(command, *context, &arguments->cluster);
  command
      ->add_option("--history", arguments->history,
                   "Where lines typed in a terminal are kept [~/.flaredb_history]; \"\": nowhere")
      ->type_name("FILE");
  command->callback([arguments, context] { context->exit_code = RunShell(*arguments); });
}

}  // namespace flaredb::net
