// SPDX-License-Identifier: Apache-2.0
// One replica of one Raft group: events in, effects out.
//
// The object owns no clock, disk, socket, thread or randomness. Every call carries the time, and
// what has to happen is added to the caller's Effects; nothing else leaves. Calls must not come
// from inside a call.
//
//   raft.h              the interface and the roles
//   raft.cc             the term rule, persists and gates, handing out committed entries
//   raft_election.cc    thesis 3.4, 4.2.3, 9.6
//   raft_replication.cc thesis 3.5, 3.6
//   raft_read.cc        thesis 6.4
//   raft_invariants.cc  what is checked after every call
#ifndef FLAREDB_CORE_RAFT_RAFT_H_
#define FLAREDB_CORE_RAFT_RAFT_H_

#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/log.h"
#include "core/raft/message.h"
#include "core/raft/progress.h"
#include "core/raft/quorum.h"
#include "core/raft/read_queue.h"
#include "core/raft/types.h"
#include "core/raft/view.h"

namespace flaredb::raft {

// Where a proposal went. It is committed when Effects::applies brings `last_index` with `term`, and
// certainly not when that index comes with another term.
struct Proposed {
  Term term;
  Index first_index;
  Index last_index;
};
struct NotLeader {
  PeerId leader;  // Zero when unknown.
};
// Too much is uncommitted; nothing was proposed.
struct Busy {};
using ProposeResult = std::variant<Proposed, NotLeader, Busy>;

// The read's id, answered later by Effects::reads (possibly in the same call).
using ReadResult = std::variant<ReadId, NotLeader>;

class Raft {
 public:
  // `id` is this replica; `rng` draws its election timeouts. `now` counts as the last contact with
  // a leader: what an earlier life promised one (thesis 4.2.3) is kept.
  Raft(const Config& config, PeerId id, Recovered recovered, Rng rng, Instant now);

  Raft(const Raft&) = delete;
  Raft& operator=(const Raft&) = delete;

  // --- Events. Time never decreases. Each adds to `effects`; if an invariant breaks inside, what
  // the call added is withdrawn, and from then on every call does nothing (see poison()).

  void OnMessage(Instant now, Message message, Effects* effects);
  // All persists up to and including `token` are durable.
  void OnPersisted(Instant now, IoToken token, Effects* effects);
  // The answer to Effects::fetches. `entries` begin at Fetch::first.
  void OnFetched(Instant now, uint64_t fetch_id, EntrySlices entries, Effects* effects);
  // Call when next_deadline() has come; harmless earlier.
  void OnDeadline(Instant now, Effects* effects);

  // Appends the entries of `block`, which has no position yet and no other owner. O(followers).
  ProposeResult Propose(Instant now, EntryBlockRef block, Effects* effects);
  // Asks for a point at which the state machine can be read with linearizable result.
  ReadResult Read(Instant now, Effects* effects);
  // Starts an election (with PreVote) now instead of at the deadline. Nothing in a leader.
  void Campaign(Instant now, Effects* effects);

  // When OnDeadline is due: Instant::Max() when no time matters to this replica.
  Instant next_deadline() const;

  // --- Observation.

  // Whether the answer to that Fetch still matters. If not, an error in its place does not either:
  // a replica that lost its leadership may have truncated what it had asked for.
  bool Wants(uint64_t fetch_id) const;
  bool is_leader() const { return std::holds_alternative<Leader>(role_); }
  Term term() const { return hard_state_.term; }
  // Empty, or the broken invariant that silenced this replica.
  const std::string& poison() const { return poison_; }
  View view() const;
  // Equal states have equal hashes, in every process. O(state).
  uint64_t state_hash() const;

 private:
  struct Follower {
    PeerId leader;  // Zero when unknown.
  };
  // Asks whether an election in the next term could be won.
  struct PreCandidate {
    std::vector<std::pair<PeerId, Ballot>> votes;  // By id, of those who answered.
  };
  struct Candidate {
    std::vector<std::pair<PeerId, Ballot>> votes;  // The own one comes when it is durable.
    IoToken own_vote;                              // Covers the own vote.
  };
  struct Leader {
    std::vector<Progress> followers;  // By id; without this replica.
    uint64_t round = 0;               // Last round of contact that began.
    Instant heartbeat_due;
    ReadQueue reads;
    // Own proposals that are not committed: where each ends, and its payload bytes.
    std::deque<std::pair<Index, size_t>> uncommitted;
    size_t uncommitted_bytes = 0;
  };

  // A message that promises something not yet durable.
  struct Gated {
    IoToken gate;
    Message message;
  };

  // raft.cc
  void Guarded(Instant now, Effects* effects, absl::FunctionRef<void()> body);
  void Receive(Message message);
  bool ObserveTerm(const Message& message);
  void AnswerStale(const Message& message);
  void Send(PeerId to, Body body, IoToken gate, Incarnation to_incarnation = Incarnation());
  IoToken LastToken() const;
  void SetHardState(HardState hard_state);
  void AppendToLog(EntrySlice entries);
  void TruncateLog(Index from);
  void IssuePersist();
  void CommitTo(Index index);
  void HandOutCommitted();
  void NoteRoleChange();
  Role role() const;
  PeerId leader_id() const;

  // raft_election.cc
  void BecomeFollower(Term term, PeerId leader);
  void BecomePreCandidate();
  void BecomeCandidate();
  void BecomeLeader();
  void HearFromLeader(PeerId leader);
  void ResetElectionDeadline();
  bool LeaderIsFresh() const;
  bool IsUpToDate(LogId last_log) const;
  void Record(std::vector<std::pair<PeerId, Ballot>>* votes, PeerId from, bool granted);
  VoteState Tally(const std::vector<std::pair<PeerId, Ballot>>& votes) const;
  void On(const Message& message, const PreVoteRequest& request);
  void On(const Message& message, const PreVoteReply& reply);
  void On(const Message& message, const VoteRequest& request);
  void On(const Message& message, const VoteReply& reply);
  void CountElection();

  // raft_replication.cc
  void On(const Message& message, const AppendRequest& request);
  void On(const Message& message, const AppendReply& reply);
  void On(const Message& message, const HeartbeatRequest& request);
  void On(const Message& message, const HeartbeatReply& reply);
  Index AppendVerified(const AppendRequest& request);
  Progress* Answering(const Message& message, uint64_t session, uint64_t round);
  void Replicate(Progress* follower);
  void SendAppend(Progress* follower, EntrySlices entries);
  void ReplicateToAll();
  void MaybeCommit();
  void Heartbeat();
  bool HearsQuorum() const;

  // raft_read.cc
  void BeginRound();
  void ConfirmReads();

  // raft_invariants.cc
  struct Before {
    HardState hard_state;
    Role role;
    Index commit_index;
    Index handed_out_index;
    IoToken durable_token;
  };
  Before Snapshot() const;
  void CheckState() const;
  void CheckTransition(const Before& before) const;

  const Config config_;
  const PeerId id_;
  const Incarnation incarnation_;
  const ConfState conf_;
  Rng rng_;
  std::string poison_;

  HardState hard_state_;
  Log log_;
  std::variant<Follower, PreCandidate, Candidate, Leader> role_;
  Instant election_due_;        // When a non-leader campaigns.
  Instant leader_fresh_until_;  // Until then this replica helps nobody to campaign.

  // Last committed entry given to the caller, and the Fetch for the next ones (zero: none).
  Index handed_out_index_;
  uint64_t apply_fetch_id_ = 0;
  uint64_t last_fetch_id_ = 0;
  ReadId last_read_id_;
  uint64_t last_session_ = 0;

  // What this call changes durably; becomes one Persist at its end.
  Persist pending_;
  bool pending_any_ = false;
  IoToken issued_token_;
  IoToken durable_token_;
  IoToken hard_state_token_;  // Covers the current hard state.
  std::vector<Gated> gated_;  // In the order of sending.

  RoleChange last_role_change_;

  // Of the call in progress.
  Instant now_;
  Effects* effects_ = nullptr;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_RAFT_H_
