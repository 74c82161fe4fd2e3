// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <algorithm>

#include "sim/invariants/flow.h"

namespace flaredb::sim {

// It has accepted writes and no member of the region, by which to send them: they wait, for ever
// if need be, and go on trying.
bool Cluster::KeepsRows(uint32_t id) const {
  return !placement_ && !losses().IsMember(id) && nodes_[id].store->outbox_rows() != 0;
}

bool Cluster::Settled() const {
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    if (!present(id)) continue;
    if (!node.store || node.disk.in_flight() != 0 || !node.calls.empty()) return false;
    if (node.store->waiting_calls() != 0 && !KeepsRows(id)) return false;
  }
  return std::all_of(regions_.begin(), regions_.end(),
                     [](const auto& region) { return region->Settled(); });
}

std::optional<std::string> Cluster::HeldAtRest() const {
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    if (!present(id) || KeepsRows(id)) continue;
    const std::vector<store::PeerView> views = node.store->peers();
    std::optional<std::string> held = sim::HeldAtRest(*node.store, node.disk.image());
    for (const auto& region : regions_) {
      const auto answers = [&](PeerId peer) {
        return region->losses.IsMember(region->checkers.NodeOf(peer));
      };
      if (!held && region->checkers.HoldsRemoved(id)) {
        held = "a replica that knows that it was removed";
      }
      if (held || !region->losses.IsMember(id)) continue;
      held = sim::HeldAtRest(*region->In(views), answers);
    }
    const size_t rows = node.store->outbox_rows();
    if (!held && rows != 0 && (placement_ || losses().IsMember(id))) {
      held = std::to_string(rows) + " rows in its outbox";
    }
    if (held) {
      return "all work is done, but store " + std::to_string(id + 1) + " still holds " + *held +
             ".";
    }
  }
  return std::nullopt;
}

uint64_t Cluster::applied_in_all() const {
  uint64_t sum = 0;
  for (const auto& region : regions_) {
    for (const Replica& replica : region->checkers.replicas()) sum += replica.applied.value();
  }
  return sum;
}

uint64_t Cluster::durable_in_all() const {
  uint64_t sum = 0;
  for (const auto& region : regions_) {
    for (const Replica& replica : region->checkers.replicas()) {
      if (replica.running && replica.peer) sum += replica.view.durable_index.value();
    }
  }
  return sum;
}

}  // namespace flaredb::sim
