// SPDX-License-Identifier: Apache-2.0
// The life of a call at a store: from its arrival to its one answer.
#ifndef FLAREDB_CORE_STORE_CALLS_H_
#define FLAREDB_CORE_STORE_CALLS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/data_reader.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/call_table.h"
#include "core/store/effects.h"
#include "core/store/inquiries.h"
#include "core/store/namespaces.h"
#include "core/store/outbox.h"
#include "core/store/raw_gate.h"
#include "core/store/replica.h"
#include "core/store/replica_set.h"
#include "core/store/route_cache.h"
#include "core/store/store.h"

namespace flaredb::store {

//   Admit --> Resolve --> Route --+--> queued for a leader here --> its replica --> Settle -->
//   Answer
//                ^                +--> forwarded to the leader's store ----------> OnReply -->
//                Answer |                +--> parked until there is a leader --+
//                +----------------------- interrupted, may try again --+
//
// Resolve finds out which namespace a name stands for, and Route where the region is; in a cluster
// (Options::cluster) they may have to ask the placement driver, with calls of this store's own.
//
// Writes to eventual namespaces are answered when the outbox has them, and reads of those at once,
// by the replica here or, without one, by any other.
//
// Calls that arrived from another store are not forwarded again, and calls whose client does the
// routing are neither forwarded nor parked: they fail with what the client needs to know.
class Calls {
 public:
  // Calls for one leader here.
  struct Queue {
    std::vector<QueuedWrite> writes;
    std::vector<CallKey> reads;
  };

  // `replicas`, `data` and `outbox` outlive this object. `seed` makes the names of forwarded
  // requests differ from those of earlier lives of the store, whose answers may still arrive.
  Calls(StoreId self, const Options& options, const ReplicaSet* replicas, const DataReader* data,
        Outbox* outbox, uint64_t seed)
      : self_(self),
        options_(options),
        replicas_(replicas),
        data_(data),
        outbox_(outbox),
        raw_gate_(options.cluster ? options.cluster->driver.clock_skew_max : Duration::Max()),
        last_forward_id_(seed) {}

  // Answers and forwarded requests go to `effects`, and accepted writes to `commit`, until the next
  // BeginTurn.
  void BeginTurn(Instant now, Effects* effects, env::GroupCommit* commit);

  // `unix_ms`: see ClientCall.
  void Admit(Origin origin, Request request, uint64_t unix_ms = 0);
  // For another store, which cannot merge its `held` rows into the answer itself.
  void AdmitForwarded(StoreId from, ForwardedRequest forwarded);
  // For this store itself; TakeOwnReplies has the answer one day.
  OwnId AdmitOwn(Request request);
  // What the cluster has decided.
  void OnNamespace(const NamespaceChanged& change) { namespaces_.Set(change.ns, change.mode); }
  void OnNamespace(const pd::Namespace& ns) { namespaces_.Learn(ns); }
  // Open until it is told otherwise.
  RawGate* raw_gate() { return &raw_gate_; }
  // Where a region is; `leader` may be zero.
  void OnRegion(const Region& region, StoreId leader);
  // What somebody who leads it has told of a region: the replica here may be no member any more.
  void NoteMembers(const Region& region);
  // The regions of which that is so.
  std::set<RegionId> TakeRemoved() { return std::exchange(removed_, {}); }
  // The regions without a replica here that are known.
  std::vector<Region> RegionsElsewhere() const { return routes_.regions(); }
  // Somebody waits for this replica: finds out whether it is a member still, if it is left alone
  // and there is a placement driver to ask. Not more often than once in an election timeout: an
  // answer from the same store takes no time at all.
  void Doubt(const Replica& replica);
  // Finds out about the first region that holds something unsent and is not known.
  void WantRegionOfUnsent();
  const NamespaceMode& ModeOf(kv::NamespaceId ns) const { return namespaces_.Of(ns); }
  // All commits up to and including `token` are durable.
  void OnDurable(IoToken token);
  // Another store answered a forwarded request.
  void OnReply(ForwardedReply reply);
  // The client went away.
  void Abandon(CallId client);
  // Takes over what became of calls that `replica` had been given. Fails when data cannot be read.
  absl::Status Settle(const Replica& replica, ReplicaOutput* output);

  // Answers the reads of eventual namespaces that were admitted since the last call. Fails when
  // data cannot be read.
  absl::Status AnswerEventualReads();
  // The answers to parcels, and to what the store asked for itself, since the last call.
  std::vector<std::pair<ParcelId, Reply>> TakeParcelReplies() {
    return std::exchange(parcel_replies_, {});
  }
  std::vector<std::pair<OwnId, Reply>> TakeOwnReplies() { return std::exchange(own_replies_, {}); }

  // Fails the calls whose deadline has come.
  void Expire();
  // Routes parked calls again when it is time to.
  void RouteParked();
  // Asks the placement driver what calls wait for.
  void Inquire();
  // What was routed to leaders here since the last call, by region.
  std::map<RegionId, Queue> TakeQueues();

  // When Expire or RouteParked have something to do; Instant::Max() when never.
  Instant next_deadline();
  size_t size() const { return table_.size(); }
  // Requests under way to other stores; calls that wait to be routed, or were answered meanwhile.
  size_t forwarded() const { return forwards_.size(); }
  size_t parked() const { return parked_.size(); }
  // Between two turns.
  std::vector<CallView> views() const;

 private:
  // A request on its way to the leader's store.
  struct Forward {
    CallKey call;
    RegionId region;
    StoreId to;
    bool by_route = false;    // No replica here could tell where to.
    std::string clipped_end;  // Of a scan that was cut short, since too much is held here.
  };
  struct QueuedKeys {
    std::vector<CallKey> writes;
    std::vector<CallKey> reads;
  };

  // A write to an eventual namespace that waits for the disk.
  struct Accepted {
    IoToken token;
    CallKey call;
    kv::Hlc hlc;
  };

  void Admit(Call call);
  void Proceed(CallKey key);
  bool Resolve(CallKey key);
  void Accept(CallKey key);
  void Route(CallKey key);
  std::optional<Error> FindReplica(const Call& call, const Replica** replica) const;
  bool RouteElsewhere(CallKey key);
  void ForwardTo(StoreId store, RegionId region, CallKey key, bool by_route = false);
  bool LearnFrom(const Forward& forward, const Call& call, const Error& error);
  void GiveUpSilent();
  void Park(CallKey key);
  void WantRegion(const std::string& key);
  void OnTold(Inquiries::Answer told);
  void Interrupt(CallKey key, RegionId region);
  void OnLeaderChanged(RegionId region, StoreId leader);

  // Refuses when this turn has read enough.
  absl::Status AnswerRead(CallKey key, const Replica& replica);
  void AnswerWrite(CallKey key, ApplyReply outcome, const Replica& replica);
  void CrowdOut(CallKey key);
  void Fail(CallKey key, Error error, Index applied_index = Index());
  void Answer(CallKey key, Reply reply);
  void Forget(CallKey key);

  const StoreId self_;
  const Options& options_;
  const ReplicaSet* const replicas_;
  const DataReader* const data_;
  Outbox* const outbox_;
  Namespaces namespaces_;
  RawGate raw_gate_;
  RouteCache routes_;
  Inquiries inquiries_;
  Instant now_;
  Effects* effects_ = nullptr;
  env::GroupCommit* commit_ = nullptr;
  size_t read_bytes_ = 0;  // In this turn's answers.

  CallTable table_;
  std::map<CallId, CallKey> by_client_;
  std::map<uint64_t, Forward> forwards_;  // By ForwardedRequest::id.
  uint64_t last_forward_id_;
  // Forwards by route, and when their store counts as silent. Ascending.
  std::deque<std::pair<Instant, uint64_t>> patience_;
  std::map<RegionId, QueuedKeys> queues_;
  std::vector<CallKey> eventual_reads_;
  std::deque<Accepted> accepted_;  // Oldest first.
  std::vector<std::pair<ParcelId, Reply>> parcel_replies_;
  std::vector<std::pair<OwnId, Reply>> own_replies_;
  std::vector<std::pair<OwnId, Reply>> told_;  // By the placement driver, to inquiries_.
  OwnId last_own_;
  size_t of_stores_ = 0;        // In the table; see Call::IsOfAStore.
  std::set<RegionId> removed_;  // Here; see TakeRemoved.
  std::map<RegionId, Instant> doubted_until_;
  std::vector<CallKey> parked_;
  Instant retry_at_ = Instant::Max();  // When parked calls are routed again.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_CALLS_H_
