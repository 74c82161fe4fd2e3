// SPDX-License-Identifier: Apache-2.0
// A store: the replicas of many regions on one disk, turned by one loop.
#ifndef FLAREDB_CORE_STORE_STORE_H_
#define FLAREDB_CORE_STORE_STORE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "core/base/data_reader.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/cluster/directory.h"
#include "core/cluster/driver.h"
#include "core/raft/config.h"
#include "core/raft/view.h"
#include "core/region/state_machine.h"
#include "core/store/call_view.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "core/store/outbox.h"
#include "core/store/recovery.h"

namespace flaredb::store {

struct Options {
  raft::Config raft;
  // Seeds election timeouts; different on every store and at every start.
  uint64_t seed = 0;

  // Entries of a region's log that may be applied and durable before the older half is dropped.
  uint64_t log_entries_max = 100000;
  // Reads at a leader that holds a lease need no round of contact, and trust
  // raft::Config::clock_drift_ppm_max.
  bool lease_reads = false;
  // Reads at other replicas are answered there, with the leader's consent to the point in time,
  // instead of being passed on to the leader.
  bool follower_reads = false;

  // Carries out ExecuteRequest and QueryRequest, which are refused without it; the same on all
  // stores of a cluster. Outlives the store.
  const StateMachine* machine = nullptr;

  Outbox::Limits outbox;

  // Makes the store a part of a cluster whose members and regions change; `machine` is then a
  // pd::PdMachine. Absent: regions stay where orders put them, and there is one namespace by name.
  struct Cluster {
    std::string address;         // Where others reach it; see pd::StoreDescriptor.
    uint64_t feature_level = 0;  // Likewise.
    uint64_t unix_ms = 0;        // The wall clock when the store starts; see ClientCall.
    cluster::DriverOptions driver;
  };
  std::optional<Cluster> cluster;

  // Limits of the API; an error names the limit and the value. Names of objects are keys in this
  // sense, commands and queries are values.
  size_t key_bytes_max = 8 << 10;
  size_t value_bytes_max = 1 << 20;
  size_t scan_rows_max = 10000;
  size_t scan_bytes_max = 4 << 20;
  size_t scan_visits_max = 100000;
  // Client calls and forwarded requests that wait at once; more are refused early. What stores ask
  // for themselves does not count.
  size_t waiting_calls_max = 20000;
  // What the keys and values of these calls may take together. Where nobody leads, writes wait as
  // long as their clients like.
  size_t waiting_bytes_max = 256 << 20;
  // What the values in one turn's answers may hold together, but for the last one; reads, and
  // mismatches, beyond it are told that the store is busy. Thousands of small requests can ask for
  // gigabytes.
  size_t read_bytes_max = 32 << 20;
};

// One replica as monitors and checkers see it.
struct PeerView {
  RegionId region;
  PeerId peer;
  Index applied_index;
  raft::View raft;
  // Calls that wait for the log, and for a point in time or the state machine to get there.
  size_t waiting_writes = 0;
  size_t waiting_reads = 0;
  bool poisoned = false;  // A broken invariant silenced it; `poison` says which.
  std::string poison;
};

// How a store stands towards one namespace. A crash may take back what is not on the disk yet.
struct EventualView {
  NamespaceMode mode;  // That it has heard of.
  size_t rows = 0;     // See Outbox::rows_of,
  kv::Hlc watermark;   // Outbox::Watermark,
  kv::Hlc clock;       // Outbox::clock.
};

class Store {
 public:
  // `data` shows what is durable up to the last DiskDone, or more; it outlives the store.
  Store(const Options& options, RecoveredStore recovered, const DataSource* data, Instant now);
  ~Store();

  // Handles all events and due deadlines at one point in time and adds what follows to `effects`,
  // which the caller has cleared. `now` never decreases.
  void Turn(Instant now, absl::Span<Event> events, Effects* effects);

  // When Turn is due without any event. Instant::Max() when never.
  Instant next_deadline() const;

  const Identity& identity() const;
  // By region id. For metrics, status pages and checkers.
  std::vector<PeerView> peers() const;
  // Whether a read by lease would be answered at once at `now`, not before the last turn. False
  // without a replica of the region.
  bool HoldsLease(RegionId region, Instant now) const;
  // Calls not yet answered; requests under way to other stores, and calls that wait for a leader or
  // did when they were answered; and rows not yet on the disk. Zero on a quiet store. For metrics
  // and the check that nothing leaks.
  size_t waiting_calls() const;
  size_t forwarded_calls() const;
  size_t parked_calls() const;
  size_t rows_in_flight() const;
  // Writes to eventual namespaces that are not applied here yet.
  size_t outbox_rows() const;
  // Null without Options::cluster. Borrowed until the next turn: what changed shows in its
  // revision() and pd_term().
  const cluster::Directory* directory() const;
  // What the cluster waits for, a sentence each, as the placement driver last told.
  const std::vector<std::string>& waiting() const;
  // For checkers, and whoever switches modes in place of the placement driver.
  EventualView eventual(kv::NamespaceId ns) const;
  // Where each call is that is not answered yet, in no order that means anything. For reports about
  // what does not get on: O(calls * (calls + replicas)).
  std::vector<CallView> calls() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_STORE_H_
