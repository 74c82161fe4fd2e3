// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/removals.h"

#include <algorithm>
#include <variant>

namespace flaredb::sim {
namespace {

bool HasAppliedItsRemoval(const LogImage& log, PeerId peer, Index applied) {
  const bool was_member =
      log.base().conf.IsMember(peer) ||
      std::any_of(log.confs().begin(), log.confs().end(), [&](const raft::ConfAt& at) {
        return at.index <= applied && at.conf.IsMember(peer);
      });
  return was_member && !log.ConfAt(applied).IsMember(peer);
}

}  // namespace

void Removals::OnTurn(uint32_t node, absl::Span<const store::Event> events,
                      const Replica& replica) {
  // What it may yet apply could make it a member.
  const bool settled = replica.before.conf_index == replica.view.conf_index &&
                       replica.before.handed_out_index >= replica.view.conf_index;
  if (!settled || !replica.view.conf.IsMember(replica.peer)) return;
  for (const store::Event& event : events) {
    const auto* received = std::get_if<store::MessageReceived>(&event);
    const auto* removed =
        received != nullptr ? std::get_if<store::PeerRemoved>(&received->message) : nullptr;
    if (removed != nullptr && removed->region == region_ && removed->peer == replica.peer &&
        removed->conf_version > commits_->ConfVersionAt(replica.view.conf_index)) {
      told_[node] = replica.peer;
    }
  }
}

bool Removals::Knows(uint32_t node, const Replica& replica) const {
  const PeerId peer = replica.peer ? replica.peer : replica.durable_peer;
  if (!peer || commits_->confs().back().conf.IsMember(peer)) return false;
  const auto told = told_.find(node);
  return (told != told_.end() && told->second == peer) ||
         HasAppliedItsRemoval(replica.issued, peer, replica.applied);
}

}  // namespace flaredb::sim
