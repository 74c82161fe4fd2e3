// SPDX-License-Identifier: Apache-2.0
// The settings of a server: one table, from which its flags, environment variables and keys of the
// configuration file are made.
#ifndef FLAREDB_NET_CONFIG_SETTINGS_H_
#define FLAREDB_NET_CONFIG_SETTINGS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace flaredb::net {

enum class SettingKind : uint8_t {
  kText,
  kNumber,  // Whole, from `first` to `last`.
  kList,    // Texts, separated by commas; in the file also an array.
  kSwitch,  // "true" or "false"; as a flag it takes no value.
  kChoice,  // One of the words of `placeholder`, which "|" separates.
};

struct Setting {
  // Such as "store-id": the flag --store-id, the variable FLAREDB_STORE_ID, the key store-id.
  std::string_view name;
  SettingKind kind = SettingKind::kText;
  std::string_view placeholder;    // Of the flag's value, for --help.
  std::string_view default_value;  // "" when there is none.
  std::string_view help;
  uint64_t first = 1;  // The least number, and the greatest.
  uint64_t last = UINT64_MAX;
};

// All of them, in the order of --help and `flaredb config show`.
absl::Span<const Setting> ServerSettings();

std::string FlagOf(const Setting& setting);                 // "--store-id"
std::string EnvironmentVariableOf(const Setting& setting);  // "FLAREDB_STORE_ID"

// Why `text` is no value of the setting, to follow the text itself: "is not a whole number from 1
// up". Empty: it is one.
std::string WhyNoValue(const Setting& setting, std::string_view text);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CONFIG_SETTINGS_H_
