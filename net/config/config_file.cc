// SPDX-License-Identifier: Apache-2.0
#include "net/config/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"

namespace flaredb::net {
namespace {

const Setting* FindSetting(std::string_view name) {
  for (const Setting& setting : ServerSettings()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

// How many letters must be changed, added or taken away (Levenshtein).
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::string Unknown(std::string_view key) {
  std::string what = absl::StrCat("unknown key \"", ToAbsl(key), "\"");
  const Setting* nearest = &ServerSettings().front();
  for (const Setting& setting : ServerSettings()) {
    if (Distance(key, setting.name) < Distance(key, nearest->name)) nearest = &setting;
  }
  // Half of the letters wrong is another word.
  if (Distance(key, nearest->name) * 2 <= nearest->name.size()) {
    absl::StrAppend(&what, ": did you mean \"", ToAbsl(nearest->name), "\"?");
  } else {
    absl::StrAppend(&what, ": the keys are the flags of \"flaredb server --help\" without dashes");
  }
  return what;
}

const char* TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

// What a value of the setting looks like.
std::string Wanted(const Setting& setting) {
  switch (setting.kind) {
    case SettingKind::kNumber:
      return absl::StrCat("a whole number: write ", ToAbsl(setting.name), " = ",
                          setting.default_value.empty() ? "1" : ToAbsl(setting.default_value));
    case SettingKind::kSwitch:
      return absl::StrCat("true or false: write ", ToAbsl(setting.name), " = true");
    case SettingKind::kList:
      return absl::StrCat("strings: write ", ToAbsl(setting.name), " = [\"...\", \"...\"]");
    default:
      return absl::StrCat("a string: write ", ToAbsl(setting.name), " = \"",
                          ToAbsl(setting.placeholder), "\"");
  }
}

std::optional<std::string> JoinStrings(const toml::array& array) {
  std::string text;
  for (const toml::node& item : array) {
    const auto part = item.value_exact<std::string>();
    if (!part.has_value()) return std::nullopt;
    text.append(text.empty() ? "" : ",").append(*part);
  }
  return text;
}

// nullopt: the node has another type than the setting.
std::optional<std::string> TextOf(const Setting& setting, const toml::node& node) {
  if (setting.kind == SettingKind::kNumber) {
    const auto number = node.value_exact<int64_t>();
    return number.has_value() ? std::optional(std::to_string(*number)) : std::nullopt;
  }
  if (setting.kind == SettingKind::kSwitch) {
    const auto on = node.value_exact<bool>();
    return on.has_value() ? std::optional<std::string>(*on ? "true" : "false") : std::nullopt;
  }
  if (setting.kind == SettingKind::kList && node.is_array()) return JoinStrings(*node.as_array());
  return node.value_exact<std::string>();
}

void AddKey(const toml::key& key, const toml::node& node, ConfigFile* file) {
  const toml::source_position at = key.source().begin;
  const auto fail = [&](std::string what) { file->Add({std::move(what), at.line, at.column}); };
  const std::string_view name = key.str();
  const Setting* const setting = FindSetting(name);
  if (setting == nullptr) return fail(Unknown(name));
  const std::optional<std::string> text = TextOf(*setting, node);
  if (!text.has_value()) {
    return fail(absl::StrCat(ToAbsl(name), " is ", TypeName(node), ", not ", Wanted(*setting)));
  }
  if (const std::string why = WhyNoValue(*setting, *text); !why.empty()) {
    return fail(absl::StrCat(ToAbsl(name), " \"", *text, "\" ", why));
  }
  file->values[std::string(name)] = {*text, at.line, at.column};
}

}  // namespace

void ConfigFile::Add(FileProblem problem) {
  const auto next = std::upper_bound(
      problems.begin(), problems.end(), problem, [](const FileProblem& a, const FileProblem& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
      });
  problems.insert(next, std::move(problem));
}

std::string ConfigFile::Place(uint32_t line, uint32_t column) const {
  return absl::StrCat(path, ":", line, ":", column);
}

std::string ConfigFile::Describe(const FileProblem& problem) const {
  return Place(problem.line, problem.column) + ": " + problem.what;
}

ConfigFile ParseConfigFile(const std::string& path, std::string_view content) {
  ConfigFile file{path, {}, {}};
  toml::table table;
  try {
    table = toml::parse(content, path);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    file.Add({std::string(error.description()), at.line, at.column});
    return file;
  }
  for (const auto& [key, node] : table) AddKey(key, node, &file);
  return file;
}

absl::StatusOr<ConfigFile> ReadConfigFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (file) {
    errno = 0;
    content << file.rdbuf();  // Of a folder it is the first read that fails.
  }
  if (errno != 0) {
    return absl::UnavailableError(absl::StrCat("cannot read the configuration file ", path, ": ",
                                               std::strerror(errno),
                                               "; check the path after --config"));
  }
  return ParseConfigFile(path, content.str());
}

}  // namespace flaredb::net
