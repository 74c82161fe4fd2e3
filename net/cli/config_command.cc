// SPDX-License-Identifier: Apache-2.0
// flaredb config: what a configuration file says, and what a server would make of it.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/server_options.h"
#include "net/cli/setting_flags.h"
#include "net/cli/text.h"

namespace flaredb::net {
namespace {

ExitCode Check(const std::string& path) {
  absl::StatusOr<ConfigFile> file = ReadConfigFile(path);
  if (!file.ok()) return Fail(file.status());
  Judge(&*file);
  for (const FileProblem& problem : file->problems) {
    std::fprintf(stderr, "%s\n", Escape(file->Describe(problem)).c_str());
  }
  if (!file->problems.empty()) return kExitUsage;
  std::printf("%s: %zu settings, no mistakes\n", Escape(path).c_str(), file->values.size());
  return kExitOk;
}

ExitCode Show(const SettingFlags& flags, bool with_origin) {
  const absl::StatusOr<ServerConfig> config = ResolveSettings(flags);
  if (!config.ok()) return Fail(config.status());
  if (const auto options = ServerOptionsOf(*config); !options.ok()) return Fail(options.status());
  size_t name_width = 0;
  size_t text_width = 0;
  for (const Setting& setting : ServerSettings()) {
    name_width = std::max(name_width, setting.name.size());
    text_width = std::max(text_width, Escape(config->text(setting.name)).size());
  }
  for (const Setting& setting : ServerSettings()) {
    const ServerConfig::Value& value = config->at(setting.name);
    std::string line(setting.name);
    line.append(name_width - line.size() + 2, ' ');
    const std::string text = value.text.empty() ? "-" : Escape(value.text);
    line += text;
    if (with_origin) {
      line.append(std::max(text_width, size_t{1}) - text.size() + 2, ' ') += value.origin;
    }
    std::puts(line.c_str());
  }
  return kExitOk;
}

}  // namespace

void AddConfigCommand(CLI::App* app, CommandContext* context) {
  CLI::App* command = app->add_subcommand("config", "Check a server's settings, and show them");
  command->callback([command] { RequireCommand(*command); });

  CLI::App* check = command->add_subcommand(
      "check", "Say what is wrong in a configuration file, each mistake with its place");
  auto path = std::make_shared<std::string>();
  check->add_option("FILE", *path, "A file for --config")->required();
  check->callback([path, context] { context->exit_code = Check(*path); });

  CLI::App* show = command->add_subcommand(
      "show", "Print the settings that \"flaredb server\" with these flags would run with");
  auto flags = std::make_shared<SettingFlags>();
  auto with_origin = std::make_shared<bool>(false);
  show->add_flag("--origin", *with_origin, "Tell where each value comes from");
  AddSettingFlags(show, flags.get());
  show->callback(
      [flags, with_origin, context] { context->exit_code = Show(*flags, *with_origin); });
}

}  // namespace flaredb::net
