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

// What a configuration knows of one member beside its part in it.
struct Member {
  PeerId id;
  StoreId store;            // Where it lives; zero when the owner of the group has no use for it.
  Incarnation incarnation;  // Zero until a leader has met the member and pinned it.

  friend bool operator==(const Member&, const Member&) = default;
};

// Who decides. A joint configuration (thesis 4.3) has outgoing voters; then both halves must agree.
// Every list is sorted and unique; nobody is a learner and a voter of the incoming half. A voter of
// the outgoing half alone may be a learner: it becomes one when the joint phase ends.
struct ConfState {
  std::vector<PeerId> voters;
  std::vector<PeerId> voters_outgoing;  // Empty unless joint.
  std::vector<PeerId> learners;
  std::vector<Member> members;  // By id; may lack members of which nothing is known.

  bool joint() const { return !voters_outgoing.empty(); }
  bool IsVoter(PeerId id) const;   // In either half.
  bool IsMember(PeerId id) const;  // Voter or learner.
  // Everybody who gets the log: voters of both halves and learners. Ascending.
  std::vector<PeerId> Everybody() const;
  // The member's row; an empty one with that id when there is none.
  Member Find(PeerId id) const;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

// A configuration and the entry from which it is in force.
struct ConfAt {
  Index index;
  ConfState conf;

  friend bool operator==(const ConfAt&, const ConfAt&) = default;
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

// What lies before a log: the position of the last entry that a snapshot or a compaction replaced,
// and the configuration there.
struct LogBase {
  LogId last;
  ConfState conf;

  friend bool operator==(const LogBase&, const LogBase&) = default;
};

// What a replica finds on its disk at start.
struct Recovered {
  Incarnation incarnation;  // Drawn when the replica was created; never zero.
  HardState hard_state;
  ConfState conf;              // In force at `base`.
  LogId base;                  // The entry before the first one of the log: (0,0), or a snapshot.
  std::vector<TermRun> terms;  // Term of each entry after `base`, ascending.
  Index last_index;            // Equals base.index when the log is empty.
  Index applied_index;         // The state machine's durable state covers all up to here.
  std::vector<ConfAt> confs;   // Of the kConf entries after `base`, ascending.
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_TYPES_H_
