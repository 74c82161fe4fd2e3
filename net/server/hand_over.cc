// SPDX-License-Identifier: Apache-2.0
#include "net/server/hand_over.h"

#include <algorithm>
#include <tuple>

namespace flaredb::net {
namespace {

bool IsLed(const store::PeerView& peer) {
  return peer.raft.role == raft::Role::kLeader && !peer.poisoned;
}

bool IsOtherVoter(const raft::View& raft, PeerId peer) {
  const std::vector<PeerId>& voters = raft.conf.voters;
  return peer != raft.id && std::find(voters.begin(), voters.end(), peer) != voters.end();
}

// Zero: there is nobody. `last` failed and is taken again only if there is nobody else.
PeerId Successor(const raft::View& raft, PeerId last) {
  const raft::ProgressView* best = nullptr;
  const auto rank = [last](const raft::ProgressView& follower) {
    return std::tuple(follower.peer != last, follower.recently_active, follower.match_index);
  };
  for (const raft::ProgressView& follower : raft.progress) {
    if (!IsOtherVoter(raft, follower.peer)) continue;
    if (best == nullptr || rank(follower) > rank(*best)) best = &follower;
  }
  return best == nullptr ? PeerId() : best->peer;
}

}  // namespace

std::vector<store::Order> HandOver::Next(Instant now, const std::vector<store::PeerView>& peers) {
  std::vector<store::Order> orders;
  for (const store::PeerView& peer : peers) {
    if (!IsLed(peer)) continue;
    const auto asked = asked_.find(peer.region);
    if (asked != asked_.end() && now - asked->second.at < kPatience) continue;
    const PeerId last = asked == asked_.end() ? PeerId() : asked->second.target;
    const PeerId target = Successor(peer.raft, last);
    if (!target) continue;
    asked_[peer.region] = {target, now};
    orders.push_back({++last_order_, peer.region, store::TransferLeader{target}});
  }
  return orders;
}

size_t HandOver::Left(const std::vector<store::PeerView>& peers) {
  return static_cast<size_t>(std::count_if(
      peers.begin(), peers.end(),
      [](const store::PeerView& peer) { return IsLed(peer) && Successor(peer.raft, PeerId()); }));
}

}  // namespace flaredb::net
