// SPDX-License-Identifier: Apache-2.0
#include "net/cli/server_options.h"

#include <cstddef>
#include <string_view>

namespace flaredb::net {
namespace {

struct LimitSetting {
  std::string_view name;
  size_t Limits::*limit;
};

constexpr LimitSetting kLimits[] = {
    {"max-key-bytes", &Limits::key_bytes},
    {"max-value-bytes", &Limits::value_bytes},
    {"max-scan-rows", &Limits::scan_rows},
    {"max-scan-bytes", &Limits::scan_bytes},
    {"max-waiting-calls", &Limits::waiting_calls},
    {"max-waiting-bytes", &Limits::waiting_bytes},
    {"max-uncommitted-bytes", &Limits::uncommitted_bytes},
    {"max-outbox-bytes", &Limits::outbox_bytes},
    {"max-connections", &Limits::connections},
    {"max-connections-per-address", &Limits::connections_per_address},
    {"max-streams", &Limits::streams},
    {"max-held-bytes", &Limits::held_bytes},
};

}  // namespace

Limits LimitsOf(const ServerConfig& config) {
  Limits limits;
  for (const auto& [name, limit] : kLimits) limits.*limit = *config.number(name);
  return limits;
}

}  // namespace flaredb::net
