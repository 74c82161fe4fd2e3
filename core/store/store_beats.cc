// SPDX-License-Identifier: Apache-2.0
#include "core/store/store_beats.h"

#include <utility>

namespace flaredb::store {

// Whoever beats already goes on in step.
void StoreBeats::Arm(Instant now) {
  if (next_beat_ == Instant::Max()) next_beat_ = now;
}

std::vector<StoreId> StoreBeats::Beat(Instant now, const std::set<StoreId>& watched) {
  std::erase_if(watched_, [&](const auto& row) { return !watched.contains(row.first); });
  std::vector<StoreId> silent;
  for (const StoreId store : watched) {
    auto [row, is_new] = watched_.try_emplace(store);
    if (is_new) row->second.heard = now;
    if (now - row->second.heard < config_.election_timeout) continue;
    row->second.heard = now;
    silent.push_back(store);
  }
  next_beat_ = watched.empty() ? Instant::Max() : now + config_.heartbeat_interval;
  return silent;
}

bool StoreBeats::OnBeat(Instant now, StoreId store, uint64_t life) {
  const auto row = watched_.find(store);
  // When it is watched one day, what was heard so long before would pass for silence.
  if (row == watched_.end()) return false;
  row->second.heard = now;
  const uint64_t before = std::exchange(row->second.life, life);
  return before != 0 && before != life;
}

}  // namespace flaredb::store
