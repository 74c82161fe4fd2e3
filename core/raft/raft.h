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
//   raft_membership.cc  thesis 4: changes, and who is followed
//   raft_transfer.cc    thesis 3.10
//   raft_read.cc        thesis 6.4: ReadIndex, leases, reads at followers
//   raft_snapshot.cc    thesis 5: compaction, sending and receiving snapshots
//   raft_rest.cc        groups that have nothing to do
//   raft_view.cc        what others may see
//   raft_invariants.cc  what is checked after every call
#ifndef FLAREDB_CORE_RAFT_RAFT_H_
#define FLAREDB_CORE_RAFT_RAFT_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "core/base/ring.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/log.h"
#include "core/raft/membership.h"
#include "core/raft/message.h"
#include "core/raft/progress.h"
#include "core/raft/quorum.h"
#include "core/raft/read_queue.h"
#include "core/raft/remote_reads.h"
#include "core/raft/snapshot_send.h"
#include "core/raft/types.h"
#include "core/raft/unsafe_recovery.h"
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

using ChangeResult = std::variant<Proposed, NotLeader, ChangeRefusal>;

// The read's id, answered later by Effects::reads (possibly in the same call).
using ReadResult = std::variant<ReadId, NotLeader>;
enum class ReadMode : uint8_t {
  kReadIndex,  // Proven by a round of contact (thesis 6.4).
  kLease,      // At once if the leader holds a lease (thesis 6.4.1); otherwise as kReadIndex.
};

enum class TransferRefusal : uint8_t {
  kNotLeader,
  kInProgress,  // To somebody else.
  kNotVoter,    // The target, who has to be a voter of the incoming half.
  kIsLeader,    // The target leads already.
};

inline constexpr std::string_view kDiskFailed = "the disk failed";

class Raft {
 public:
  // `config` is borrowed for the life of the object: one serves many groups. `id` is this replica;
  // `rng` draws its election timeouts. `now` counts as the last contact with a leader: what an
  // earlier life promised one (thesis 4.2.3) is kept.
  Raft(const Config& config, PeerId id, Recovered recovered, Rng rng, Instant now);

  Raft& operator=(const Raft&) = delete;

  // --- Events. Time never decreases. Each adds to `effects`; if an invariant breaks inside, what
  // the call added is withdrawn, and from then on every call does nothing (see poison()).

  // Requires that the message is to this replica.
  void OnMessage(Instant now, Message&& message, Effects* effects);
  // All persists up to and including `token` are durable.
  void OnPersisted(Instant now, IoToken token, Effects* effects);
  // The answer to Effects::fetches. `entries` begin at Fetch::first.
  void OnFetched(Instant now, uint64_t fetch_id, EntrySlices entries, Effects* effects);
  // Call when next_deadline() has come; harmless earlier.
  void OnDeadline(Instant now, Effects* effects);

  // Appends the entries of `block`, which has no position yet and no other owner. O(followers).
  ProposeResult Propose(Instant now, EntryBlockRef block, Effects* effects);
  // Asks for a point at which this replica's state machine can be read with linearizable result. A
  // replica that does not lead asks its leader. NotLeader: no leader is known.
  ReadResult Read(Instant now, Effects* effects, ReadMode mode = ReadMode::kReadIndex);
  // Starts an election (with PreVote) now instead of at the deadline. Nothing in a leader, in a
  // replica that heard one within the election timeout, and in one that may not campaign.
  void Campaign(Instant now, Effects* effects);

  // Proposes the configuration that carries out all of `changes`. If voters change it is a joint
  // one, and the leader proposes its end by itself when it is committed; a leader that is no voter
  // of the result steps down then.
  ChangeResult ChangeMembers(Instant now, absl::Span<const MemberChange> changes, Effects* effects);
  // Hands leadership to `target`: holds new proposals back (Busy) until the target has the whole
  // log and was told to campaign, or an election timeout passes. nullopt: begun.
  std::optional<TransferRefusal> TransferLeadership(Instant now, PeerId target, Effects* effects);

  // The state machine's durable state covers all up to `upto`: the log up to there may go. Goes as
  // far as followers and snapshots on their way allow (Config). Requires that `upto` was applied.
  void Compact(Instant now, Index upto, Effects* effects);
  // Answers to Effects::snapshots; an answer that is not wanted any more is ignored.
  //   index   what the view covers; at or after the log's base, applied
  //   bytes   state machine's own; `last` with the final piece
  void OnSnapshotTaken(Instant now, SnapshotId id, Index index, Effects* effects);
  void OnSnapshotRead(Instant now, SnapshotId id, uint64_t number, std::string bytes, bool last,
                      Effects* effects);
  void OnSnapshotFailed(Instant now, SnapshotId id, Effects* effects);

  // The disk is broken: hands leadership on if it can, and is silent for ever after. Its poison is
  // kDiskFailed then, if it had none.
  void OnDiskFailed(Instant now, Effects* effects);
  // The store of the leader of a resting group may be gone, or be another process: back to
  // deadlines. Nothing in a group that does not rest.
  void Wake(Instant now, Effects* effects);
  // Carries out a plan of PlanRecovery at the replica that it chose. See unsafe_recovery.h. False
  // when the plan is not for this replica as it is now; nothing happened then.
  bool Recover(Instant now, const RecoveryPlan& plan, Effects* effects);

  // When OnDeadline is due: Instant::Max() when no time matters to this replica.
  Instant next_deadline() const;

  // --- Observation.

  // Whether the answer to that Fetch still matters. If not, an error in its place does not either:
  // a replica that lost its leadership may have truncated what it had asked for.
  bool Wants(uint64_t fetch_id) const;
  bool is_leader() const { return std::holds_alternative<Leader>(role_); }
  // In force: the latest configuration in the log, committed or not. Borrowed until the next call.
  const ConfState& conf() const { return confs_.latest(); }
  // Its entry; the base when it comes from there.
  Index conf_index() const { return confs_.latest_index(); }
  // Whether a read by lease would be answered at once.
  bool HoldsLease(Instant now) const;
  bool resting() const;
  Term term() const { return hard_state_.term; }
  // The entry before the first of the log.
  LogId base() const { return log_.base(); }
  // Empty, or why this replica is silent for ever: a broken invariant, or its disk.
  const std::string& poison() const { return poison_; }
  View view() const;
  // Equal states have equal hashes, in every process; states that differ in more than times have
  // different ones. O(state).
  uint64_t state_hash() const;
  // An independent replica in the same state, for exploration of what it could do next.
  std::unique_ptr<Raft> Clone() const { return std::unique_ptr<Raft>(new Raft(*this)); }

 private:
  // For Clone.
  Raft(const Raft&) = default;

  struct Follower {
    PeerId leader;         // Zero when unknown.
    bool resting = false;  // See HeartbeatRequest::rest_at.
    RemoteReads reads;     // Asked of the leader.
  };
  using Votes = std::vector<std::pair<PeerId, Ballot>>;  // By id, of others who answered.
  // Asks whether an election in the next term could be won.
  struct PreCandidate {
    Votes votes;
  };
  struct Candidate {
    Votes votes;       // Without the own one.
    IoToken own_vote;  // Covers it.
  };
  struct Transfer {
    PeerId target;
    Instant deadline;
    bool told = false;  // TimeoutNow left.
  };
  // Somebody else's read in `reads`.
  struct RemoteReader {
    ReadId id;
    PeerId peer;
    uint64_t request = 0;
  };
  struct Leader {
    std::vector<Progress> followers;  // By id; everybody of the configuration but this replica.
    // Own proposals that are not committed: where each ends, and its payload bytes.
    Ring<std::pair<Index, size_t>> uncommitted;
    size_t uncommitted_bytes = 0;
    Instant heartbeat_due;
    // Whether the configuration may want something: an end of its joint phase, the leader to go,
    // pins. Looked at when its entry is committed.
    bool tend_conf = true;

    uint64_t round = 0;                         // Last round of contact that began.
    Ring<std::pair<uint64_t, Instant>> rounds;  // When those began that no quorum answered.
    bool round_news = false;                    // Somebody answered a later round.
    ReadQueue reads;
    std::vector<RemoteReader> remote_readers;
    std::optional<Instant> lease_start;  // Of the last round that a quorum answered.
    bool lease_void = false;             // For the rest of the term.
    std::optional<Transfer> transfer;

    std::vector<SnapshotSend> snapshots;  // One for each follower in kSnapshot.
    bool resting = false;
    Instant busy_at;  // When somebody last wanted something.

    Progress* Find(PeerId id);
    // Of a member of the configuration other than this replica: everybody is followed.
    const Progress& Of(PeerId id) const;
  };

  // A message that promises something not yet durable.
  struct Gated {
    IoToken gate;
    Message message;
  };

  // raft.cc
  void Guarded(Instant now, Effects* effects, absl::FunctionRef<void()> body);
  void Receive(Message&& message);
  bool HearCampaign(const Message& campaign);
  bool ObserveTerm(const Message& message);
  void AnswerStale(const Message& message);
  // The message leaves once `gate`, and the term that it states, are durable. A template so that it
  // is made where it stays: most of what the core does is making messages.
  template <typename T>
  void Send(PeerId to, T body, IoToken gate, Incarnation to_incarnation = Incarnation()) {
    gate = std::max(gate, hard_state_token_);
    if (gate <= durable_token_) {
      effects_->sends.emplace_back(id_, to, term(), incarnation_, to_incarnation, std::move(body));
    } else {
      Hold(gate, {id_, to, term(), incarnation_, to_incarnation, std::move(body)});
    }
  }
  void Hold(IoToken gate, Message&& message);
  IoToken LastToken() const;
  void SetHardState(HardState hard_state);
  void AppendToLog(EntrySlice entries);
  void TruncateLog(Index from);
  Persist& Pending();
  void IssuePersist();
  void OnLeaderDeadline();
  void CommitTo(Index index);
  void HandOutCommitted();
  void NoteRoleChange();
  bool DiskStalled() const;
  // The alternatives of role_ stand in the order of Role.
  Role role() const { return static_cast<Role>(role_.index()); }
  PeerId leader_id() const {
    if (is_leader()) return id_;
    const auto* follower = std::get_if<Follower>(&role_);
    return follower != nullptr ? follower->leader : PeerId();
  }

  // raft_election.cc
  void BecomeFollower(Term term, PeerId leader);
  void BecomePreCandidate();
  void BecomeCandidate(bool leadership_transfer);
  void BecomeLeader();
  void LeaveRole();
  void HearFromLeader(PeerId leader);
  void DrawElectionTimeout();
  bool LeaderIsFresh() const;
  bool MayCampaign() const;
  bool IsUpToDate(LogId last_log) const;
  template <typename Request>
  void AskVoters(const Request& request, IoToken gate);
  void Record(Votes* votes, const Message& message, bool granted);
  VoteState Tally(const Votes& votes, Ballot own) const;
  void CountPreElection();
  void CountElection();
  void On(const Message& message, const PreVoteRequest& request);
  void On(const Message& message, const PreVoteReply& reply);
  void On(const Message& message, const VoteRequest& request);
  void On(const Message& message, const VoteReply& reply);

  // raft_replication.cc
  void On(const Message& message, AppendRequest&& request);
  void On(const Message& message, const AppendReply& reply);
  void On(const Message& message, const HeartbeatRequest& request);
  void On(const Message& message, const HeartbeatReply& reply);
  Index AppendVerified(Index prev_index, EntrySlices&& slices);
  Progress* Answering(const Message& message, uint64_t session, uint64_t round);
  void Replicate(Progress* follower);
  bool MaySend(const Progress& follower) const;
  void SendAppend(Progress* follower, EntrySlices entries, bool accept_unanswered);
  void ReplicateToAll();
  void MaybeCommit();
  void Heartbeat();
  bool HearsQuorum() const;
  bool InContact(const Progress& follower) const;

  // raft_membership.cc
  std::optional<ChangeRefusal> MayChange(absl::Span<const MemberChange> changes) const;
  void AppendConf(ConfState conf);
  void FollowEverybody();
  void TendConfiguration();
  std::vector<Member> Met(const ConfState& conf) const;

  // raft_transfer.cc
  void On(const Message& message, const TimeoutNow& request);
  void TellTransferee();
  void HandOver();
  const Progress* BestSuccessor() const;

  // raft_read.cc
  void On(const Message& message, const ReadRequest& request);
  void On(const Message& message, const ReadReply& reply);
  void BeginRound();
  void CountRounds();
  void ReadHere(ReadId id);
  void ReadRemotely(ReadId id);
  void AskLeader();
  std::optional<Index> ReadIndexNow() const;
  void AnswerRemoteReaders(size_t first_outcome);

  // raft_snapshot.cc
  void On(const Message& message, const SnapshotRequest& request);
  void On(const Message& message, const SnapshotReply& reply);
  void Install(const SnapshotChunk& chunk);
  void Unstage();
  Index CompactionLimit(Index upto) const;
  void BeginSnapshot(Progress* follower);
  void ReadChunk(SnapshotSend* send, uint64_t number);
  void SendChunk(SnapshotSend* send);
  void EndSnapshot(Progress* follower);
  void OnAcceptDuringSnapshot(const AppendAccept& accept, Progress* follower);
  void TendSnapshots();
  SnapshotSend* FindSend(SnapshotId id);

  // raft_rest.cc
  bool MayRest() const;
  void Rest();
  void StopResting();
  bool AgreesToRest(const HeartbeatRequest& request) const;
  void ReleaseMemory();

  // raft_view.cc
  Backlog backlog() const;
  void HashRole(const Follower& follower, Hasher* hasher) const;
  void HashRole(const PreCandidate& candidate, Hasher* hasher) const;
  void HashRole(const Candidate& candidate, Hasher* hasher) const;
  void HashRole(const Leader& leader, Hasher* hasher) const;
  static void HashVotes(const Votes& votes, Hasher* hasher);

  // raft_invariants.cc
  struct Before {
    HardState hard_state;
    Role role;
    Index commit_index;
    Index handed_out_index;
    IoToken durable_token;
  };
  Before Remember() const;
  void CheckState() const;
  void CheckTransition(const Before& before) const;

  const Config& config_;
  const PeerId id_;
  const Incarnation incarnation_;
  Rng rng_;
  std::string poison_;

  HardState hard_state_;
  Log log_;
  Configurations confs_;
  std::variant<Follower, PreCandidate, Candidate, Leader> role_;
  Duration election_timeout_;   // Drawn anew for each stay in a role.
  Instant election_due_;        // When a non-leader campaigns.
  Instant leader_fresh_until_;  // Until then this replica helps nobody to campaign.

  // Last committed entry given to the caller, and the Fetch for the next ones (zero: none).
  Index handed_out_index_;
  uint64_t apply_fetch_id_ = 0;
  uint64_t last_fetch_id_;  // Begins at random: a disk may answer what an earlier replica asked.
  ReadId last_read_id_;
  uint64_t last_read_request_;  // Begins at random: answers to an earlier life do not fit.
  uint64_t last_session_ = 0;
  SnapshotId last_snapshot_id_;
  std::shared_ptr<const SnapshotReceived> staged_;  // Null when no snapshot comes in.

  bool pending_any_ = false;  // See Pending.
  IoToken issued_token_;
  IoToken durable_token_;
  Instant disk_moved_at_;     // When the oldest unfinished write became the oldest.
  IoToken hard_state_token_;  // Covers the current hard state.
  std::vector<Gated> gated_;  // In the order of sending.

  RoleChange last_role_change_;

  // Of the call in progress.
  Instant now_;
  Effects* effects_ = nullptr;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_RAFT_H_
