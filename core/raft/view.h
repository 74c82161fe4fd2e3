// SPDX-License-Identifier: Apache-2.0
// A replica's state as metrics and checkers see it.
#ifndef FLAREDB_CORE_RAFT_VIEW_H_
#define FLAREDB_CORE_RAFT_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/effects.h"
#include "core/raft/types.h"

namespace flaredb::raft {

enum class ProgressState : uint8_t { kProbe, kReplicate, kSnapshot };

// What a snapshot for a follower waits for.
enum class SnapshotStep : uint8_t {
  kView,    // Its owner is to say what it covers,
  kRead,    // or to read the next piece.
  kAnswer,  // The follower has been sent a piece.
};

struct ProgressView {
  PeerId peer;
  ProgressState state = ProgressState::kProbe;
  Index match_index;
  Index next_index;
  uint64_t acked_round = 0;      // The latest round of contact that it answered.
  bool recently_active = false;  // As of the last call.
  bool caught_up = false;        // Passed the last round of the catch-up test (thesis 4.2.1).
  size_t inflight_appends = 0;   // Sent and not answered,
  size_t inflight_bytes = 0;     // and their payload.
  // Another append may leave: no probe is out, the window is not full. False in kSnapshot.
  bool may_send = false;
  bool fetching = false;  // Entries for it are being read from the disk.
  // Only in kSnapshot.
  SnapshotId snapshot;
  Index snapshot_end;  // What it covers; zero in kView.
  SnapshotStep snapshot_step = SnapshotStep::kView;
  uint64_t snapshot_piece = 0;  // That is read or sent; from 0.
  Instant snapshot_moved_at;    // By the leader's clock, this transfer moved last.
};

// How much a replica holds for work that is under way. All zero when nothing is.
struct Backlog {
  size_t proposals = 0;       // A leader's own, not yet committed,
  size_t proposal_bytes = 0;  // and their payload.
  size_t gated_messages = 0;  // Wait for the disk.
  size_t reads = 0;           // Asked for and not yet granted; in a leader also those of others.
  size_t fetches = 0;         // Of entries, asked of the disk.
  size_t snapshots = 0;       // Being sent or received.
  // Payload of entries in memory beyond Config::window_bytes_max; of a replica that rests, of all.
  size_t entry_bytes = 0;
};

// A copy; costs as much as it has progress entries.
struct View {
  PeerId id;
  Role role = Role::kFollower;
  Term term;
  PeerId vote;
  PeerId leader;  // Zero when unknown.
  Index commit_index;
  Index handed_out_index;  // The last entry given out by Effects::applies.
  LogId base;              // The entry before the first of the log.
  LogId last_log;
  Index durable_index;    // The log is on this disk up to here.
  IoToken durable_token;  // Last completed persist.
  IoToken issued_token;   // Last emitted persist.
  ConfState conf;         // In force: the latest in the log, committed or not.
  Index conf_index;       // Its entry; the base when it comes from there.
  size_t confs = 1;       // Those that it remembers: the base's, and one for each entry.
  bool resting = false;
  Backlog backlog;
  Instant promised_until;  // By its own clock, it helps nobody against its leader (thesis 4.2.3).
  Instant deadline;        // Raft::next_deadline().
  // Only in a candidate or pre-candidate: who answered, and whether with yes. By peer.
  std::vector<std::pair<PeerId, bool>> votes;
  // Only in a leader.
  std::vector<ProgressView> progress;  // By peer.
  PeerId transferee;                   // Whom leadership is handed to; zero: nobody.
  uint64_t round = 0;                  // The last round of contact that began.
  // When a quorum answers this one, or a later one, the oldest read is proven. Zero: none waits, or
  // it has no index yet.
  uint64_t read_round = 0;
  bool lease_valid = false;  // As of the last call.
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_VIEW_H_
