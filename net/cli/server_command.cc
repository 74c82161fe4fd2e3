// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "net/cli/command_context.h"
#include "net/cli/commands.h"
#include "net/cli/server_options.h"
#include "net/cli/setting_flags.h"
#include "net/server/log.h"
#include "net/server/server.h"

namespace flaredb::net {
namespace {

LogOptions LogOptionsOf(const ServerConfig& config) {
  LogOptions options;
  const std::string& format = config.text("log-format");
  options.format = format == "human"  ? LogFormat::kHuman
                   : format == "json" ? LogFormat::kJson
                                      : LogFormat::kAuto;
  const std::string& level = config.text("log-level");
  options.least = level == "debug"   ? LogLevel::kDebug
                  : level == "warn"  ? LogLevel::kWarn
                  : level == "error" ? LogLevel::kError
                                     : LogLevel::kInfo;
  options.plain_keys = config.text("log-keys") == "plain";
  return options;
}

absl::Status Serve(const SettingFlags& flags, const OpenDisk& open_disk) {
  const absl::StatusOr<ServerConfig> config = ResolveSettings(flags);
  if (!config.ok()) return config.status();
  if (!config->number("store-id").has_value()) {
    return absl::InvalidArgumentError(
        "the store has no number: give --store-id, or set it in FLAREDB_STORE_ID or the file of "
        "--config; see \"flaredb server --help\"");
  }
  const absl::StatusOr<ServerOptions> options = ServerOptionsOf(*config);
  if (!options.ok()) return options.status();
  SetLogOptions(LogOptionsOf(*config));
  return RunServer(*options, open_disk);
}

}  // namespace

void AddServerCommand(CLI::App* app, const OpenDisk& open_disk, CommandContext* context) {
  CLI::App* command = app->add_subcommand("server", "Run one store until Ctrl-C");
  auto flags = std::make_shared<SettingFlags>();
  AddSettingFlags(command, flags.get());
  command->callback([flags, &open_disk, context] {
    const absl::Status status = Serve(*flags, open_disk);
    context->exit_code = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace flaredb::net
