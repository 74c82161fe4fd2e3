// SPDX-License-Identifier: Apache-2.0
// A server's settings from all places where they may stand: flag > environment > file > default.
#ifndef FLAREDB_NET_CONFIG_SERVER_CONFIG_H_
#define FLAREDB_NET_CONFIG_SERVER_CONFIG_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/config/config_file.h"
#include "net/config/settings.h"

namespace flaredb::net {

// What the command line says, by the setting's name. Only what was given.
using GivenFlags = std::map<std::string, std::string, std::less<>>;
// The value of an environment variable, or nullopt. An empty one is how container tools pass on
// what their user left out: it counts as not set where a default stands in for it. Where none does
// it is refused: it could found a cluster of one store, or do without TLS.
using Environment = std::function<std::optional<std::string>(const std::string& variable)>;

class ServerConfig {
 public:
  struct Value {
    std::string text;    // Empty: not set anywhere, and there is no default.
    std::string origin;  // "flag", "environment FLAREDB_ADDR", "flaredb.toml:3:1", "default".
  };

  // Errors are one sentence that names the place:
  //   INVALID_ARGUMENT  a value is none; the file has problems, of which the first is told
  //   UNAVAILABLE       the file can't be read
  // `file_path` empty: no file.
  static absl::StatusOr<ServerConfig> Resolve(const GivenFlags& flags,
                                              const Environment& environment,
                                              const std::string& file_path);

  // As if the file were all that is said.
  static ServerConfig OfFile(const ConfigFile& file);

  // `name` is one of ServerSettings.
  const Value& at(std::string_view name) const;
  const std::string& text(std::string_view name) const { return at(name).text; }
  std::optional<uint64_t> number(std::string_view name) const;
  bool on(std::string_view name) const { return text(name) == "true"; }

 private:
  std::map<std::string, Value, std::less<>> values_;  // One for each setting.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CONFIG_SERVER_CONFIG_H_
