// SPDX-License-Identifier: Apache-2.0
// One region's replica on this store: its Raft, its state machine, and the calls that wait for it.
#ifndef FLAREDB_CORE_STORE_REPLICA_H_
#define FLAREDB_CORE_STORE_REPLICA_H_

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/raft.h"
#include "core/region/overlay.h"
#include "core/region/region_machine.h"
#include "core/store/call_table.h"
#include "core/store/effects.h"
#include "core/store/order.h"
#include "core/store/recovery.h"
#include "core/store/replica_snapshots.h"
#include "core/store/store.h"

namespace flaredb::store {

// What a turn gives its replicas to work on.
struct TurnContext {
  Instant now;
  // Collects the turn's changes; becomes durable as a whole.
  env::GroupCommit* commit;
  // Shows the store's data with everything in `commit` and before it.
  Overlay* data;
  // What is durable of it.
  const DataSource* durable;
};

// A write that waits to be proposed.
struct QueuedWrite {
  CallKey call;
  Command command;
};

// What a replica has for its store after an event. Owned by the store and reused: Clear keeps the
// capacity.
struct ReplicaOutput {
  std::vector<raft::Message> sends;
  std::vector<raft::Fetch> fetches;
  // Writes whose entry was applied.
  std::vector<std::pair<CallKey, ApplyReply>> applied;
  size_t value_bytes = 0;  // In those.
  // Mismatches whose values would be too much beside them (Options::read_bytes_max).
  std::vector<CallKey> crowded_out;
  // Reads that the state machine can answer now.
  std::vector<CallKey> readable;
  // Calls that lost their leader; writes among them may still be applied.
  std::vector<CallKey> interrupted;
  // Writes whose place in the log was taken by others: certainly not applied.
  std::vector<CallKey> displaced;
  // Writes refused because too much is uncommitted.
  std::vector<CallKey> refused;
  // Peers that a configuration that is committed now left out, and where they were.
  std::vector<Peer> removed;
  bool leader_changed = false;
  // The replica is one of them: it has no part in the region any more.
  bool excluded = false;
  // A snapshot made the region another one: its range, or that it has one.
  bool region_replaced = false;
  // Not OK: data could not be read or an entry not be understood. The store must stop.
  absl::Status failure;

  void Clear() {
    sends.clear();
    fetches.clear();
    applied.clear();
    value_bytes = 0;
    crowded_out.clear();
    readable.clear();
    interrupted.clear();
    displaced.clear();
    refused.clear();
    removed.clear();
    leader_changed = false;
    excluded = false;
    region_replaced = false;
    failure = absl::OkStatus();
  }
};

// The members that take an event add what follows to `output` and to the context's commit.
class Replica {
 public:
  Replica(const Options& options, RecoveredRegion recovered, Rng rng, Instant now);

  // `from` is the store that sent it.
  void OnMessage(const TurnContext& turn, StoreId from, raft::Message message,
                 ReplicaOutput* output);
  void OnPersisted(const TurnContext& turn, IoToken token, ReplicaOutput* output);
  void OnFetched(const TurnContext& turn, uint64_t fetch_id, raft::EntrySlices entries,
                 ReplicaOutput* output);
  void OnDeadline(const TurnContext& turn, ReplicaOutput* output);
  // Returns why it was refused, as a sentence; empty: it was begun.
  std::string OnOrder(const TurnContext& turn, const Order& order, ReplicaOutput* output);
  // The state up to `applied` is durable: the log may be compacted.
  void OnStateDurable(const TurnContext& turn, Index applied, ReplicaOutput* output);
  // See raft::Raft::Wake.
  void Wake(const TurnContext& turn, ReplicaOutput* output);
  // See raft::Raft::OnDiskFailed.
  void OnDiskFailed(const TurnContext& turn, ReplicaOutput* output);
  // The replica is about to go: interrupts every call that it holds.
  void Abandon(ReplicaOutput* output);
  // Proposes the writes in order, in as few blocks as config.append_bytes_max allows.
  void Propose(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
               ReplicaOutput* output);
  // Asks for one point in time at which all these reads may be answered.
  void Read(const TurnContext& turn, std::vector<CallKey> reads, ReplicaOutput* output);

  // See Raft::Wants.
  bool Wants(uint64_t fetch_id) const { return raft_.Wants(fetch_id); }
  Instant next_deadline() const { return raft_.next_deadline(); }
  PeerId peer() const { return peer_; }
  const Region& region() const { return machine_.region(); }
  bool resting() const { return raft_.resting(); }
  // Where a peer is, as far as this replica knows; zero otherwise.
  StoreId StoreOf(PeerId peer) const;
  // Whether the peer is a member, by what is applied here or by what is in the log.
  bool Knows(PeerId peer) const {
    return region().PeerOf(peer) != nullptr || conf().IsMember(peer);
  }
  // Whether this replica knows itself as a member at an earlier version than that, by what is
  // applied here. What else is in its log does not matter: nobody becomes a member twice.
  bool WasMemberBefore(uint64_t conf_version) const;
  // It is no voter and has not heard a leader for an election timeout: it may have been removed,
  // asks nobody itself, and goes on believing in whom it heard last (docs/RAFT.md).
  bool IsLeftAlone(Instant now) const;
  const raft::ConfState& conf() const { return raft_.conf(); }
  const RegionMachine& machine() const { return machine_; }
  Index applied_index() const { return machine_.applied().index; }
  bool is_leader() const { return raft_.is_leader(); }
  Term term() const { return raft_.term(); }
  bool HoldsLease(Instant now) const { return raft_.HoldsLease(now); }
  bool poisoned() const { return !raft_.poison().empty(); }
  // The store of the current leader; zero when unknown.
  StoreId leader_store() const;
  // As of `now`.
  PeerView view(Instant now) const;
  // Says in `view` at which step the call is, if it is here.
  void Show(CallKey call, CallView* view) const;

 private:
  // A proposed write: done when its index is applied.
  struct WaitingWrite {
    Index index;
    Term term;
    CallKey call;
  };
  struct GrantedRead {
    Index index;
    std::vector<CallKey> calls;
  };

  // Carries out what the core wants, after each call into it.
  void Drain(const TurnContext& turn, ReplicaOutput* output);
  void CarryOut(const TurnContext& turn, raft::Effects* effects, ReplicaOutput* output);
  void ApplyEntries(const TurnContext& turn, const raft::EntrySlices& entries,
                    ReplicaOutput* output);
  void NoteRemovals(const Region& before, ReplicaOutput* output);
  absl::Status CarryOut(const TurnContext& turn, const raft::SnapshotEffect& effect);
  absl::Status Install(const TurnContext& turn, raft::LogId applied, ReplicaOutput* output);
  void NoteRole(const raft::RoleChange& change, ReplicaOutput* output);
  std::string Refusal(const ChangePeers& order) const;
  void ProposeBlock(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
                    absl::Span<const std::string> payloads, ReplicaOutput* output);
  void InterruptAll(ReplicaOutput* output);
  void InterruptGranted(ReplicaOutput* output);

  const Options& options_;
  const PeerId peer_;
  RegionMachine machine_;
  raft::Raft raft_;
  ReplicaSnapshots snapshots_;
  PeerId leader_;
  Term term_;
  std::deque<WaitingWrite> writes_;               // By index.
  std::map<ReadId, std::vector<CallKey>> reads_;  // Asked for, not yet granted.
  std::deque<GrantedRead> granted_;               // Waiting for the state machine.
  // Where messages of peers came from that neither configuration nor region name.
  std::map<PeerId, StoreId> acquaintances_;
  raft::Effects effects_;  // Reused; empty between calls.
  raft::Effects carried_;  // Those that are being carried out.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_REPLICA_H_
