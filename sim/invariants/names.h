// SPDX-License-Identifier: Apache-2.0
// Nodes, stores and peers of one region under each other's names, and what sentences call them.
#ifndef FLAREDB_SIM_INVARIANTS_NAMES_H_
#define FLAREDB_SIM_INVARIANTS_NAMES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/types.h"
#include "core/raft/types.h"
#include "core/region/region.h"

namespace flaredb::sim {

// Of the replicas of one region. Node i of the simulation holds store i + 1. A peer belongs to one
// node for ever; a node may have held several peers of the region, one after the other.
class Names {
 public:
  Names(uint32_t nodes, const Region& region) : nodes_(nodes), region_(region.id) {
    for (const Peer& peer : region.peers) Add(peer.id, peer.store);
  }

  // A peer that is to be created on `store`.
  void Add(PeerId peer, StoreId store) {
    node_of_[peer] = static_cast<uint32_t>(store.value() - 1);
  }

  uint32_t nodes() const { return nodes_; }
  RegionId region() const { return region_; }
  uint32_t NodeOf(PeerId peer) const {
    const auto node = node_of_.find(peer);
    INVARIANT(node != node_of_.end()) << "no peer " << peer;
    return node->second;
  }
  // "store 2": what people call a node, and a peer as well unless its store has held another one.
  static std::string Store(uint32_t node) { return "store " + std::to_string(node + 1); }
  // "store 2", or "store 2's peer 108".
  std::string Tell(PeerId peer) const;
  // "stores {1,2,4} from {1,2,3} learners {5}"; a peer that needs its name is "4's 108".
  std::string Tell(const raft::ConfState& conf) const;

 private:
  std::string Number(PeerId peer) const;
  std::string List(const std::vector<PeerId>& peers) const;

  uint32_t nodes_;
  RegionId region_;
  std::map<PeerId, uint32_t> node_of_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_NAMES_H_
