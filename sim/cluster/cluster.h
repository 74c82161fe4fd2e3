// SPDX-License-Identifier: Apache-2.0
// The stores of a run: production `store::Store` objects in processes that crash, stop and start.
//
//   cluster.cc          what reaches a store, its turn, and what leaves it
//   cluster_start.cc    how stores are founded and start
//   cluster_faults.cc   how they stop, stall and are lost
//   cluster_eventual.cc what they are told of namespaces and report of them
//   cluster_placed.cc   how they are a cluster with a placement driver, in runs that have one
//   cluster_at_rest.cc  whether all work is done, and what is held all the same
//   cluster_show.cc     how they stand, for people
#ifndef FLAREDB_SIM_CLUSTER_CLUSTER_H_
#define FLAREDB_SIM_CLUSTER_CLUSTER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/pd/cluster.h"
#include "core/pd/pd_machine.h"
#include "core/region/region.h"
#include "core/store/store.h"
#include "sim/cluster/features.h"
#include "sim/cluster/losses.h"
#include "sim/cluster/moments.h"
#include "sim/cluster/node.h"
#include "sim/cluster/placement_watch.h"
#include "sim/cluster/region_watch.h"
#include "sim/cluster/standstill.h"
#include "sim/cluster/state_coverage.h"
#include "sim/invariants/checkers.h"
#include "sim/pd/pd_spec.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Decides whether a process dies between a turn and its effects.
class TurnObserver {
 public:
  virtual ~TurnObserver() = default;
  // `node` turned and did `moments`. Whether it dies now.
  virtual std::optional<Death> CrashAfterTurn(uint32_t node, Moments moments) = 0;
};

// A process is a loop: events that arrive wait in an inbox; some time after the first one the store
// turns with all of them, at one reading of the node's clock. Effects leave at the end of the turn.
class Cluster {
 public:
  // Everything passed outlives this object.
  // `spec`: of a machine of the user's own; null: there is none. `new_real_disk`: see SimDisk.
  Cluster(World* world, const Profile& profile, SimNetwork* network, MachineSpec* spec = nullptr,
          const NewRealDisk& new_real_disk = nullptr);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  void SetObserver(TurnObserver* observer) { observer_ = observer; }
  // `states` is told of the state after every turn; null: nobody is.
  void SetStateCoverage(StateCoverage* states) { states_ = states; }
  // Starts every store.
  void Start();

  // A packet for `packet.to` arrives; lost when nothing runs there.
  void Deliver(Packet packet);
  // Handles every kind of event that names a node, except kDeliver.
  void OnEvent(const Event& event);

  // The process dies: memory and unfinished commits are lost, except for some of the oldest
  // commits. It starts again after the downtime. Nothing when it is down already.
  void Crash(uint32_t node, const Death& death);
  // The process stands still for `length`; what arrives waits.
  void Pause(uint32_t node, Duration length, Fault why);
  void StallDisk(uint32_t node, Duration length);
  // The next write, or read of old entries, fails: the store stops, and its process starts again
  // after the downtime.
  void FailDisk(uint32_t node, const Death& death);
  // The same of the next read of a row. Nothing when it is down.
  void FailRow(uint32_t node, RowDefect defect, const Death& death);
  // After `calls` more calls into the replica on the node an invariant breaks in it. Its store
  // lives on; who wants the replica back crashes the process.
  void BreakReplica(uint32_t node, uint64_t calls);
  // The process dies, and its disk is lost: it starts again as a store of the same name without any
  // replica. Nothing unless everybody runs, no order is under way, and the region can bear it (see
  // Losses). The operator is to remove the member.
  void Wipe(uint32_t node, const Death& death);
  // Stores stop for good, or their replicas alone, so many that just a quorum goes on (see Losses);
  // nothing while an order is under way.
  void LeaveAQuorum();
  // Stores stop for good, so many that the region needs recovery (see Losses); nothing, and false,
  // while an order is under way or when nothing could be recovered.
  bool LoseAMajority();
  // The same stores as of LeaveAQuorum run on, but nothing is asked of them any more. Which;
  // ascending. Half of the time the leader is one of them.
  std::set<uint32_t> LeaveOutAllButAQuorum();
  // Of all replicas that run.
  Term highest_term() const;
  // From its next start on the store has other limits.
  void DrawLimits(uint32_t node);
  // From now on the node's clock runs at another rate; see NodeClock.
  void ChangeClock(uint32_t node, int64_t drift_ppb, Duration jump, Fault why);
  // An operator's order for the region reaches the store; nothing when it is down.
  void Give(uint32_t node, store::Order order, Fault why);
  // Why it was not begun; empty: it was. nullopt: nobody has said so far.
  std::optional<std::string> RefusalOf(uint64_t order) const;
  // The store hears what was decided about a namespace, or what time of day it is; nothing when it
  // is down or stands still.
  void Tell(uint32_t node, const store::NamespaceChanged& change);
  void TellTime(uint32_t node);
  // What it reports of the namespace now; nullopt when it is down or stands still. As long as its
  // disk has yet to delete rows of the outbox, they count.
  std::optional<store::EventualView> Report(uint32_t node, kv::NamespaceId ns) const;
  // What its outbox holds on the disk.
  std::map<std::string, store::OutboxRow> OutboxOf(uint32_t node) const;
  // A name for a replica that is to be created on `node`.
  PeerId NewPeer(uint32_t node);
  // Every process runs, every disk works, and everybody has the right time of day.
  void Heal();

  // --- With a placement driver (PlacedProfile). Its region is the second one; without one there is
  // one region, and all of this says so: every node is present, and nothing is unplaced.

  // What the placement driver decided; null: there is none.
  const PlacementWatch* placement() const { return placement_.get(); }
  // How the store on `node` introduces itself.
  pd::StoreDescriptor DescriptorOf(uint32_t node) const;
  // The placement driver has taken it in: it starts for the first time. Nothing if it has joined.
  void Join(uint32_t node);
  bool joined(uint32_t node) const { return nodes_[node].joined; }
  // Whether all regions can bear that `node` is lost for good.
  bool MayLose(uint32_t node) const;
  // It is. The operator is to tell the placement driver.
  //   stops  now; else it runs on and does not know
  void Lose(uint32_t node, bool stops);
  // It was removed: nobody starts it any more.
  void Retire(uint32_t node);
  // It belongs to the cluster, and something is asked of it.
  bool present(uint32_t node) const;
  // It was removed in good order.
  bool retired(uint32_t node) const { return nodes_[node].retired; }
  // What is not where it belongs, or who does not know, a clause; nullopt: all is as it should be.
  std::optional<std::string> Unplaced() const;

  uint32_t size() const { return static_cast<uint32_t>(nodes_.size()); }
  bool running(uint32_t node) const { return nodes_[node].store != nullptr; }
  // Null while it is down. Borrowed until the next event.
  const store::Store* store(uint32_t node) const { return nodes_[node].store.get(); }
  // The regions of the run: first the one that clients use, of which the members below speak.
  const std::vector<std::unique_ptr<RegionWatch>>& regions() const { return regions_; }
  // The running leader of the highest term.
  std::optional<uint32_t> leader() const { return data().leader(); }
  // As it was founded.
  const Region& region() const { return data().region; }
  // The stores that are lost for good, and who is left.
  const Losses& losses() const { return data().losses; }
  const Checkers& checkers() const { return data().checkers; }
  uint64_t crashes() const { return crashes_; }
  // Plans of recovery that were carried out.
  uint64_t recoveries() const { return recoveries_; }
  uint64_t turns() const { return turns_; }
  // What was used so far.
  Features features() const;

  // Everybody has applied the whole log, nothing is on its way to a disk, and no call waits.
  bool Settled() const;
  // When it has settled: a sentence on who holds what nobody needs any more (FLOW); nullopt: nobody
  // does. What is on its way may be held for a while yet.
  std::optional<std::string> HeldAtRest() const;
  // The sum of the applied indexes.
  uint64_t applied_in_all() const;
  // The sum of the lengths of the logs that are on disks.
  uint64_t durable_in_all() const;
  // How the stores stand towards one of the regions.
  Standstill Show(const RegionWatch& region) const;
  // The same as one line for each store.
  std::string Describe(const RegionWatch& region) const;
  // Compares all rows with the model. Requires Settled().
  void CheckAtEnd() {
    for (auto& region : regions_) region->checkers.AtEnd(region->losses.all_left_out());
  }

 private:
  struct GivenOrder {
    Fault why = Fault::kCount;
    PeerId successor;  // Of a transfer; zero: it is none.
    std::optional<raft::RecoveryPlan> plan;
    std::optional<std::string> refusal;
  };
  void Found();
  pd::InstanceId InstanceOf(uint32_t id) const { return {id + 1, kClusterId}; }
  env::GroupCommit FirstRows(uint32_t id);
  size_t RowsOf(uint32_t id, kv::NamespaceId ns) const;
  bool Reaches(uint32_t id, StoreId to) const;
  bool TurnsAway(const Packet& packet);
  std::optional<pd::StoreInfo> WhyClosed(uint32_t id) const;
  void WatchPlacement(uint32_t id);
  void WatchDirectory(uint32_t id);
  RegionWatch& data() { return *regions_.front(); }
  const RegionWatch& data() const { return *regions_.front(); }
  void Watch(const Region& region, std::string about, MachineSpec* spec);
  void StartStore(uint32_t id);
  void Notify(uint32_t id);
  void Turn(uint32_t id);
  void Wake(uint32_t id);
  void DiskDone(uint32_t id);
  void BeforeDurable(uint32_t id);
  void AfterDurable(uint32_t id);
  void ArmTimer(uint32_t id);
  Moments MomentsOfTurn(uint32_t id) const;
  const RegionWatch& RegionOf(const store::Operation& operation) const;
  void CheckTurn(uint32_t id, RegionWatch* region, const std::vector<store::PeerView>& views);
  void CheckLeases(uint32_t elected, RegionWatch* region);
  void CheckPromises(uint32_t leader, RegionWatch* region);
  void CheckAllPromises(RegionWatch* region);
  bool Leads(uint32_t id) const;
  bool Restarts(uint32_t id) const {
    return nodes_[id].joined && !nodes_[id].retired && !losses().stopped(id);
  }
  void StopByDisk(uint32_t id);
  bool IsBroken(uint32_t id, const store::PeerView& view);
  bool Speaks(PeerId peer) const;
  void NoteRecovery(uint32_t id);
  void Perform(uint32_t id, size_t sends_kept, size_t replies_kept, bool submit);
  std::vector<const SimDisk*> Disks() const;
  bool AnyOrderWaits() const;
  bool KeepsRows(uint32_t id) const;
  uint64_t UnixMs(uint32_t id);
  bool MayAnswer(uint32_t id, const Node::Call& call, const store::Reply& reply);
  void StopForGood(uint32_t id);
  void Hush(uint32_t id);
  void RecordState(uint32_t id);
  void FailSafety(const char* invariant, std::string sentence);

  World* world_;
  const Profile& profile_;
  SimNetwork* network_;
  TurnObserver* observer_ = nullptr;
  StateCoverage* states_ = nullptr;
  const pd::PdMachine pd_machine_;
  std::unique_ptr<MachineSpec> pd_spec_;  // Null: there is no placement driver.
  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<RegionWatch>> regions_;
  std::unique_ptr<PlacementWatch> placement_;  // Null: there is no placement driver.
  PeerId last_peer_;                           // Of those whom nobody but an operator names.
  store::Effects effects_;                     // Of the turn in progress; reused.
  std::vector<store::Event> turn_events_;
  std::vector<store::CallId> gone_calls_;  // As Node::gone_calls, of the turn in progress.
  std::map<uint64_t, GivenOrder> orders_;  // By id.
  bool healed_ = false;
  uint64_t crashes_ = 0;
  uint64_t recoveries_ = 0;
  uint64_t turns_ = 0;
  Features features_;  // Of the turns.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_CLUSTER_H_
