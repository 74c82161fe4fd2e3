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

  // How much faster one store's clock may run than another's, in parts per million. A lease is
  // shorter by it (thesis 6.4.1). Clocks beyond this bound break reads by lease, nothing else.
  uint32_t clock_drift_ppm_max = 10000;

  // A leader whose disk has not finished a write for so long steps down, and does not campaign
  // until it has.
  Duration disk_stall_timeout = Duration::Seconds(5);

  // Data bytes of a snapshot's piece: what is asked of the owner, who may give more.
  size_t snapshot_chunk_bytes = 1 << 20;
  // A snapshot whose receiver has not moved for so long is given up, to be begun anew later.
  Duration snapshot_stall_timeout = Duration::Seconds(10);
  // How long, and for how many entries beyond it, the log behind a snapshot is held for its
  // receiver; past either compaction goes on, and the receiver may need another snapshot.
  Duration snapshot_hold_timeout = Duration::Seconds(600);
  uint64_t snapshot_hold_entries_max = 1 << 20;
  // Entries that compaction leaves for a follower that is behind but in contact.
  uint64_t compact_retain_entries_max = 10000;

  // A leader that nobody wants anything from, and whose followers lack nothing, rests after so
  // long: no heartbeats, no deadlines, in the whole group. Only for owners who watch the stores of
  // the leaders themselves and call Raft::Wake. Max: never.
  Duration rest_after = Duration::Max();
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_CONFIG_H_
