// SPDX-License-Identifier: Apache-2.0
// What a run has lost for good: replicas whose disk was wiped, and stores that never start again.
// No more than the region can bear, since its data must outlive them; unless a majority goes.
#ifndef FLAREDB_SIM_CLUSTER_LOSSES_H_
#define FLAREDB_SIM_CLUSTER_LOSSES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/base/types.h"
#include "core/raft/types.h"
#include "core/raft/view.h"
#include "sim/invariants/checkers.h"
#include "sim/world/choices.h"

namespace flaredb::sim {

// Decides and remembers; the cluster carries it out. "The region" is its last committed
// configuration; "wiped" is said of a replica, "left out" and "stopped" of a node.
class Losses {
 public:
  // `checkers`: who has which replica. Outlives this object.
  explicit Losses(const Checkers* checkers) : checkers_(checkers) {}
  // Whether the region can bear that the disk of `node` is lost: everybody has one configuration,
  // not joint, on the disk, which names this life of the replica (docs/RAFT.md, incarnations); two
  // more voters are there if it is one; and nobody else who was wiped is still a member. Requires
  // that every store runs and no order is under way.
  bool MayWipe(uint32_t node) const;
  void Wipe(uint32_t node) {
    wiped_.insert(checkers_->replicas()[node].peer);
    ++wipes_[node];
  }
  bool wiped(PeerId peer) const { return wiped_.count(peer) != 0; }
  // How often the disk of `node` was wiped.
  uint32_t wipes(uint32_t node) const {
    const auto wipes = wipes_.find(node);
    return wipes == wipes_.end() ? 0 : wipes->second;
  }

  // Nothing is asked any more of as many nodes as leave a quorum of every configuration that
  // anybody holds. Draws which; ascending. `first` is one of them if that is possible. Requires
  // that no order is under way.
  //   stop  whether they stop for good
  const std::set<uint32_t>& LeaveOutAllButAQuorum(Choices* choices, bool stop,
                                                  std::optional<uint32_t> first);
  // Nodes are lost for good, so many that nobody can be elected any more, but not all who have
  // something to recover from. Draws which; none if that is impossible. Requires that
  // every store runs and no order is under way.
  const std::set<uint32_t>& LoseAMajority(Choices* choices);
  // What those report who are left and run.
  std::vector<raft::View> Reports() const;
  bool left_out(uint32_t node) const { return left_out_.count(node) != 0; }
  const std::set<uint32_t>& all_left_out() const { return left_out_; }
  bool stopped(uint32_t node) const { return stopped_.count(node) != 0; }

  // Whether those who are left are a quorum of every configuration that anybody holds when `node`
  // is lost, too, and of one in which it is a voter where it is a learner now.
  bool MayLose(uint32_t node) const;
  // It is, for good.
  void Lose(uint32_t node, bool stops) {
    left_out_.insert(node);
    if (stops) stopped_.insert(node);
  }

  // Whether those who are left would be a quorum of `conf`.
  bool AQuorumIsLeft(const raft::ConfState& conf) const;
  // Whether the node is left and its replica a member of the region.
  bool IsMember(uint32_t node) const;
  std::vector<uint32_t> members() const;
  // Whether every member of the region that was not lost is on its node.
  bool EveryMemberLeftIsThere() const;

 private:
  bool IsLeft(PeerId peer) const;
  const raft::ConfState& conf() const { return checkers_->commits().confs().back().conf; }
  bool AQuorumOfEverybodyIsLeft() const;
  bool CanBeRecovered() const;
  bool NobodyCanBeElected() const;
  std::vector<uint32_t> AllNodes(Choices* choices) const;

  const Checkers* checkers_;
  std::set<PeerId> wiped_;
  std::map<uint32_t, uint32_t> wipes_;
  std::set<uint32_t> left_out_;
  std::set<uint32_t> stopped_;  // Of those.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_LOSSES_H_
