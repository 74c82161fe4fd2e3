// SPDX-License-Identifier: Apache-2.0
// Nodes, stores and peers of one region under each other's names.
#ifndef FLAREDB_SIM_INVARIANTS_NAMES_H_
#define FLAREDB_SIM_INVARIANTS_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/types.h"
#include "core/region/region.h"

namespace flaredb::sim {

// Node i of the simulation holds store i + 1. The region has one peer on each.
class Names {
 public:
  explicit Names(const Region& region) {
    peers_.resize(region.peers.size());
    for (const Peer& peer : region.peers) peers_[peer.store.value() - 1] = peer.id;
  }

  uint32_t nodes() const { return static_cast<uint32_t>(peers_.size()); }
  uint32_t quorum() const { return nodes() / 2 + 1; }
  PeerId PeerOf(uint32_t node) const { return peers_[node]; }
  uint32_t NodeOf(PeerId peer) const {
    for (uint32_t node = 0; node < nodes(); ++node) {
      if (peers_[node] == peer) return node;
    }
    INVARIANT(false) << "no peer " << peer;
    return 0;
  }
  // "store 2"
  std::string Store(uint32_t node) const { return "store " + std::to_string(node + 1); }

 private:
  std::vector<PeerId> peers_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_NAMES_H_
