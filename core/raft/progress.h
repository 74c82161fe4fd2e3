// SPDX-License-Identifier: Apache-2.0
// A leader's view of one follower.
#ifndef FLAREDB_CORE_RAFT_PROGRESS_H_
#define FLAREDB_CORE_RAFT_PROGRESS_H_

#include "core/base/hash.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/inflights.h"
#include "core/raft/view.h"

namespace flaredb::raft {

// Probe: where the logs agree is unknown, so one append at a time. Replicate: known, so appends
// follow each other without waiting. Snapshot: the follower lacks entries that this log no longer
// has; no append until a snapshot brought it further.
// Invariant: match_index < next_index.
class Progress {
 public:
  // A follower of which only the name is known: its log is assumed to equal the leader's, which
  // ends at `last_index`.
  //   incarnation  zero: whoever answers first (see Meet)
  Progress(PeerId id, uint64_t session, Incarnation incarnation, Index last_index, Instant now)
      : last_contact(now),
        id_(id),
        session_(session),
        incarnation_(incarnation),
        next_index_(last_index.next()),
        round_target_(last_index),
        round_began_(now) {}

  PeerId id() const { return id_; }
  uint64_t session() const { return session_; }
  ProgressState state() const { return state_; }
  Index match_index() const { return match_index_; }
  Index next_index() const { return next_index_; }
  const Inflights& inflights() const { return inflights_; }

  // Whether another append may leave now, a probe or one with entries.
  bool MaySend(const Config& config) const;
  // An append with entries up to `last_index` left.
  void OnSent(Index last_index, size_t bytes);

  // The follower has everything up to `match_index`. True when that is news.
  bool OnAccept(Index match_index);
  // The follower refused the append after `prev_index`; the logs may agree up to `agree_index`.
  // False when the refusal answers an older append and says nothing new.
  bool OnReject(Index prev_index, Index agree_index);
  // The follower answered a heartbeat: whatever was on its way may have been lost.
  void OnHeartbeatReply() { probe_sent_ = false; }

  // Only a snapshot helps.
  void BecomeSnapshot();
  // The snapshot ended, well or not: the next answer to a heartbeat or append shows where to go on.
  void LeaveSnapshot();

  // The life of the follower's disk, pinned by the configuration or learned from its first answer.
  // False when `incarnation` is another one: then the answer comes from somebody else.
  bool Meet(Incarnation incarnation);
  Incarnation incarnation() const { return incarnation_; }

  // The catch-up test of thesis 4.2.1. Replication runs in rounds, each up to where the log ended
  // at its begin; passed while the latest round took less than an election timeout. Call at every
  // answer.
  void MeasureRound(Instant now, Index last_index, Duration election_timeout);
  bool caught_up() const { return caught_up_; }

  void ReleaseIfEmpty() { inflights_.ReleaseIfEmpty(); }

  // Highest round of contact (see HeartbeatRequest) that the follower answered.
  uint64_t acked_round = 0;
  // When the follower last answered anything; the start of its being followed before that.
  Instant last_contact;
  // The commit index that the follower said last, and the one that it was told last.
  Index commit_acked;
  Index commit_sent;
  // The Fetch that reads entries for this follower, from next_index on; zero when none is under
  // way. A follower that moves does not wait for it any more.
  uint64_t fetch_id = 0;

  void HashInto(Hasher* hasher) const;

 private:
  void MoveTo(Index next_index);

  PeerId id_;
  uint64_t session_;
  Incarnation incarnation_;
  ProgressState state_ = ProgressState::kProbe;
  bool probe_sent_ = false;
  bool caught_up_ = false;
  Index match_index_;
  Index next_index_;
  Inflights inflights_;
  Index round_target_;
  Instant round_began_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_PROGRESS_H_
