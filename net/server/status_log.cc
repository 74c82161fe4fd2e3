// SPDX-License-Identifier: Apache-2.0
#include "net/server/status_log.h"

#include "net/server/log.h"

namespace flaredb::net {

bool StatusLog::Update(const std::vector<store::PeerView>& peers) {
  bool well = true;
  for (const store::PeerView& peer : peers) {
    Seen& seen = seen_[peer.region];
    if (peer.poisoned && !seen.poisoned) {
      Log(LogLevel::kError, "a broken invariant silenced a replica",
          {{"region", peer.region}, {"peer", peer.peer}, {"invariant", peer.poison}});
    }
    const PeerId leader = peer.raft.leader;
    if (leader && (leader != seen.leader || peer.raft.term != seen.term)) {
      ++leader_changes_;
      Log(LogLevel::kInfo, leader == peer.peer ? "leads" : "follows",
          {{"region", peer.region}, {"leader", leader}, {"term", peer.raft.term}});
    } else if (!leader && seen.leader) {
      Log(LogLevel::kWarn, "lost its leader",
          {{"region", peer.region}, {"leader", seen.leader}, {"term", peer.raft.term}});
    }
    seen = {peer.raft.term, leader, peer.poisoned};
    well = well && leader && !peer.poisoned;
  }
  return well;
}

}  // namespace flaredb::net
