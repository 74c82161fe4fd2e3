// SPDX-License-Identifier: Apache-2.0
// A cluster for a Driver: a real placement driver on rows in memory, stores that answer roll calls,
// and regions whose members and fences change as they would. Time passes in steps of 10 ms; calls,
// answers and errands take one step, changes of members a few.
#ifndef FLAREDB_TESTS_CORE_CLUSTER_FAKE_CLUSTER_H_
#define FLAREDB_TESTS_CORE_CLUSTER_FAKE_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/time.h"
#include "core/cluster/directory.h"
#include "core/cluster/driver.h"
#include "core/cluster/roll_call.h"
#include "core/kv/hlc.h"
#include "core/kv/namespace_state.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::cluster {

inline constexpr uint64_t kUnixMs = 1'700'000'000'000;

struct FakeStore {
  StoreId id;
  pd::InstanceId instance;
  Directory directory;
  bool silent = false;  // Calls to it are lost.
  kv::HlcClock clock;
  int64_t skew_ms = 0;
  std::multimap<std::string, kv::Hlc> unshipped;  // Namespace -> times of writes accepted here.
  bool ships = true;                              // Writes are applied after a step.
  Term term;                                      // Of the last call, and its round.
  uint64_t round = 0;
  std::vector<std::string> waiting;  // As it was told.
};

struct FakeRegion {
  Region region;
  raft::ConfState conf;
  Term term{5};
  PeerId leader;  // Zero: there is none.
  std::set<PeerId> behind;
  bool catches_up = true;  // New replicas do, after a while.
  int changing = 0;        // Steps until the change that is under way goes on.
  kv::NamespaceStates namespaces;
  bool takes_fences = true;            // Otherwise errands are lost.
  std::string refuses;                 // Every order, for this reason; empty: none.
  std::vector<raft::ConfState> confs;  // All that were in force.
  std::vector<kv::CollectTombstones> collected;

  size_t voters() const { return conf.voters.size(); }
};

class FakeCluster : public pd::MachineOfRows, public PdReader {
 protected:
  FakeCluster();

  // --- What tests do.
  void Join(uint64_t store);
  void SetStore(uint64_t store, pd::StoreState state) { Command(SetTo(store, state)); }
  // By an operator, who is told the answer.
  pd::Reply Command(const pd::Command& command);
  // Nothing but time passes.
  void Run(Duration time);
  // Until it holds; false if that takes more than `limit`.
  bool RunUntil(const std::function<bool()>& holds, Duration limit = Duration::Seconds(60));
  // Another store leads the placement driver's region: with nothing in memory.
  void ChangeDriver();
  // A raw write: whether the store accepts it.
  bool Write(uint64_t store, const std::string& ns);
  // Splits the only region in two at an encoded key.
  void Split(RegionId region, const std::string& key, RegionId right);

  pd::Namespace Ns(const std::string& name) const {
    return Get<pd::Namespace>(pd::GetNamespace{name});
  }
  // The state of `ns` in every region that may hold its keys.
  std::vector<kv::NamespaceState> StatesOf(const std::string& ns) const;
  // The stores that have a voter of the region, ascending.
  std::vector<uint64_t> Voters(RegionId region = RegionId(1)) const;
  FakeRegion& R(uint64_t id = 1) { return regions_.at(RegionId(id)); }
  FakeStore& S(uint64_t id) { return stores_.at(StoreId(id)); }
  // The first sentence that contains `text`; empty: there is none.
  std::string Waiting(const std::string& text) const;

  // --- PdReader
  pd::Reply Ask(const pd::Query& query) const override { return MachineOfRows::Ask(query); }
  Index applied_index() const override { return applied_; }
  const Region& region() const override;

  DriverOptions options_;
  std::unique_ptr<Driver> driver_;
  Instant now_;
  std::map<StoreId, FakeStore> stores_;
  std::map<RegionId, FakeRegion> regions_;
  // Of messages and errands, in percent; by what the test draws.
  uint64_t loss_ = 0;
  Rng rng_{1};
  size_t calls_ = 0;
  std::vector<ErrandId> errands_;
  std::vector<RegionErrand> asked_;  // Of regions, whether or not they heard it.
  Peer last_learner_;                // That was ordered.
  // Everything that left the driver, in order.
  std::string trace_;

 private:
  struct Due {
    Instant at;
    uint64_t driver = 0;  // Which one began it; an outcome is for nobody else.
    std::function<void()> what;
  };

  void Step();
  void Later(std::function<void()> what);
  void Carry(DriverOutput* output);
  std::optional<RollAnswer> Answer(FakeStore* store, const RollCall& call);
  RegionReport ReportOf(const FakeRegion& region) const;
  std::string Carry(const RegionOrder& order, StoreId at);
  ErrandOutcome Carry(const RegionErrand& errand);
  void Finish(FakeRegion* region);
  void InForce(FakeRegion* region, raft::ConfState conf);
  bool Lost() { return rng_.Below(100) < loss_; }

  Term term_{1};
  uint64_t drivers_ = 1;
  Index applied_{1};
  std::vector<Due> due_;
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_TESTS_CORE_CLUSTER_FAKE_CLUSTER_H_
