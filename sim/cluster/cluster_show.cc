// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <sstream>

#include "sim/invariants/rows.h"
#include "sim/world/describe.h"

namespace flaredb::sim {

Standstill Cluster::Show(const RegionWatch& region) const {
  const Checkers& checkers = region.checkers;
  Standstill all;
  all.leader = region.leader();
  all.conf = checkers.commits().confs().back().conf;
  all.committed = checkers.commits().last();
  all.names = checkers.names();
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    const Replica& replica = checkers.replicas()[id];
    for (uint32_t to = 0; to < size(); ++to) {
      if (network_->IsCut(id, to)) all.cut.insert({id, to});
    }
    Standstill::Store& shown = all.stores.emplace_back();
    shown.runs = node.store != nullptr;
    shown.left_out = region.losses.left_out(id);
    if (!shown.runs) continue;
    shown.clock = node.clock.Read(world_->now());
    const auto& there = node.disk.image().replicas();
    if (const auto row = there.find(region.region.id); row != there.end()) {
      shown.life = row->second.incarnation;
    }
    shown.view = replica.view;
    shown.applied = replica.applied;
    shown.unfinished = node.disk.in_flight();
    shown.disk_failed = node.disk.write_failed();
    shown.destroyed = RemovedIn(region.region.id, node.disk.image().rows());
    for (store::CallView& call : node.store->calls()) {
      const auto* client = std::get_if<store::CallId>(&call.origin);
      const auto known = client != nullptr ? node.calls.find(*client) : node.calls.end();
      const AttemptId attempt = known != node.calls.end() ? known->second.attempt : 0;
      shown.calls.emplace_back(attempt, std::move(call));
    }
  }
  return all;
}

std::string Cluster::Describe(const RegionWatch& region) const {
  const Checkers& checkers = region.checkers;
  std::ostringstream out;
  for (uint32_t id = 0; id < size(); ++id) {
    const Replica& replica = checkers.replicas()[id];
    out << "    " << id + 1 << ": ";
    if (!nodes_[id].store) {
      out << "down\n";
    } else if (!replica.peer) {
      out << "no replica\n";
    } else {
      out << sim::Describe(replica.view) << " applied " << replica.applied << ", "
          << checkers.names().Tell(replica.view.conf) << " at " << replica.view.conf_index << "\n";
    }
  }
  return out.str();
}

}  // namespace flaredb::sim
