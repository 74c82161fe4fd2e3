// SPDX-License-Identifier: Apache-2.0
// One region's replica on this store: its Raft, its state machine, and the calls that wait for it.
#ifndef FLAREDB_CORE_STORE_REPLICA_H_
#define FLAREDB_CORE_STORE_REPLICA_H_

#include <deque>
#include <map>
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
#include "core/store/recovery.h"
#include "core/store/store.h"

namespace flaredb::store {

// What a turn gives its replicas to work on.
struct TurnContext {
  Instant now;
  // Collects the turn's changes; becomes durable as a whole.
  env::GroupCommit* commit;
  // Shows the store's data with everything in `commit` and before it.
  Overlay* data;
};

// A write that waits to be proposed.
struct QueuedWrite {
  CallKey call;
  kv::Command command;
};

// What a replica has for its store after an event. Owned by the store and reused: Clear keeps the
// capacity.
struct ReplicaOutput {
  std::vector<raft::Message> sends;
  std::vector<raft::Fetch> fetches;
  // Writes whose entry was applied.
  std::vector<std::pair<CallKey, ApplyReply>> applied;
  // Reads that the state machine can answer now.
  std::vector<CallKey> readable;
  // Calls that lost their leader; writes among them may still be applied.
  std::vector<CallKey> interrupted;
  // Writes whose place in the log was taken by others: certainly not applied.
  std::vector<CallKey> displaced;
  // Writes refused because too much is uncommitted.
  std::vector<CallKey> refused;
  bool leader_changed = false;
  // Not OK: data could not be read or an entry not be understood. The store must stop.
  absl::Status failure;

  void Clear() {
    sends.clear();
    fetches.clear();
    applied.clear();
    readable.clear();
    interrupted.clear();
    displaced.clear();
    refused.clear();
    leader_changed = false;
    failure = absl::OkStatus();
  }
};

// The members that take an event add what follows to `output` and to the context's commit.
class Replica {
 public:
  Replica(const Options& options, StoreId store, RecoveredRegion recovered, Rng rng, Instant now);

  void OnMessage(const TurnContext& turn, raft::Message message, ReplicaOutput* output);
  void OnPersisted(const TurnContext& turn, IoToken token, ReplicaOutput* output);
  void OnFetched(const TurnContext& turn, uint64_t fetch_id, raft::EntrySlices entries,
                 ReplicaOutput* output);
  void OnDeadline(const TurnContext& turn, ReplicaOutput* output);
  // Proposes the writes in order, in as few blocks as config.append_bytes_max allows.
  void Propose(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
               ReplicaOutput* output);
  // Asks for one point in time at which all these reads may be answered.
  void Read(const TurnContext& turn, std::vector<CallKey> reads, ReplicaOutput* output);

  // See Raft::Wants.
  bool Wants(uint64_t fetch_id) const { return raft_.Wants(fetch_id); }
  Instant next_deadline() const { return raft_.next_deadline(); }
  const Region& region() const { return machine_.region(); }
  Index applied_index() const { return machine_.applied().index; }
  bool is_leader() const { return raft_.is_leader(); }
  bool poisoned() const { return !raft_.poison().empty(); }
  // The store of the current leader; zero when unknown.
  StoreId leader_store() const;
  PeerView view() const;

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
  void ApplyEntries(const TurnContext& turn, const raft::EntrySlices& entries,
                    ReplicaOutput* output);
  void ProposeBlock(const TurnContext& turn, absl::Span<const QueuedWrite> writes,
                    ReplicaOutput* output);
  void InterruptAll(ReplicaOutput* output);

  const size_t block_bytes_max_;
  RegionMachine machine_;
  raft::Raft raft_;
  PeerId leader_;
  Term term_;
  std::deque<WaitingWrite> writes_;               // By index.
  std::map<ReadId, std::vector<CallKey>> reads_;  // Asked for, not yet granted.
  std::deque<GrantedRead> granted_;               // Waiting for the state machine.
  raft::Effects effects_;                         // Reused; empty between calls.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_REPLICA_H_
