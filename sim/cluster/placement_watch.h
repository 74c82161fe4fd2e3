// SPDX-License-Identifier: Apache-2.0
// PLACE: what the placement driver decided, what it tells stores to do, and what they know of it.
#ifndef FLAREDB_SIM_CLUSTER_PLACEMENT_WATCH_H_
#define FLAREDB_SIM_CLUSTER_PLACEMENT_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/cluster/directory.h"
#include "core/cluster/roll_call.h"
#include "core/pd/reply.h"
#include "sim/cluster/region_watch.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// What is decided is in the log of the placement driver's region. That the machine carries it out
// as it should, and that its rows keep the rules of core/pd, is for that region's checkers
// (MODEL, RULE: sim/pd); here is asked whether it is right for the cluster.
class PlacementWatch {
 public:
  // What the store of a node says of itself.
  struct Sight {
    // Writes to a namespace that it accepted and may still pass on, also after a crash.
    std::function<size_t(uint32_t node, kv::NamespaceId ns)> rows_of;
    // The directory on its disk; of revision 0: there is none.
    std::function<cluster::Directory(uint32_t node)> directory_of;
  };

  // `regions`: the placement driver's and one more, which holds all namespaces. All outlive this
  // object.
  PlacementWatch(const RegionWatch* pd, const RegionWatch* data, size_t replicas, Sight sight,
                 FailureReport* report);

  // After every turn. PLACE, of what was committed since the last time:
  //   switches  one goes on when the region's fence of its epoch stands, when every member knows
  //             of the epoch, and when none has writes to pass on that the next state shuts out
  //   fences    the region's is the one that the placement driver asked for at that epoch, and
  //             stays as it is
  //   leaving   who counts as drained or is removed is no voter anywhere; who was drained has no
  //             writes to pass on
  //   names     a replica's name is used once: in one region, and not again after it left that
  void Follow();

  // The store on `node`, which leads the placement driver's region, calls another one. PLACE:
  // nobody is added or promoted on a store that is not up, and a region is not left with fewer
  // voters than there ought to be.
  void OnCall(uint32_t node, const cluster::RollCall& call);

  // The disk of `node` has another directory. PLACE: it goes forward, and says what the placement
  // driver's rows said at its revision; of the store itself it may say that it was given up.
  void OnDirectory(uint32_t node, const cluster::Directory& before, const cluster::Directory& now);

  // By all that is committed. Revision 0: the cluster is not founded.
  const pd::ClusterView& view() const { return view_; }
  // By all that was, up to an index of the log.
  pd::ClusterView ViewAt(Index index) const;

 private:
  void OnView(pd::ClusterView view);
  void OnStep(const pd::Namespace& before, const pd::Namespace& after);
  void OnLeaving(const pd::StoreInfo& before, const pd::StoreInfo& after);
  void CheckFence(const pd::Namespace& ns);
  void CheckNames(const RegionWatch& region);
  bool IsVoterSomewhere(StoreId store) const;
  void Fail(std::string sentence);

  const RegionWatch* pd_;
  const RegionWatch* data_;
  const size_t replicas_;
  const Sight sight_;
  FailureReport* report_;
  size_t followed_ = 0;  // Of the commands that were carried out.
  pd::ClusterView view_;
  std::map<pd::Revision, pd::ClusterView> views_;  // By revision.
  std::map<std::pair<kv::NamespaceId, pd::ModeEpoch>, pd::ModeState> states_;
  std::map<kv::NamespaceId, kv::Fence> fences_;  // The latest that was seen.
  std::map<PeerId, RegionId> names_;             // Of members, present and past.
  std::map<RegionId, std::set<PeerId>> members_;
  std::map<RegionId, size_t> confs_;  // Looked at so far.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_PLACEMENT_WATCH_H_
