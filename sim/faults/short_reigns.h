// SPDX-License-Identifier: Apache-2.0
// A nemesis of elections: for a while every leader dies young.
#ifndef FLAREDB_SIM_FAULTS_SHORT_REIGNS_H_
#define FLAREDB_SIM_FAULTS_SHORT_REIGNS_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "sim/cluster/cluster.h"
#include "sim/world/network.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Logs whose ends stem from many short terms, on few disks each, are where the rules of thesis 3.6
// decide; ordinary faults make them rarely. From its election on, a leader may reach only one
// follower, and it dies at a moment drawn for this reign.
class ShortReigns {
 public:
  // Everything passed outlives this object.
  ShortReigns(World* world, SimNetwork* network, uint32_t stores, Duration election_timeout)
      : world_(world), network_(network), stores_(stores), election_timeout_(election_timeout) {}

  // Calls nest: it is on until each Begin had its End.
  void Begin() { ++on_; }
  void End();

  // As TurnObserver.
  std::optional<Death> CrashAfterTurn(uint32_t node, Moments moments);

 private:
  void BeginReign(uint32_t node);
  void EndReign();

  World* world_;
  SimNetwork* network_;
  uint32_t stores_;
  Duration election_timeout_;
  uint32_t on_ = 0;
  std::optional<uint32_t> leader_;
  Moments fatal_ = 0;
  uint32_t skip_ = 0;  // Fatal moments that pass before it dies.
  std::vector<std::pair<Endpoint, Endpoint>> cuts_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_SHORT_REIGNS_H_
