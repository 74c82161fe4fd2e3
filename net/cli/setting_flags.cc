// SPDX-License-Identifier: Apache-2.0
#include "net/cli/setting_flags.h"

#include <cstdlib>
#include <optional>

#include "CLI/CLI.hpp"
#include "net/cli/option_checks.h"

namespace flaredb::net {
namespace {

std::optional<std::string> FromEnvironment(const std::string& variable) {
  const char* const value = std::getenv(variable.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void AddSettingFlag(CLI::App* command, const Setting& setting, GivenFlags* given) {
  const std::string name(setting.name);
  std::string help(setting.help);
  if (!setting.default_value.empty()) help += " [" + std::string(setting.default_value) + "]";
  if (setting.kind == SettingKind::kSwitch) {
    command->add_flag_function(
        FlagOf(setting),
        [given, name](int64_t count) { (*given)[name] = count > 0 ? "true" : "false"; }, help);
    return;
  }
  CLI::Option* const option =
      command
          ->add_option_function<std::string>(
              FlagOf(setting), [given, name](const std::string& text) { (*given)[name] = text; },
              help)
          ->check(CLI::Validator(
              [&setting](const std::string& text) {
                const std::string why = WhyNoValue(setting, text);
                return why.empty() ? why : "\"" + text + "\" " + why;
              },
              ""))
          ->type_name(std::string(setting.placeholder));
  // Given several times, a list is one.
  if (setting.kind == SettingKind::kList) {
    option->multi_option_policy(CLI::MultiOptionPolicy::Join)->delimiter(',');
  }
}

}  // namespace

void AddSettingFlags(CLI::App* command, SettingFlags* flags) {
  for (const Setting& setting : ServerSettings()) {
    AddSettingFlag(command, setting, &flags->given);
  }
  command
      ->add_option("--config", flags->config_file,
                   "TOML file with settings; flags and FLAREDB_... variables come first")
      ->check(NotEmpty())
      ->type_name("FILE");
}

absl::StatusOr<ServerConfig> ResolveSettings(const SettingFlags& flags) {
  std::string file = flags.config_file;
  if (const auto named = FromEnvironment("FLAREDB_CONFIG"); file.empty() && named.has_value()) {
    if (named->empty()) {
      return absl::InvalidArgumentError("FLAREDB_CONFIG is empty: name a file, or leave it out");
    }
    file = *named;
  }
  return ServerConfig::Resolve(flags.given, FromEnvironment, file);
}

}  // namespace flaredb::net
