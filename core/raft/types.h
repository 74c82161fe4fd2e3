// SPDX-License-Identifier: Apache-2.0
// The durable facts of one Raft group.
#ifndef FLAREDB_CORE_RAFT_TYPES_H_
#define FLAREDB_CORE_RAFT_TYPES_H_

#include <compare>
#include <vector>

#include "core/base/types.h"

namespace flaredb::raft {

// What must survive a crash beside the log (thesis figure 3.1). The commit index is not here: it
// is learned again from the leader, and a persisted copy could only run ahead of the log.
struct HardState {
  Term term;
  PeerId vote;  // Candidate that got this replica's vote in `term`; zero when none did.

  friend bool operator==(const HardState&, const HardState&) = default;
};

// Who decides. A joint configuration (thesis 4.3) has outgoing voters; then both halves must agree.
// Every list is sorted and unique; nobody is a learner and a voter of the same half.
struct ConfState {
  std::vector<PeerId> voters;
  std::vector<PeerId> voters_outgoing;  // Empty unless joint.
  std::vector<PeerId> learners;

  bool joint() const { return !voters_outgoing.empty(); }
  bool IsVoter(PeerId id) const;   // In either half.
  bool IsMember(PeerId id) const;  // Voter or learner.

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

// The position of an entry: who wrote it and where. Ordered by term, then index: the "more up to
// date" relation of thesis 3.6.1.
struct LogId {
  Term term;
  Index index;

  friend auto operator<=>(const LogId&, const LogId&) = default;
};

// From `first` on, entries have this term, until the next run or the end of the log.
struct TermRun {
  Index first;
  Term term;

  friend bool operator==(const TermRun&, const TermRun&) = default;
};

// What a replica finds on its disk at start.
struct Recovered {
  Incarnation incarnation;  // Drawn when the replica was created; never zero.
  HardState hard_state;
  ConfState conf;
  LogId base;                  // The entry before the first one of the log: (0,0), or a snapshot.
  std::vector<TermRun> terms;  // Term of each entry after `base`, ascending.
  Index last_index;            // Equals base.index when the log is empty.
  Index applied_index;         // The state machine's durable state covers all up to here.
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_TYPES_H_
