// SPDX-License-Identifier: Apache-2.0
#include "net/cli/commands.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_join.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

// The chosen command, for "see its --help": the deepest one that was parsed.
std::string CommandName(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (chosen.empty()) return app.get_name();
  const std::string below = CommandName(*chosen.front());
  return app.get_name().empty() ? below : app.get_name() + " " + below;
}

ExitCode FailUsage(const CLI::App& app, std::string what) {
  std::replace(what.begin(), what.end(), '\n', ' ');
  // The library begins its sentences with a capital; option names stay as they are.
  if (what.size() > 1 && std::islower(static_cast<unsigned char>(what[1])) != 0) {
    what[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(what[0])));
  }
  const std::string name = CommandName(app);
  PrintError(what + "; see \"" + name + (name.empty() ? "help" : " --help") + "\"");
  return kExitUsage;
}

}  // namespace

void RequireCommand(const CLI::App& app) {
  if (app.get_subcommands().empty()) throw CLI::RequiredError("a command");
}

ExitCode ParseAndRun(CLI::App* app, std::vector<std::string> words, CommandContext* context) {
  context->exit_code = kExitOk;
  std::reverse(words.begin(), words.end());  // As the library wants them.
  try {
    app->parse(std::move(words));
    RequireCommand(*app);
  } catch (const CLI::Success& e) {  // --help, --version.
    app->exit(e);
  } catch (const CLI::ExtrasError&) {  // Whose own text has the words from behind.
    return FailUsage(*app, "not expected: " + absl::StrJoin(app->remaining(true), " "));
  } catch (const CLI::ParseError& e) {
    return FailUsage(*app, e.what());
  }
  return context->exit_code;
}

void AddClusterCommands(CLI::App* app, CommandContext* context) {
  AddKvCommand(app, context);
  AddRawCommand(app, context);
  AddNsCommand(app, context);
  AddStoreCommand(app, context);
}

}  // namespace flaredb::net
