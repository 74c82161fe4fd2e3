// SPDX-License-Identifier: Apache-2.0
// Real stores on disks in memory, wired by hand: the test decides what is delivered, what becomes
// durable, and when time passes. Stores and their peers are named by the same numbers.
#ifndef FLAREDB_TESTS_CORE_STORE_STORES_H_
#define FLAREDB_TESTS_CORE_STORE_STORES_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include "core/store/store.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::store {

// A region on the stores 1 to n with the user keys of the default namespace in [begin, end); empty
// bounds leave the side open.
Region RegionOn(uint64_t id, uint64_t stores, const std::string& begin, const std::string& end);

// Checks at every step that a call is answered once, an order at once, and that a stopped store is
// silent.
class Stores {
 public:
  explicit Stores(uint64_t stores, const Options& options = Options());
  Stores(uint64_t stores, const Options& options, std::vector<Region> regions);
  // A store of the cluster that holds nothing.
  void AddEmptyStore(uint64_t id);
  // A store that has just founded a cluster and holds everything. Needs Options::cluster.
  void AddFounder(uint64_t id);
  // Who the store is; has an instance id with Options::cluster.
  Identity IdentityOf(uint64_t id) const;
  // Where it says that it is to be reached.
  static std::string AddressOf(uint64_t id);
  // It will say something else from its next start on.
  void Move(uint64_t id, const std::string& address) { node(id).address = address; }
  // The process is gone, with all that its disk does not have. Restart brings it back.
  void Kill(uint64_t id);

  // --- Time and order.

  Instant now() const { return now_; }
  // Everything under way happens until nothing is left. Time does not pass.
  void Settle();
  // What is under way now happens, and some of what follows. False when nothing was.
  bool Step();
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
  // Gives an order to the store's replica. Returns why it was refused, empty when it was begun.
  std::string Tell(uint64_t store, decltype(Order::what) what, uint64_t region = 1);
  // A turn of the store with these events.
  void Turn(uint64_t store, std::vector<Event> events);

  // --- Network.

  std::deque<StoreMessage>& link(uint64_t from, uint64_t to) { return links_[{from, to}]; }
  void Deliver(uint64_t from, uint64_t to);
  void DropAll() { links_.clear(); }
  void Isolate(uint64_t store);
  void Cut(uint64_t a, uint64_t b);
  // Messages for which `lost` is true get lost, in place of those of an earlier call.
  void Drop(std::function<bool(const StoreMessage&)> lost) { lost_ = std::move(lost); }
  void Heal() {
    cut_.clear();
    lost_ = nullptr;
  }
  // Messages of a type ever sent, delivered or not: an alternative of StoreMessage or of
  // raft::Body.
  template <typename T>
  size_t sent() const {
    const auto found = sent_.find(typeid(T));
    return found != sent_.end() ? found->second : 0;
  }

  // --- Disk.

  void HoldDisk(uint64_t store);
  void FreeDisk(uint64_t store);
  size_t writes_pending(uint64_t store) const { return node(store).writes.size(); }
  // The oldest of them becomes durable, on a held disk too. False when there is none.
  bool WriteNext(uint64_t store);
  size_t commits_issued(uint64_t store) const { return node(store).commits_issued; }
  MapReader& data(uint64_t store) { return node(store).disk.data; }
  // The durable rows of users, without those of the system.
  std::map<std::string, std::string, std::less<>> UserRows(uint64_t store) const;
  bool HasLog(uint64_t store, uint64_t region = 1) const;
  // What the store would start from.
  absl::StatusOr<RecoveredStore> Recovered(uint64_t store) const;
  // Reads of old log entries fail with this from now on.
  void BreakLogReads(uint64_t store, absl::Status failure) { node(store).log_failure = failure; }
  // The store starts again, as another process, from what its disk holds.
  void Restart(uint64_t store);
  // As Restart, with the log of region 1 but without anything that was applied from it.
  void RestartWithNothingApplied(uint64_t store);

  // --- Observation.

  Store& store(uint64_t id) { return *node(id).store; }
  const Store& store(uint64_t id) const { return *node(id).store; }
  bool hosts(uint64_t store, uint64_t region = 1) const;
  // Requires that the store hosts a replica of the region.
  PeerView peer(uint64_t store, uint64_t region = 1) const;
  bool leads(uint64_t store) const;
  // The stores whose process is there.
  std::vector<uint64_t> alive() const;
  const absl::Status& failure(uint64_t store) const { return node(store).failure; }
  // Nothing waits and nothing is in flight, on any store.
  bool quiet() const;

 private:
  struct Log {
    Incarnation incarnation;
    raft::HardState hard_state;
    raft::LogBase base;
    std::deque<raft::EntrySlice> entries;  // One each; they follow the base.

    Index last_index() const { return base.last.index + entries.size(); }
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
    absl::Status failure;  // Why the store stopped.
    bool killed = false;
    std::string address;       // Empty: AddressOf.
    absl::Status log_failure;  // Of reads of old entries.
  };

  Node& node(uint64_t id) { return nodes_.at(id); }
  const Node& node(uint64_t id) const { return nodes_.at(id); }
  static void CarryOut(const env::GroupCommit& commit, Disk* disk);
  static void CarryOut(const raft::Persist& persist, Log* log);
  static env::LogState StateOf(RegionId region, const Log& log);
  static absl::StatusOr<raft::EntrySlices> Read(const Disk& disk, const env::LogFetch& fetch);
  void Count(const StoreMessage& message);
  void Start(uint64_t id);
  Instant next_deadline() const;
  uint64_t unix_ms() const;

  const Options options_;
  Instant now_ = Instant::FromNanoseconds(1);
  std::map<uint64_t, Node> nodes_;
  std::map<std::pair<uint64_t, uint64_t>, std::deque<StoreMessage>> links_;
  std::set<std::pair<uint64_t, uint64_t>> cut_;
  std::function<bool(const StoreMessage&)> lost_;
  std::map<CallId, Reply> replies_;
  CallId last_call_;
  uint64_t last_order_ = 0;
  std::map<uint64_t, std::string> orders_;  // Outcomes.
  std::map<std::type_index, size_t> sent_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_TESTS_CORE_STORE_STORES_H_
