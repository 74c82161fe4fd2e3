// SPDX-License-Identifier: Apache-2.0
#include "net/config/settings.h"

#include <array>
#include <cctype>
#include <charconv>
#include <system_error>

namespace flaredb::net {
namespace {

constexpr uint64_t kMiB = 1 << 20;
// More than there is: one digit too many is told.
constexpr uint64_t kTiB = kMiB << 20;
// What one call may carry, so that a limit of many calls lets any single one in.
constexpr uint64_t kMessage = 4 * kMiB;

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
    // A message between stores carries 4 MiB: half of it is for a value and its key, the rest for
    // what goes with them, such as the namespaces of a snapshot's first piece. All that a page of a
    // scan may have fits likewise, with 40 bytes beside each row.
    Setting{"max-key-bytes", SettingKind::kNumber, "BYTES", "8192",
            "Longest key; the same on all stores", 1, 64 << 10},
    Setting{"max-value-bytes", SettingKind::kNumber, "BYTES", "1048576",
            "Longest value; the same on all stores", 1, 2 * kMiB},
    Setting{"max-scan-rows", SettingKind::kNumber, "N", "10000", "Rows in a page of a scan", 1,
            20000},
    Setting{"max-scan-bytes", SettingKind::kNumber, "BYTES", "2097152",
            "Keys and values in a page of a scan", 1, 3 * kMiB},
    // Short replies to another store are sent however slowly it reads (net/server/peer_link.cc):
    // those to so many calls must not cost the connection.
    Setting{"max-waiting-calls", SettingKind::kNumber, "N", "20000",
            "Calls that wait for an answer at a time; more are told that the store is busy", 1,
            50000},
    Setting{"max-waiting-bytes", SettingKind::kNumber, "BYTES", "268435456",
            "What the keys and values of these calls may take", kMessage, kTiB},
    Setting{"max-uncommitted-bytes", SettingKind::kNumber, "BYTES", "67108864",
            "Writes to one region that wait for a majority", kMessage, kTiB},
    Setting{"max-outbox-bytes", SettingKind::kNumber, "BYTES", "67108864",
            "Writes to eventual namespaces that this store accepted and has yet to ship", kMessage,
            kTiB},
    // Below these the other stores, or one client with its usual number of calls, would not get in.
    Setting{"max-connections", SettingKind::kNumber, "N", "10000",
            "Connections of clients and other stores at a time", 16, 1000000},
    Setting{"max-connections-per-address", SettingKind::kNumber, "N", "10000",
            "The same from one IP address", 16, 1000000},
    Setting{"max-streams", SettingKind::kNumber, "N", "1024", "Calls of one connection at a time",
            100, 1000000},
    Setting{"max-held-bytes", SettingKind::kNumber, "BYTES", "268435456",
            "What open calls and unread replies of all connections may take; beyond it those that "
            "hold most are closed",
            32 * kMiB, kTiB},
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
      const bool good = error == std::errc() && parsed == end && number >= setting.first &&
                        number <= setting.last;
      if (good) return "";
      const std::string why = "is not a whole number from " + std::to_string(setting.first);
      return setting.last == UINT64_MAX ? why + " up" : why + " to " + std::to_string(setting.last);
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
