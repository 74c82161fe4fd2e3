// SPDX-License-Identifier: Apache-2.0
// Causes the faults of a run's plan, and ends them.
#ifndef FLAREDB_SIM_FAULTS_NEMESIS_H_
#define FLAREDB_SIM_FAULTS_NEMESIS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "sim/cluster/cluster.h"
#include "sim/faults/short_reigns.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Faults begin one after another and may overlap. All targets and times are choices.
class Nemesis : public TurnObserver {
 public:
  // `clients` are the endpoints after those of the stores. Everything passed outlives this object.
  Nemesis(World* world, const Profile& profile, Cluster* cluster, SimNetwork* network,
          uint32_t clients);

  void Start();
  // On kFault: begins a fault, or ends the one that `arg` names.
  void OnEvent(uint64_t arg);
  // No fault from now on. What is broken is for the network and the cluster to heal.
  void Stop() { stopped_ = true; }

  std::optional<Death> CrashAfterTurn(uint32_t node, Moments moments) override;

 private:
  using LinkName = std::pair<Endpoint, Endpoint>;
  // A fault that has an end.
  struct Ongoing {
    Fault fault = Fault::kCount;
    std::vector<LinkName> cuts;
    std::vector<LinkName> held;
    std::optional<LinkName> slow;
    std::optional<uint32_t> crash;  // Who dies when it ends.
    size_t recorded = 0;            // Its number in the record of the run.
  };
  // A crash that waits for its moment.
  struct Ambush {
    Moments moments = 0;
    std::optional<uint32_t> node;  // Absent: whoever comes first.
    uint32_t skip = 0;             // Let this many pass.
  };

  void Begin(Fault fault);
  void End(uint64_t id);
  void Last(Ongoing ongoing, Duration length);
  std::vector<uint32_t> Struck(const Ongoing& ongoing) const;
  void CutBothWays(uint32_t a, uint32_t b, Ongoing* ongoing);
  void CutOff(uint32_t node, Ongoing* ongoing);
  void Split(Ongoing* ongoing);
  void Bridge(Ongoing* ongoing);
  void PartialAppend(Ongoing* ongoing);
  void PauseLeader(Ongoing ongoing);
  void FailRead();
  void BreakReplica(Ongoing ongoing);
  void IsolateLeader(Ongoing ongoing);
  void SpoilLink(Ongoing ongoing);
  void Hold(uint32_t from, uint32_t to, Ongoing* ongoing);
  void Deafen(uint32_t node, Ongoing* ongoing);
  void Estrange(uint32_t node, Ongoing* ongoing);
  void MoveClocks(Ongoing ongoing);
  void LayAmbush();
  uint32_t RandomStore();
  uint32_t LeaderOrRandom();
  bool Coin();
  int64_t ClockDrift();
  Duration Length();
  Duration Downtime();

  World* world_;
  const Profile& profile_;
  Cluster* cluster_;
  SimNetwork* network_;
  uint32_t clients_;
  bool stopped_ = false;
  std::map<uint64_t, Ongoing> ongoing_;
  uint64_t last_id_ = 0;
  std::optional<Ambush> ambush_;
  ShortReigns short_reigns_;
  // Owner of the choices of the latest fault. One after another, so that a fault that is left out
  // takes no choice from the next one.
  uint32_t stream_ = 0;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_NEMESIS_H_
