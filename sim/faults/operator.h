// SPDX-License-Identifier: Apache-2.0
// Somebody who changes the members of the region and moves its leadership while it works.
#ifndef FLAREDB_SIM_FAULTS_OPERATOR_H_
#define FLAREDB_SIM_FAULTS_OPERATOR_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/store/order.h"
#include "sim/cluster/cluster.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {

// Sends one order at a time to whom it takes for the leader; what becomes of it is for the cluster
// to say. Wishes are drawn from what makes sense by the leader's view, which may be outdated; one
// order in eight goes to a random store, one transfer in eight to somebody who can't lead, one
// change in eight has a wish that makes no sense, and after one order in eight somebody gets a plan
// of recovery that is out of date.
class Operator {
 public:
  // Everything passed outlives this object.
  Operator(World* world, const OperatorProfile& profile, Cluster* cluster)
      : world_(world), profile_(profile), cluster_(cluster) {}

  void Start();
  // On kOperator.
  void OnEvent();
  // No order from now on.
  void Stop() { stopped_ = true; }

  uint64_t orders() const { return orders_; }

 private:
  bool IsOdd();
  PeerId OddTarget(const raft::View& leader);
  // A random one of them; nullopt when there is none.
  std::optional<PeerId> AnyOf(const std::vector<PeerId>& peers);
  std::optional<raft::MemberChange> Wish(const raft::View& leader);
  std::optional<raft::MemberChange> Addition(const raft::View& leader);
  std::vector<raft::MemberChange> Wishes(const raft::View& leader);
  void AddNonsense(const raft::View& leader, std::vector<raft::MemberChange>* wishes);
  void GiveStalePlan();
  void Schedule();

  World* world_;
  const OperatorProfile& profile_;
  Cluster* cluster_;
  bool stopped_ = false;
  uint64_t orders_ = 0;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_FAULTS_OPERATOR_H_
