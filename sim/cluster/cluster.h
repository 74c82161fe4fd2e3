// SPDX-License-Identifier: Apache-2.0
// The stores of a run: production `store::Store` objects in processes that crash, stop and start.
//
//   cluster.cc          what reaches a store, its turn, and what leaves it
//   cluster_start.cc    how stores are founded and start
//   cluster_faults.cc   how they stop, stall and are lost
//   cluster_eventual.cc what they are told of namespaces and report of them
//   cluster_at_rest.cc  whether all work is done, and what is held all the same
//   cluster_show.cc     how they stand, for people
#ifndef FLAREDB_SIM_CLUSTER_CLUSTER_H_
#define FLAREDB_SIM_CLUSTER_CLUSTER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/region/region.h"
#include "core/store/store.h"
#include "sim/cluster/features.h"
#include "sim/cluster/losses.h"
#include "sim/cluster/moments.h"
#include "sim/cluster/node.h"
#include "sim/cluster/standstill.h"
#include "sim/cluster/state_coverage.h"
#include "sim/invariants/checkers.h"
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
  // Every process runs, every disk works.
  void Heal();

  uint32_t size() const { return static_cast<uint32_t>(nodes_.size()); }
  bool running(uint32_t node) const { return nodes_[node].store != nullptr; }
  // The running leader of the highest term.
  std::optional<uint32_t> leader() const;
  // As it was founded.
  const Region& region() const { return region_; }
  // The stores that are lost for good, and who is left.
  const Losses& losses() const { return losses_; }
  const Checkers& checkers() const { return checkers_; }
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
  // How the stores stand.
  Standstill Show() const;
  // The same as one line for each store.
  std::string Describe() const;
  // Compares all rows with the model. Requires Settled().
  void CheckAtEnd() { checkers_.AtEnd(losses_.all_left_out()); }

 private:
  struct GivenOrder {
    Fault why = Fault::kCount;
    PeerId successor;  // Of a transfer; zero: it is none.
    std::optional<raft::RecoveryPlan> plan;
    std::optional<std::string> refusal;
  };
  void StartStore(uint32_t id);
  void Notify(uint32_t id);
  void Turn(uint32_t id);
  void Wake(uint32_t id);
  void DiskDone(uint32_t id);
  void ArmTimer(uint32_t id);
  void CheckLeases(uint32_t elected);
  void CheckPromises(uint32_t leader);
  void CheckAllPromises();
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
  Region region_;
  PeerId last_peer_;
  std::vector<Node> nodes_;
  Checkers checkers_;
  Losses losses_;
  store::Effects effects_;  // Of the turn in progress; reused.
  std::vector<store::Event> turn_events_;
  std::vector<store::CallId> gone_calls_;  // As Node::gone_calls, of the turn in progress.
  std::map<uint64_t, GivenOrder> orders_;  // By id.
  uint64_t crashes_ = 0;
  uint64_t recoveries_ = 0;
  uint64_t turns_ = 0;
  Features features_;  // Of the turns.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_CLUSTER_H_
