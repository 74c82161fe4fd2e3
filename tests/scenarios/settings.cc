// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/settings.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "core/base/time.h"
#include "tests/scenarios/words.h"

namespace flaredb::raft {

bool Configure(const std::string& key, const std::string& value, Config* config) {
  const std::map<std::string, Duration Config::*> durations = {
      {"election_timeout", &Config::election_timeout},
      {"heartbeat_interval", &Config::heartbeat_interval},
      {"disk_stall_timeout", &Config::disk_stall_timeout},
      {"snapshot_stall_timeout", &Config::snapshot_stall_timeout},
      {"snapshot_hold_timeout", &Config::snapshot_hold_timeout},
      {"rest_after", &Config::rest_after}};
  const std::map<std::string, size_t Config::*> sizes = {
      {"append_bytes_max", &Config::append_bytes_max},
      {"inflight_bytes_max", &Config::inflight_bytes_max},
      {"uncommitted_bytes_max", &Config::uncommitted_bytes_max},
      {"window_bytes_max", &Config::window_bytes_max},
      {"fetch_bytes_max", &Config::fetch_bytes_max},
      {"snapshot_chunk_bytes", &Config::snapshot_chunk_bytes},
      {"snapshot_hold_entries_max", &Config::snapshot_hold_entries_max},
      {"compact_retain_entries_max", &Config::compact_retain_entries_max}};
  const std::map<std::string, uint32_t Config::*> counts = {
      {"inflight_appends_max", &Config::inflight_appends_max},
      {"clock_drift_ppm_max", &Config::clock_drift_ppm_max}};
  if (const auto at = durations.find(key); at != durations.end()) {
    const auto duration = Span(value);
    if (!duration || *duration == Duration()) return false;
    config->*at->second = *duration;
    return true;
  }
  const auto number = Number(value);
  if (!number) return false;
  if (const auto at = sizes.find(key); at != sizes.end()) {
    config->*at->second = *number;
    return true;
  }
  if (const auto at = counts.find(key); at != counts.end() && *number <= UINT32_MAX) {
    config->*at->second = static_cast<uint32_t>(*number);
    return true;
  }
  return false;
}

}  // namespace flaredb::raft
