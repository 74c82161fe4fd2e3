// SPDX-License-Identifier: Apache-2.0
// Real stores on disks in memory, wired by hand: the test decides what is delivered, what becomes
// durable, and when time passes. Stores and their peers are named by the same numbers.
#ifndef FLAREDB_TESTS_CORE_STORE_STORES_H_
#define FLAREDB_TESTS_CORE_STORE_STORES_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/store/store.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::store {

// A region on the stores 1 to n with the user keys of the default namespace in [begin, end); empty
// bounds leave the side open.
Region RegionOn(uint64_t id, uint64_t stores, const std::string& begin, const std::string& end);

// Checks at every step that a call is answered once, and that a stopped store is silent.
class Stores {
 public:
  explicit Stores(uint64_t stores, const Options& options = Options());
  Stores(uint64_t stores, const Options& options, std::vector<Region> regions);

  // --- Time and order.

  Instant now() const { return now_; }
  // Everything under way happens until nothing is left. Time does not pass.
  void Settle();
  // Time passes; deadlines fire when they come, and all that follows happens at once.
  void Pass(Duration duration);
  // As Pass, but what follows waits.
  void Wait(Duration duration);
  // Passes time until region 1 has one leader that everybody knows. Returns its store.
  uint64_t AwaitLeader();

  // --- Clients. A call is taken in at once; what follows waits.

  CallId Call(uint64_t store, Request request);
  // The answer, or null while there is none.
  const Reply* reply(CallId call) const;
  // Calls, settles, and expects an answer.
  Reply Ask(uint64_t store, Request request);
  // A turn of the store with these events.
  void Turn(uint64_t store, std::vector<Event> events);

  // --- Network.

  std::deque<StoreMessage>& link(uint64_t from, uint64_t to) { return links_[{from, to}]; }
  void Deliver(uint64_t from, uint64_t to);
  void DropAll() { links_.clear(); }
  void Isolate(uint64_t store);
  void Cut(uint64_t a, uint64_t b);
  void Heal() { cut_.clear(); }
  // Messages of a type ever sent, delivered or not.
  size_t forwards_sent() const { return forwards_sent_; }

  // --- Disk.

  void HoldDisk(uint64_t store);
  void FreeDisk(uint64_t store);
  size_t commits_issued(uint64_t store) const { return node(store).commits_issued; }
  MapReader& data(uint64_t store) { return node(store).disk.data; }
  // Reads of old log entries fail with this from now on.
  void BreakLogReads(uint64_t store, absl::Status failure) { node(store).log_failure = failure; }
  // The store starts again from what its disk holds.
  void Restart(uint64_t store);
  // As Restart, with the log of region 1 but without anything that was applied from it.
  void RestartWithNothingApplied(uint64_t store);

  // --- Observation.

  Store& store(uint64_t id) { return *node(id).store; }
  PeerView peer(uint64_t store, uint64_t region = 1) const;
  bool leads(uint64_t store) const;
  const absl::Status& failure(uint64_t store) const { return node(store).failure; }
  // Nothing waits and nothing is in flight, on any store.
  bool quiet() const;

 private:
  struct Log {
    Incarnation incarnation;
    raft::HardState hard_state;
    std::vector<raft::EntrySlice> entries;  // One each; of index i at i - 1.
  };
  struct Disk {
    MapReader data;
    std::map<RegionId, Log> logs;
  };
  struct Node {
    Disk disk;
    std::unique_ptr<Store> store;
    std::deque<env::GroupCommit> writes;
    std::vector<env::LogFetch> fetches;
    bool disk_held = false;
    size_t commits_issued = 0;
    uint64_t lives = 0;
    absl::Status failure;      // Why the store stopped.
    absl::Status log_failure;  // Of reads of old entries.
  };

  Node& node(uint64_t id) { return nodes_.at(id); }
  const Node& node(uint64_t id) const { return nodes_.at(id); }
  static void CarryOut(const env::GroupCommit& commit, Disk* disk);
  void Start(uint64_t id);
  bool WriteNext(uint64_t id);
  bool SettleOnce();
  Instant next_deadline() const;

  const Options options_;
  Instant now_ = Instant::FromNanoseconds(1);
  std::map<uint64_t, Node> nodes_;
  std::map<std::pair<uint64_t, uint64_t>, std::deque<StoreMessage>> links_;
  std::set<std::pair<uint64_t, uint64_t>> cut_;
  std::map<CallId, Reply> replies_;
  CallId last_call_;
  size_t forwards_sent_ = 0;
};

}  // namespace flaredb::store

#endif  // FLAREDB_TESTS_CORE_STORE_STORES_H_
