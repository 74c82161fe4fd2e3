// SPDX-License-Identifier: Apache-2.0
#include "net/config/server_config.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

absl::Status NoValue(const std::string& place, std::string_view text, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(place, " \"", ToAbsl(text), "\" ", why));
}

}  // namespace

absl::StatusOr<ServerConfig> ServerConfig::Resolve(const GivenFlags& flags,
                                                   const Environment& environment,
                                                   const std::string& file_path) {
  ConfigFile file;
  if (!file_path.empty()) {
    absl::StatusOr<ConfigFile> read = ReadConfigFile(file_path);
    if (!read.ok()) return read.status();
    file = *std::move(read);
    if (!file.problems.empty()) {
      return absl::InvalidArgumentError(file.Describe(file.problems.front()));
    }
  }
  // What stands in the file was checked when it was read.
  ServerConfig config = OfFile(file);
  for (const Setting& setting : ServerSettings()) {
    Value& value = config.values_.find(setting.name)->second;
    std::string place;
    const std::string variable = EnvironmentVariableOf(setting);
    const std::optional<std::string> from_environment = environment(variable);
    if (const auto flag = flags.find(setting.name); flag != flags.end()) {
      value = {flag->second, "flag"};
      place = FlagOf(setting);
    } else if (from_environment.has_value() &&
               !(from_environment->empty() && !setting.default_value.empty())) {
      value = {*from_environment, "environment " + variable};
      place = variable;
    } else {
      continue;
    }
    if (const std::string why = WhyNoValue(setting, value.text); !why.empty()) {
      return NoValue(place, value.text, why);
    }
  }
  return config;
}

ServerConfig ServerConfig::OfFile(const ConfigFile& file) {
  ServerConfig config;
  for (const Setting& setting : ServerSettings()) {
    Value value{std::string(setting.default_value), "default"};
    if (const auto key = file.values.find(setting.name); key != file.values.end()) {
      value = {key->second.text, file.Place(key->second.line, key->second.column)};
    }
    config.values_.emplace(setting.name, std::move(value));
  }
  return config;
}

const ServerConfig::Value& ServerConfig::at(std::string_view name) const {
  const auto it = values_.find(name);
  INVARIANT(it != values_.end()) << name;
  return it->second;
}

std::optional<uint64_t> ServerConfig::number(std::string_view name) const {
  const std::string& digits = text(name);
  if (digits.empty()) return std::nullopt;
  return std::stoull(digits);
}

}  // namespace flaredb::net
