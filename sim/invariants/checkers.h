// SPDX-License-Identifier: Apache-2.0
// The invariants of one region over all its replicas, checked at every event that could break them.
// docs/SIMULATION.md lists the codes.
#ifndef FLAREDB_SIM_INVARIANTS_CHECKERS_H_
#define FLAREDB_SIM_INVARIANTS_CHECKERS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/base/time.h"
#include "core/raft/unsafe_recovery.h"
#include "core/region/region.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "core/store/recovery.h"
#include "core/store/store.h"
#include "sim/invariants/answers.h"
#include "sim/invariants/appends.h"
#include "sim/invariants/campaigns.h"
#include "sim/invariants/commits.h"
#include "sim/invariants/elections.h"
#include "sim/invariants/leases.h"
#include "sim/invariants/log_matching.h"
#include "sim/invariants/names.h"
#include "sim/invariants/reigns.h"
#include "sim/invariants/removals.h"
#include "sim/invariants/replica.h"
#include "sim/invariants/windows.h"
#include "sim/world/disk.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// What the simulator knows of time.
struct Clocks {
  std::function<Instant()> now;
  // When a node's clock shows what; see NodeClock::WhenReads.
  std::function<Instant(uint32_t node, Instant local)> when_reads;
};

class Checkers {
 public:
  // `disks` by node, formatted. The region begins with all its peers as voters. Everything passed
  // outlives this object.
  //   config   times that all stores agree on
  //   leases   whether clocks stay within the bound that leases trust (LEASE)
  //   spec     of a machine of the user's own; null: there is none
  Checkers(const Region& region, const std::vector<const SimDisk*>& disks,
           const raft::Config& config, bool leases, FailureReport* report, Clocks clocks,
           MachineSpec* spec = nullptr);

  // `peer` is going to be created on `store`.
  void OnNewPeer(PeerId peer, StoreId store) { names_.Add(peer, store); }

  // The store on `node` starts from its disk with a replica of the region, `recovered`, whose first
  // view is `view`; or without one: both null. `now` is by the node's own clock.
  void OnStart(uint32_t node, Instant now, const store::RecoveredRegion* recovered,
               const store::PeerView* view);
  // It is about to turn to `events`.
  void BeforeTurn(uint32_t node, absl::Span<const store::Event> events) {
    append_offer_ = OnlyAppend(events, replicas_[node].peer);
  }
  // It has turned: `effects` is what leaves, `view` what its replica is now; null without one.
  void OnTurn(uint32_t node, const store::Effects& effects, const store::PeerView* view);
  // As OnTurn, when in this turn an invariant was made to break in the replica, which has applied
  // so much before: what it did until then counts, and from now on there is none.
  void OnBroken(uint32_t node, const store::Effects& effects, Index applied);
  // The same turn, of a replica that was there before and still is: it was at `now` by the node's
  // own clock, and `events` came in this order.
  //   limits  of what it may send; null: it may send more
  void AfterEvents(uint32_t node, Instant now, absl::Span<const store::Event> events,
                   const store::Effects& effects, const raft::Config* limits);
  // It has turned to nothing but the failure of its disk, for which it stops. STORE: its replica,
  // which is `view` now, has no role any more, and is silent; null without one.
  void OnDiskFailed(uint32_t node, Instant now, const store::Effects& effects,
                    const store::PeerView* view);
  // When nobody is bound any more by what was promised to the leader on `node`; see PromisesEnd.
  // nullopt also when clocks are not to be trusted.
  std::optional<Instant> PromisesEnd(uint32_t node) const;
  // The leader on `node` would still hold its lease at `then`, when they have ended.
  void OnLeaseBeyondPromises(uint32_t node, Instant then);
  // Another one was just elected, and so it is on `node`, which runs: whether it holds a lease now.
  void OnOthersElection(uint32_t node, bool holds_lease);
  // `commit` is about to become part of the image of its disk, and then has.
  void BeforeDurable(uint32_t node, const env::GroupCommit& commit);
  void AfterDurable(uint32_t node);
  // The store on `node` has turned, and begun to carry out `plan`, because the nodes in `lost` are
  // lost for ever. Before OnTurn, which then asks:
  //   REC  the replica is the one that the plan chose; the term is above that of every other one
  //        that is left; next in its log is the plan's configuration, in the plan's term, of nobody
  //        who is lost and without a joint phase; nobody is removed but those whom the plan calls
  //        lost; and what anybody who is left took for committed or applied is in its log
  // What no survivor has is forgotten: the history is shorter, and terms that the lost ones alone
  // knew may be used once more.
  void OnRecovery(uint32_t node, const raft::RecoveryPlan& plan, const std::set<uint32_t>& lost);
  void OnCrash(uint32_t node) {
    replicas_[node].running = false;
    removals_.OnCrash(node);
  }
  // Its disk, which still shows what it held, is about to be lost. Requires that it is down.
  void OnWipe(uint32_t node);
  // All is quiet and every member has applied everything, but on the nodes in `left_out`.
  void AtEnd(const std::set<uint32_t>& left_out = {});

  const std::vector<Replica>& replicas() const { return replicas_; }
  uint32_t NodeOf(PeerId peer) const { return names_.NodeOf(peer); }
  const Names& names() const { return names_; }
  const Commits& commits() const { return commits_; }
  // Whether the store on `node` has a replica that has been removed, and knows.
  bool HoldsRemoved(uint32_t node) const { return removals_.Knows(node, replicas_[node]); }
  // On which a lease rested that broke LEASE; empty: none did.
  const std::vector<Promise>& promises() const { return promises_; }

 private:
  void CheckEffects(uint32_t node, const store::Effects& effects);
  // Whether a configuration was appended.
  bool Issue(uint32_t node, const env::GroupCommit& commit);
  void CheckSend(uint32_t node, const store::Send& send);
  void CheckLease(uint32_t node);
  void FailLease(uint32_t node, const std::string& sentence);
  void Recover(uint32_t node);
  std::string WrongRecovery(uint32_t node) const;
  void CheckNewcomer(uint32_t node, PeerId peer);
  void LearnPeers(const raft::ConfState& conf);
  WriteBatch OwnRows(const WriteBatch& batch) const;
  std::optional<std::string> BrokenRowsOf(uint32_t node, Index applied) const;
  void CheckOrder(uint32_t node, Instant now, const store::Event& event, const raft::View& before,
                  const store::Effects& effects);
  void Fail(const char* invariant, std::optional<std::string> sentence);

  const Region region_;
  Names names_;
  const Duration election_timeout_;
  const bool leases_;
  const Clocks clocks_;
  FailureReport* report_;
  std::vector<Replica> replicas_;
  Elections elections_;
  Campaigns campaigns_;
  Reigns reigns_;
  Windows windows_;
  Answers answers_;
  LogMatching log_matching_;
  Commits commits_;
  Removals removals_;
  std::vector<Promise> promises_;
  std::optional<AppendOffer> append_offer_;     // Of the turn in progress.
  std::optional<raft::RecoveryPlan> recovery_;  // Of the turn in progress.
  std::set<uint32_t> lost_;                     // For ever.
  bool turnover_ = false;  // The commit that is becoming durable creates, destroys or installs.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_CHECKERS_H_
