// SPDX-License-Identifier: Apache-2.0
// Everything that leaves the core, and the order that its owner must keep.
#ifndef FLAREDB_CORE_RAFT_EFFECTS_H_
#define FLAREDB_CORE_RAFT_EFFECTS_H_

#include <memory>
#include <optional>
#include <vector>

#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/message.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// One atomic change of the durable state, in this order: base, truncate, append, hard state.
struct Persist {
  IoToken token;
  std::optional<HardState> hard_state;  // Absent: unchanged.
  // Null: unchanged. Otherwise the log begins after it from now on: entries up to it are deleted;
  // all are if `install` says so.
  std::shared_ptr<const LogBase> base;
  // The staged snapshot (StageSnapshot) becomes the state machine's state, as of base->last, and
  // the log is empty.
  bool install = false;
  Index truncate_from;  // Entries at and after it are deleted; zero: none.
  EntrySlices append;   // Follow the last remaining entry without a gap.
};

// Committed entries, next in order. The same entry is never handed out twice by one Raft object.
struct Apply {
  EntrySlices entries;
};

// The answer to Raft::Read. A granted read may be served once the state machine has applied
// `index`; it then reflects everything that was acknowledged before the call.
struct ReadOutcome {
  ReadId id;
  bool granted = false;  // False: leadership was lost first; nothing is known.
  Index index;           // Zero unless granted.
};

// Wants log entries that left memory: some prefix of [first, last], at least one entry. The answer
// goes to Raft::OnFetched with the same id.
struct Fetch {
  uint64_t id = 0;
  Index first;
  Index last;
  size_t bytes_max = 0;
};

// Snapshots are the state machine's bytes; these are what the core wants done with them.
//
// Take a view of the state machine that does not change any more. Answered by
// Raft::OnSnapshotTaken or OnSnapshotFailed.
struct TakeSnapshot {
  SnapshotId id;
};
// Read piece `number` of a view: 0, then the one after the last that was read.
// Answered by Raft::OnSnapshotRead or OnSnapshotFailed.
struct ReadSnapshot {
  SnapshotId id;
  uint64_t number = 0;
  size_t bytes_max = 0;
};
// The view is not wanted any more. An answer that is still owed may be left out.
struct DropSnapshot {
  SnapshotId id;
};
// A piece of a snapshot that comes in; number 0 throws away what was staged before. Staged pieces
// need not survive a crash before the Persist that installs them.
struct StageSnapshot {
  SnapshotChunkRef chunk;
};
// What is staged will not be installed.
struct UnstageSnapshot {};
struct SnapshotEffect : std::variant<TakeSnapshot, ReadSnapshot, DropSnapshot, StageSnapshot,
                                     UnstageSnapshot> {
  FLAREDB_DECLARE_VARIANT(SnapshotEffect)
};

enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

struct RoleChange {
  Role role = Role::kFollower;
  Term term;
  PeerId leader;  // Zero when unknown.

  friend bool operator==(const RoleChange&, const RoleChange&) = default;
};

// Owned by the caller and reused: Clear keeps the capacity.
//
// Contract:
//   persists  are carried out in order, each atomically; any number may be in flight. When all up
//             to a token are durable, call Raft::OnPersisted with it. A failed persist is never
//             retried: the replica must stop.
//   sends     may leave at once and in any order: whatever promises durability was held back
//             inside the core until its token was durable. A lost message is nothing at all.
//   applies   are applied in order, each entry once; those of one call before its persists, if one
//             of them installs a snapshot.
//   snapshots are carried out in order, before the persists.
struct Effects {
  std::vector<Message> sends;
  std::vector<Persist> persists;
  std::vector<Apply> applies;
  std::vector<ReadOutcome> reads;
  std::vector<Fetch> fetches;
  std::vector<SnapshotEffect> snapshots;
  std::optional<RoleChange> role_change;  // The last one of the call; role, term or leader differ.

  bool empty() const {
    return sends.empty() && persists.empty() && applies.empty() && reads.empty() &&
           fetches.empty() && snapshots.empty() && !role_change;
  }
  void Clear() {
    sends.clear();
    persists.clear();
    applies.clear();
    reads.clear();
    fetches.clear();
    snapshots.clear();
    role_change.reset();
  }
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_EFFECTS_H_
