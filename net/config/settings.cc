// SPDX-License-Identifier: Apache-2.0
#include "net/config/settings.h"

#include <array>
#include <cctype>
#include <charconv>
#include <system_error>

namespace flaredb::net {
namespace {

constexpr std::array kSettings = {
    Setting{"store-id", SettingKind::kNumber, "N", "", "Number of this store, from 1 up"},
    Setting{"addr", SettingKind::kText, "HOST:PORT", "127.0.0.1:50051",
            "Where to listen, for clients and other stores"},
    Setting{"data-dir", SettingKind::kText, "DIR", "",
            "Where the data is [./flaredb-data/store-N]; created when missing"},
    Setting{
        "peer", SettingKind::kList, "ID=HOST:PORT,...", "",
        "Stores of the cluster that this one is to join at its first start, which founds a cluster "
        "without it; later, where else to look for them; may be given several times"},
    Setting{"cluster-id", SettingKind::kNumber, "N", "",
            "Number of the cluster, of which the store is or is to be; a founder chooses one by "
            "default"},
    Setting{
        "namespace-mode", SettingKind::kList, "NAME=MODE,...", "",
        "Namespaces to create in a mode, strong or eventual, if they do not exist; may be given "
        "several times"},
    Setting{"admin-addr", SettingKind::kText, "HOST:PORT", "",
            "Where to serve /metrics, /livez and /readyz by HTTP; by default nowhere"},
    Setting{"tls-ca", SettingKind::kText, "FILE", "",
            "Speak TLS with clients and stores whose certificates this signed"},
    Setting{"tls-cert", SettingKind::kText, "FILE", "", "Certificate of this store"},
    Setting{"tls-key", SettingKind::kText, "FILE", "", "Key of that certificate"},
    Setting{"tls-clients", SettingKind::kChoice, "required|optional", "required",
            "Whether clients must show a certificate; stores always must"},
    Setting{"tokens", SettingKind::kText, "FILE", "",
            "Let clients do only what their tokens may; needs TLS. SIGHUP reads the file again"},
    Setting{"insecure", SettingKind::kSwitch, "", "false",
            "Listen without TLS where other machines reach this one"},
    Setting{"reflection-view", SettingKind::kChoice, "text|canonical", "text",
            "How gRPC reflection shows keys and values: text lets clients write them in JSON as "
            "they are, canonical as base64"},
    Setting{"log-format", SettingKind::kChoice, "auto|human|json", "auto",
            "Lines for people or JSON; auto: for people on a terminal"},
    Setting{"log-level", SettingKind::kChoice, "debug|info|warn|error", "info",
            "Leave out what is less important"},
    Setting{"log-keys", SettingKind::kChoice, "hidden|plain", "hidden",
            "Whether the log shows keys, or only their size"},
};

bool IsChoice(std::string_view choices, std::string_view word) {
  while (true) {
    const size_t bar = choices.find('|');
    if (choices.substr(0, bar) == word) return true;
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

}  // namespace

absl::Span<const Setting> ServerSettings() { return kSettings; }

std::string FlagOf(const Setting& setting) { return "--" + std::string(setting.name); }

std::string EnvironmentVariableOf(const Setting& setting) {
  std::string variable = "FLAREDB_";
  for (const char c : setting.name) {
    variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

std::string WhyNoValue(const Setting& setting, std::string_view text) {
  // What a shell makes of a variable that is not set. Taken for "not given" it could found a
  // cluster.
  if (text.empty()) return "is empty: give a value, or leave it out";
  switch (setting.kind) {
    case SettingKind::kText:
    case SettingKind::kList:
      return "";
    case SettingKind::kNumber: {
      uint64_t number = 0;
      const char* const end = text.data() + text.size();
      const auto [parsed, error] = std::from_chars(text.data(), end, number);
      const bool good = error == std::errc() && parsed == end && number > 0;
      return good ? "" : "is not a whole number from 1 up";
    }
    case SettingKind::kSwitch:
      return text == "true" || text == "false" ? "" : "is neither true nor false";
    case SettingKind::kChoice:
      if (IsChoice(setting.placeholder, text)) return "";
      return "is none of " + std::string(setting.placeholder);
  }
  return "";
}

}  // namespace flaredb::net
