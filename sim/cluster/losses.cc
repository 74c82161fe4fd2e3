// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/losses.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/invariants/quorum.h"

namespace flaredb::sim {

bool Losses::MayWipe(uint32_t node) const {
  const std::vector<Replica>& replicas = checkers_->replicas();
  const raft::ConfAt& last = checkers_->commits().confs().back();
  const PeerId peer = replicas[node].peer;
  if (!last.conf.IsMember(peer) || !last.conf.Find(peer).incarnation || last.conf.joint()) {
    return false;
  }
  if (last.conf.IsVoter(peer) && last.conf.voters.size() < 3) return false;
  for (const PeerId member : last.conf.Everybody()) {
    if (wiped(member)) return false;
  }
  return std::all_of(replicas.begin(), replicas.end(), [&](const Replica& replica) {
    return !last.conf.IsMember(replica.peer) ||
           (replica.view.conf == last.conf && replica.view.durable_index >= last.index);
  });
}

const std::set<uint32_t>& Losses::LeaveOutAllButAQuorum(Choices* choices, bool stop,
                                                        std::optional<uint32_t> first) {
  stop_ = stop;
  std::vector<uint32_t> order(checkers_->replicas().size());
  std::iota(order.begin(), order.end(), 0);
  for (auto i = static_cast<uint32_t>(order.size()); i > 1; --i) {
    std::swap(order[i - 1], order[choices->Pick(Choice::kFaultTarget, i)]);
  }
  if (first) std::swap(*std::find(order.begin(), order.end(), *first), order[0]);
  for (const uint32_t node : order) {
    left_out_.insert(node);
    if (!AQuorumOfEverybodyIsLeft()) left_out_.erase(node);
  }
  return left_out_;
}

bool Losses::AQuorumIsLeft(const raft::ConfState& conf) const {
  return IsQuorum(conf, [&](PeerId peer) {
    const uint32_t node = checkers_->NodeOf(peer);
    return !left_out(node) && checkers_->replicas()[node].peer == peer && !wiped(peer);
  });
}

bool Losses::AQuorumOfEverybodyIsLeft() const {
  const std::vector<Replica>& replicas = checkers_->replicas();
  return AQuorumIsLeft(conf()) &&
         std::all_of(replicas.begin(), replicas.end(), [&](const Replica& holder) {
           return !holder.peer || wiped(holder.peer) || AQuorumIsLeft(holder.view.conf);
         });
}

bool Losses::IsMember(uint32_t node) const {
  const PeerId peer = checkers_->replicas()[node].peer;
  return !left_out(node) && conf().IsMember(peer) && !wiped(peer);
}

std::vector<uint32_t> Losses::members() const {
  std::vector<uint32_t> members;
  for (uint32_t node = 0; node < checkers_->replicas().size(); ++node) {
    if (IsMember(node)) members.push_back(node);
  }
  return members;
}

bool Losses::EveryMemberLeftIsThere() const {
  const std::vector<PeerId> everybody = conf().Everybody();
  const auto left = std::count_if(everybody.begin(), everybody.end(), [&](PeerId peer) {
    return !wiped(peer) && !left_out(checkers_->NodeOf(peer));
  });
  return members().size() == static_cast<size_t>(left);
}

}  // namespace flaredb::sim
