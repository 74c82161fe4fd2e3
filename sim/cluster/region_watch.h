// SPDX-License-Identifier: Apache-2.0
// One region of a run, as the simulator watches it: what must hold there, and what it has lost.
#ifndef FLAREDB_SIM_CLUSTER_REGION_WATCH_H_
#define FLAREDB_SIM_CLUSTER_REGION_WATCH_H_

#include <optional>
#include <utility>
#include <vector>

#include "core/region/region.h"
#include "core/store/store.h"
#include "sim/cluster/losses.h"
#include "sim/invariants/checkers.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

struct RegionWatch {
  // As for Checkers; failures go to `about`.
  RegionWatch(const Region& founded, const std::vector<const SimDisk*>& disks,
              const raft::Config& config, bool leases, FailureReport about, Clocks clocks,
              MachineSpec* spec)
      : region(founded),
        report(std::move(about)),
        checkers(region, disks, config, leases, &report, std::move(clocks), spec),
        losses(&checkers) {}
  RegionWatch(const RegionWatch&) = delete;
  RegionWatch& operator=(const RegionWatch&) = delete;

  // The replica of it; null when there is none. Borrowed.
  const store::PeerView* In(const std::vector<store::PeerView>& views) const {
    for (const store::PeerView& view : views) {
      if (view.region == region.id) return &view;
    }
    return nullptr;
  }
  // The running leader of the highest term.
  std::optional<uint32_t> leader() const {
    std::optional<uint32_t> best;
    const std::vector<Replica>& replicas = checkers.replicas();
    for (uint32_t id = 0; id < replicas.size(); ++id) {
      if (!replicas[id].leads()) continue;
      if (!best || replicas[id].view.term > replicas[*best].view.term) best = id;
    }
    return best;
  }

  // No change of members is half done, and everybody who is left has applied the whole log.
  bool Settled() const {
    const Commits& commits = checkers.commits();
    if (commits.confs().back().conf.joint() || !losses.EveryMemberLeftIsThere()) return false;
    for (const uint32_t node : losses.members()) {
      const Replica& replica = checkers.replicas()[node];
      if (replica.view.last_log.index != commits.last() || replica.applied != commits.last()) {
        return false;
      }
    }
    return true;
  }

  const Region region;  // As it was founded.
  FailureReport report;
  Checkers checkers;
  Losses losses;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_REGION_WATCH_H_
