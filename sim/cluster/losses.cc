// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/losses.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/raft/membership.h"
#include "sim/invariants/quorum.h"

namespace flaredb::sim {
// In a random order.
std::vector<uint32_t> Losses::AllNodes(Choices* choices) const {
  std::vector<uint32_t> order(checkers_->replicas().size());
  std::iota(order.begin(), order.end(), 0);
  for (auto i = static_cast<uint32_t>(order.size()); i > 1; --i) {
    std::swap(order[i - 1], order[choices->Pick(Choice::kFaultTarget, i)]);
  }
  return order;
}

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
  std::vector<uint32_t> order = AllNodes(choices);
  if (first) std::swap(*std::find(order.begin(), order.end(), *first), order[0]);
  for (const uint32_t node : order) {
    left_out_.insert(node);
    if (!AQuorumOfEverybodyIsLeft()) left_out_.erase(node);
  }
  if (stop) stopped_ = left_out_;
  return left_out_;
}

const std::set<uint32_t>& Losses::LoseAMajority(Choices* choices) {
  std::vector<uint32_t> order = AllNodes(choices);
  // As often as not the longest logs go first, so that those who are left have gaps to fill.
  if (choices->Pick(Choice::kFaultTarget, 2) == 0) {
    const std::vector<Replica>& replicas = checkers_->replicas();
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return replicas[a].view.last_log > replicas[b].view.last_log;
    });
  }
  bool enough = false;
  for (const uint32_t node : order) {
    // Beyond what it takes, now and then.
    if (enough && choices->Pick(Choice::kFaultTarget, 3) != 0) continue;
    left_out_.insert(node);
    if (!CanBeRecovered()) left_out_.erase(node);
    enough = NobodyCanBeElected();
  }
  if (!enough) left_out_.clear();
  stopped_ = left_out_;
  return left_out_;
}

std::vector<raft::View> Losses::Reports() const {
  std::vector<raft::View> reports;
  for (uint32_t node = 0; node < checkers_->replicas().size(); ++node) {
    const Replica& replica = checkers_->replicas()[node];
    if (!left_out(node) && replica.running && replica.peer) reports.push_back(replica.view);
  }
  return reports;
}

// Somebody is left who is a member, by its own log; also when it goes on to leave a joint phase by
// itself.
bool Losses::CanBeRecovered() const {
  const std::vector<raft::View> reports = Reports();
  return std::any_of(reports.begin(), reports.end(), [](const raft::View& view) {
    const raft::ConfState& conf = view.conf;
    return (conf.joint() ? raft::LeaveJoint(conf) : conf).IsMember(view.id);
  });
}

// By the region's configuration or that of anybody who is left. Not by what the core plans, which
// is what is put to the test.
bool Losses::NobodyCanBeElected() const {
  const std::vector<raft::View> reports = Reports();
  return !AQuorumIsLeft(conf()) &&
         std::none_of(reports.begin(), reports.end(), [&](const raft::View& view) {
           return view.conf.IsMember(view.id) && AQuorumIsLeft(view.conf);
         });
}

bool Losses::MayLose(uint32_t node) const {
  Losses after = *this;
  after.left_out_.insert(node);
  const std::vector<Replica>& replicas = checkers_->replicas();
  const PeerId peer = replicas[node].peer;
  const auto bears_it = [&](raft::ConfState conf) {
    if (!after.AQuorumIsLeft(conf)) return false;
    if (!conf.IsMember(peer) || conf.IsVoter(peer)) return true;
    // Nobody may have heard of the loss when the learner becomes a voter in the place of another.
    *std::find_if(conf.voters.begin(), conf.voters.end(),
                  [&](PeerId voter) { return after.IsLeft(voter); }) = peer;
    return after.AQuorumIsLeft(conf);
  };
  for (uint32_t other = 0; other < replicas.size(); ++other) {
    if (after.left_out(other) || !replicas[other].peer) continue;
    if (!bears_it(replicas[other].view.conf)) return false;
  }
  return bears_it(conf());
}

bool Losses::IsLeft(PeerId peer) const {
  const uint32_t node = checkers_->NodeOf(peer);
  return !left_out(node) && checkers_->replicas()[node].peer == peer && !wiped(peer);
}

bool Losses::AQuorumIsLeft(const raft::ConfState& conf) const {
  return IsQuorum(conf, [&](PeerId peer) { return IsLeft(peer); });
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
