// SPDX-License-Identifier: Apache-2.0
// Everything that leaves the core, and the order that its owner must keep.
#ifndef FLAREDB_CORE_RAFT_EFFECTS_H_
#define FLAREDB_CORE_RAFT_EFFECTS_H_

#include <optional>
#include <vector>

#include "core/base/types.h"
#include "core/raft/entry.h"
#include "core/raft/message.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// One atomic change of the durable state, in this order: truncate, append, hard state.
struct Persist {
  IoToken token;
  std::optional<HardState> hard_state;  // Absent: unchanged.
  Index truncate_from;                  // Entries at and after it are deleted; zero: none.
  EntrySlices append;                   // Follow the last remaining entry without a gap.
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
//   applies   are applied in order, each entry once.
struct Effects {
  std::vector<Message> sends;
  std::vector<Persist> persists;
  std::vector<Apply> applies;
  std::vector<ReadOutcome> reads;
  std::vector<Fetch> fetches;
  std::optional<RoleChange> role_change;  // The last one of the call; role, term or leader differ.

  void Clear() {
    sends.clear();
    persists.clear();
    applies.clear();
    reads.clear();
    fetches.clear();
    role_change.reset();
  }
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_EFFECTS_H_
