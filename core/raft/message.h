// SPDX-License-Identifier: Apache-2.0
// What replicas of one group tell each other: one struct for each kind.
#ifndef FLAREDB_CORE_RAFT_MESSAGE_H_
#define FLAREDB_CORE_RAFT_MESSAGE_H_

#include <cstdint>
#include <variant>

#include "core/base/types.h"
#include "core/raft/entry.h"
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
};
struct HeartbeatReply {
  uint64_t session = 0;
  uint64_t round = 0;
  Index commit_index;  // As in AppendAccept.
};

using Body = std::variant<PreVoteRequest, PreVoteReply, VoteRequest, VoteReply, AppendRequest,
                          AppendReply, HeartbeatRequest, HeartbeatReply>;

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

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_MESSAGE_H_
