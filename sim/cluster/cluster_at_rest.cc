// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include "sim/invariants/flow.h"

namespace flaredb::sim {

// It has accepted writes and no member of the region, by which to send them: they wait, for ever
// if need be, and go on trying.
bool Cluster::KeepsRows(uint32_t id) const {
  return !losses_.IsMember(id) && nodes_[id].store->outbox_rows() != 0;
}

bool Cluster::Settled() const {
  const Commits& commits = checkers_.commits();
  const raft::ConfState& conf = commits.confs().back().conf;
  if (conf.joint() || !losses_.EveryMemberLeftIsThere()) return false;
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    const Replica& replica = checkers_.replicas()[id];
    if (losses_.left_out(id)) continue;
    if (!node.store || node.disk.in_flight() != 0 || !node.calls.empty()) return false;
    if (node.store->waiting_calls() != 0 && !KeepsRows(id)) return false;
    if (!losses_.IsMember(id)) continue;
    if (replica.view.last_log.index != commits.last() || replica.applied != commits.last()) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> Cluster::HeldAtRest() const {
  const auto answers = [&](PeerId peer) { return losses_.IsMember(checkers_.NodeOf(peer)); };
  for (uint32_t id = 0; id < size(); ++id) {
    const Node& node = nodes_[id];
    if (losses_.left_out(id) || KeepsRows(id)) continue;
    const std::vector<store::PeerView> views = node.store->peers();
    std::optional<std::string> held = sim::HeldAtRest(*node.store, node.disk.image());
    if (!held && checkers_.HoldsRemoved(id)) held = "a replica that knows that it was removed";
    if (!held && losses_.IsMember(id)) {
      held = sim::HeldAtRest(*ViewIn(views), answers);
      const size_t rows = node.store->outbox_rows();
      if (!held && rows != 0) held = std::to_string(rows) + " rows in its outbox";
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
  for (const Replica& replica : checkers_.replicas()) sum += replica.applied.value();
  return sum;
}

uint64_t Cluster::durable_in_all() const {
  uint64_t sum = 0;
  for (const Replica& replica : checkers_.replicas()) {
    if (replica.running && replica.peer) sum += replica.view.durable_index.value();
  }
  return sum;
}

}  // namespace flaredb::sim
