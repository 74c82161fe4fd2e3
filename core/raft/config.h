// SPDX-License-Identifier: Apache-2.0
#ifndef FLAREDB_CORE_RAFT_CONFIG_H_
#define FLAREDB_CORE_RAFT_CONFIG_H_

#include <cstddef>
#include <cstdint>

#include "core/base/time.h"

namespace flaredb::raft {

// How one group behaves. The same values belong on every replica, but safety does not depend on it.
struct Config {
  // A follower that hears from no leader for a random time in [election_timeout,
  // 2 * election_timeout) campaigns. For less than election_timeout after hearing from a leader it
  // refuses to help others campaign (thesis 4.2.3).
  Duration election_timeout = Duration::Milliseconds(500);
  // Quiet time after which a leader makes contact. At most election_timeout / 3.
  Duration heartbeat_interval = Duration::Milliseconds(100);

  // Payload bytes of one AppendRequest; a single larger entry still travels, alone.
  size_t append_bytes_max = 1 << 20;
  // Appends and their payload bytes that one follower may leave unanswered.
  uint32_t inflight_appends_max = 256;
  size_t inflight_bytes_max = 16 << 20;
  // Payload bytes of proposals that are not committed; more are refused (kBusy).
  size_t uncommitted_bytes_max = 64 << 20;
  // Payload bytes of recent entries held in memory; older ones are fetched from the disk.
  size_t window_bytes_max = 32 << 20;
  // Payload bytes asked for by one Fetch.
  size_t fetch_bytes_max = 1 << 20;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_CONFIG_H_
