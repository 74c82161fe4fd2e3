// SPDX-License-Identifier: Apache-2.0
// What replicas of one group tell each other: one struct for each kind.
#ifndef FLAREDB_CORE_RAFT_MESSAGE_H_
#define FLAREDB_CORE_RAFT_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/hash.h"
#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// Asks whether an election for `campaign_term` could succeed; changes nothing at the receiver
// (thesis 9.6). The header carries the sender's real term, so the term rule needs no exception.
struct PreVoteRequest {
  Term campaign_term;
  LogId last_log;
};
struct PreVoteReply {
  Term campaign_term;  // Echoed: an answer to an earlier attempt is recognized and dropped.
  bool granted = false;
};

// RequestVote (thesis 3.4). The campaign term is the header's.
struct VoteRequest {
  LogId last_log;
  // The leader itself asked for this election, so hearing from it is no reason to refuse (thesis
  // 4.2.3). It had given up its lease before it asked.
  bool leadership_transfer = false;
};
struct VoteReply {
  bool granted = false;
};

// AppendEntries (thesis 3.5). Entries follow `prev` without a gap; none makes it a probe or the
// news of a commit.
struct AppendRequest {
  uint64_t session = 0;  // The leader's Progress of this follower; echoed.
  uint64_t round = 0;    // The leader's newest round of contact; echoed. See HeartbeatRequest.
  LogId prev;
  Index commit_index;
  // The news of a commit alone: an accept would tell the leader nothing that the answer to the next
  // heartbeat does not. A refusal is sent all the same.
  bool accept_unanswered = false;
  EntrySlices entries;
};

// Everything up to `match_index` equals the leader's log and is durable at the sender.
struct AppendAccept {
  Index match_index;
  // The sender's, which it forgets in a crash: tells the leader whether it has the news of a
  // commit.
  Index commit_index;
};
// The entry at `prev_index` was absent or had another term. `hint` is the highest index at which
// the logs may still agree, given that the sender's entry there has term `hint.term` (thesis 3.5:
// conflicts are skipped a term at a time).
struct AppendReject {
  Index prev_index;
  LogId hint;
};
struct AppendReply {
  uint64_t session = 0;
  uint64_t round = 0;
  std::variant<AppendAccept, AppendReject> result;
};

// Contact without content. Rounds count up within a term; a reply to round r proves that the
// sender took this leader for the current one after round r began (thesis 6.4). The request says
// nothing about the log: commits travel with AppendRequest, which verifies what it commits.
struct HeartbeatRequest {
  uint64_t session = 0;
  uint64_t round = 0;
  // The last before a rest: nobody lacks anything, and there will be no contact until somebody has
  // something to do. Who has this log and this commit index rests, too, and leaves it to its owner
  // to notice that the leader's store is gone (Raft::Wake). Zero: no rest.
  LogId rest_at;
};
struct HeartbeatReply {
  uint64_t session = 0;
  uint64_t round = 0;
  Index commit_index;  // As in AppendAccept.
};

// Stand for election at once (thesis 3.10), provided that your log holds `last_log`.
struct TimeoutNow {
  LogId last_log;
};

// A replica that does not lead asks for a point at which it may be read (thesis 6.4). `request` is
// unique over all lives of the sender; echoed.
struct ReadRequest {
  uint64_t request = 0;
};
struct ReadReply {
  uint64_t request = 0;
  Index index;  // Zero: no answer can be given; ask again.
};

// Names a transfer of one snapshot; minted by the sender, unique within its term.
using SnapshotId = Ordinal<struct SnapshotTag>;

// A piece of a snapshot. Pieces are numbered from 0 and sent one at a time.
struct SnapshotChunk {
  SnapshotId id;
  LogBase base;  // What the whole snapshot stands for.
  uint64_t number = 0;
  bool last = false;
  // Of this piece and all before it (ChecksumChunk): a piece that was lost, repeated or changed on
  // the way shows.
  uint64_t checksum = 0;
  std::string data;  // The state machine's.
};
using SnapshotChunkRef = std::shared_ptr<const SnapshotChunk>;

// InstallSnapshot (thesis 5.3).
struct SnapshotRequest {
  uint64_t session = 0;
  uint64_t round = 0;
  SnapshotChunkRef chunk;  // Never null.
};
// Which piece the receiver wants next; 0 when it has none, or lost what it had (the sender then
// begins anew, under another id). The last piece is
// answered by an AppendReply, once the snapshot is installed and durable.
struct SnapshotReply {
  uint64_t session = 0;
  uint64_t round = 0;
  SnapshotId id;
  uint64_t next_chunk = 0;
};

struct Body : std::variant<PreVoteRequest, PreVoteReply, VoteRequest, VoteReply, AppendRequest,
                           AppendReply, HeartbeatRequest, HeartbeatReply, TimeoutNow, ReadRequest,
                           ReadReply, SnapshotRequest, SnapshotReply> {
  FLAREDB_DECLARE_VARIANT(Body)
};

struct Message {
  PeerId from;
  PeerId to;
  Term term;  // The sender's current term.
  Incarnation from_incarnation;
  // The life of the receiver that the sender believes in; zero when it has not met it yet. A
  // message for another life is dropped.
  Incarnation to_incarnation;
  Body body;
};

// What tells a message from others of its group. Entries count by term and index, which name their
// content (log matching).
void HashInto(const Message& message, Hasher* hasher);
void HashInto(const EntrySlices& entries, Hasher* hasher);
void HashInto(const LogBase& base, Hasher* hasher);

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_MESSAGE_H_
