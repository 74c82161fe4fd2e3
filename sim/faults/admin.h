// SPDX-License-Identifier: Apache-2.0
// The administrator of a cluster with a placement driver: has stores join, leave and replaced, and
// namespaces created and switched.
#ifndef FLAREDB_SIM_FAULTS_ADMIN_H_
#define FLAREDB_SIM_FAULTS_ADMIN_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/base/time.h"
#include "core/pd/command.h"
#include "core/pd/reply.h"
#include "sim/cluster/cluster.h"
#include "sim/world/fault.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Of runs with a PlacedProfile. One of them changes its mode.
inline constexpr const char* kAlwaysEventualName = "always";
inline constexpr const char* kSwitchingName = "switching";

// Asks as any client does: some store, over the network, and again if no answer comes. From look to
// look it asks alternately how things are and for one change that makes sense of them, or, now and
// then, for one that does not; what becomes of a change it sees at the next look. The stores'
// processes are in its hands, too: one starts when the placement driver has taken it in, and one
// that was removed is not started again. A store is lost, or given up, only if the regions can bear
// that.
class Admin {
 public:
  // `self` is its endpoint on the network. Everything passed outlives this object.
  Admin(World* world, const PlacedProfile& profile, Duration election_timeout, Cluster* cluster,
        SimNetwork* network, Endpoint self)
      : world_(world),
        profile_(profile),
        timeout_(election_timeout),
        cluster_(cluster),
        network_(network),
        self_(self) {}

  void Start();
  // On kAdmin.
  void OnEvent();
  // The answer to one of its calls.
  void Deliver(const Packet& packet);
  // From now on it only ends what it has begun.
  void Stop() { stopped_ = true; }

  // Both namespaces are there.
  bool namespaces_exist() const { return view_.namespaces.size() >= 3; }
  // What it has begun and not ended, a clause; nullopt: nothing.
  std::optional<std::string> Unfinished() const;

 private:
  // What it would have the placement driver do now; nullopt: nothing.
  std::optional<pd::Command> Wish();
  std::optional<pd::Command> UnfinishedWish() const;
  std::optional<pd::Command> NewWish();
  std::optional<pd::Command> OddWish();
  std::optional<pd::Command> JoinWish();
  std::optional<pd::Command> DrainWish();
  std::optional<pd::Command> LossWish();
  std::optional<pd::Command> RemovalWish();
  std::optional<pd::Command> SwitchWish();
  void MoveProcesses();
  void Ask(store::Operation operation);
  std::optional<uint32_t> Uncalled() const;

  const pd::StoreInfo* RowOf(uint32_t node) const;
  size_t up() const;
  pd::SetStoreState SetState(uint32_t node, pd::StoreState state) const {
    return {StoreId(node + 1), state, view_.revision};
  }
  bool Chance(uint64_t ppm) { return world_->choices.Chance(Choice::kPlaced, ppm); }
  uint64_t Pick(uint64_t n) { return world_->choices.Pick(Choice::kPlaced, n); }
  bool Fires(Fault fault);

  World* world_;
  const PlacedProfile& profile_;
  const Duration timeout_;
  Cluster* cluster_;
  SimNetwork* network_;
  const Endpoint self_;
  pd::ClusterView view_;  // As it was told last; revision 0: never.
  bool looked_ = false;   // Nothing was asked for since.
  AttemptId last_call_ = 0;
  bool waits_ = false;  // For an answer to that.
  Instant wait_until_;
  bool stopped_ = false;
  std::set<uint32_t> called_;  // Nodes, since it stopped.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_ADMIN_H_
