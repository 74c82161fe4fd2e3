// SPDX-License-Identifier: Apache-2.0
// The life of a call at a store: from its arrival to its one answer.
#ifndef FLAREDB_CORE_STORE_CALLS_H_
#define FLAREDB_CORE_STORE_CALLS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "core/base/data_reader.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/store/call_table.h"
#include "core/store/effects.h"
#include "core/store/replica.h"
#include "core/store/replica_set.h"
#include "core/store/store.h"

namespace flaredb::store {

//   Admit --> Route --+--> queued for a leader here --> its replica --> Settle --> Answer
//               ^     +--> forwarded to the leader's store ----------> OnReply --> Answer
//               |     +--> parked until there is a leader --+
//               +------------- interrupted, may try again --+
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

  // `replicas` and `data` outlive this object. `seed` makes the names of forwarded requests differ
  // from those of earlier lives of the store, whose answers may still arrive.
  Calls(const Options& options, const ReplicaSet* replicas, const DataReader* data, uint64_t seed)
      : options_(options), replicas_(replicas), data_(data), last_forward_id_(seed) {}

  // Answers and forwarded requests go to `effects` until the next BeginTurn.
  void BeginTurn(Instant now, Effects* effects);

  void Admit(Origin origin, Request request);
  // Another store answered a forwarded request.
  void OnReply(ForwardedReply reply);
  // The client went away.
  void Abandon(CallId client);
  // Takes over what became of calls that `replica` had been given. Fails when data cannot be read.
  absl::Status Settle(const Replica& replica, ReplicaOutput* output);

  // Fails the calls whose deadline has come.
  void Expire();
  // Routes parked calls again when it is time to.
  void RouteParked();
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
  };
  struct QueuedKeys {
    std::vector<CallKey> writes;
    std::vector<CallKey> reads;
  };

  void Route(CallKey key);
  std::optional<Error> FindReplica(const Call& call, const Replica** replica) const;
  void ForwardTo(StoreId store, RegionId region, CallKey key);
  void Park(CallKey key);
  void Interrupt(CallKey key, RegionId region);
  void OnLeaderChanged(RegionId region, StoreId leader);

  absl::Status AnswerRead(CallKey key, const Replica& replica);
  void AnswerWrite(CallKey key, ApplyReply outcome, const Replica& replica);
  void Fail(CallKey key, Error error, Index applied_index = Index());
  void Answer(CallKey key, Reply reply);
  void Forget(CallKey key);

  const Options& options_;
  const ReplicaSet* const replicas_;
  const DataReader* const data_;
  Instant now_;
  Effects* effects_ = nullptr;

  CallTable table_;
  std::map<CallId, CallKey> by_client_;
  std::map<uint64_t, Forward> forwards_;  // By ForwardedRequest::id.
  uint64_t last_forward_id_;
  std::map<RegionId, QueuedKeys> queues_;
  std::vector<CallKey> parked_;
  Instant retry_at_ = Instant::Max();  // When parked calls are routed again.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_CALLS_H_
