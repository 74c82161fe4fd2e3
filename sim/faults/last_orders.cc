// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/last_orders.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "sim/world/fault.h"

namespace flaredb::sim {
namespace {

using Kind = raft::MemberChange::Kind;

bool IsEffective(const raft::ConfState& conf, const raft::MemberChange& change) {
  switch (change.kind) {
    case Kind::kAddLearner:
      return conf.IsMember(change.id);
    case Kind::kPromote:
      return conf.IsVoter(change.id);
    case Kind::kDemote:
      return !conf.IsVoter(change.id);
    case Kind::kRemove:
      return !conf.IsMember(change.id);
  }
  return false;
}

std::string NotDone(const raft::MemberChange& change, const Names& names) {
  constexpr const char* kNames[] = {"added as a learner", "promoted", "demoted", "removed"};
  return names.Tell(change.id) + " is not " + kNames[static_cast<size_t>(change.kind)];
}

}  // namespace

void LastOrders::Continue() {
  if (given_) {
    if (CarriedOut()) return Next();
    const std::optional<std::string> refusal = cluster_->RefusalOf(given_->id);
    const bool refused = refusal && !refusal->empty();
    if (refused) latest_ += ", and the order was refused: " + *refusal;
    if (!refused && world_->now() - given_->at < election_timeout_ * kPatience) return;
    if (!refused) ++failures_;
    given_.reset();
    return;
  }
  const std::optional<uint32_t> leader = cluster_->leader();
  if (!leader) return;
  // Whoever has just been elected would refuse.
  const raft::View& view = cluster_->checkers().replicas()[*leader].view;
  const Commits& commits = cluster_->checkers().commits();
  if (commits.TermAt(commits.last()) != view.term || view.conf.joint() ||
      view.conf != commits.confs().back().conf) {
    return;
  }
  Give(*leader);
}

void LastOrders::Give(uint32_t leader) {
  const raft::View& view = cluster_->checkers().replicas()[leader].view;
  const Names& names = cluster_->checkers().names();
  Given given;
  given.term = view.term;
  given.at = world_->now();
  store::Order order;
  if (step_ == Step::kTransfer) {
    const std::optional<PeerId> target = Successor(view);
    if (!target) return;
    given.target = *target;
    order.what = store::TransferLeader{*target};
    std::ostringstream out;
    out << names.Tell(given.target) << ", to whom " << names.Tell(view.id)
        << " was told to hand over in term " << view.term << ", does not lead in the next term";
    latest_ = out.str();
  } else {
    given.change = Wish(view);
    if (!given.change) return Next();
    order.what = store::ChangePeers{{*given.change}};
    latest_ =
        NotDone(*given.change, names) + " as ordered in term " + std::to_string(view.term.value());
  }
  const Fault kind = step_ == Step::kTransfer ? Fault::kTransfer : Fault::kChangeMembers;
  if (!world_->faults.Fires(kind, leader)) return Next();
  // The operator's come before.
  given.id = order.id = (uint64_t{1} << 32) + ++orders_;
  given_ = std::move(given);
  cluster_->Give(leader, std::move(order), kind);
}

// One of the other voters that are left, who has everything. Nobody may be as far yet; without any
// other voter the step is over.
std::optional<PeerId> LastOrders::Successor(const raft::View& leader) {
  std::vector<PeerId> ready;
  bool alone = true;
  for (const raft::ProgressView& follower : leader.progress) {
    const uint32_t node = cluster_->checkers().NodeOf(follower.peer);
    const std::vector<PeerId>& voters = leader.conf.voters;
    if (follower.peer == leader.id || !cluster_->losses().IsMember(node) ||
        std::find(voters.begin(), voters.end(), follower.peer) == voters.end()) {
      continue;
    }
    alone = false;
    if (follower.match_index == leader.last_log.index) ready.push_back(follower.peer);
  }
  if (alone) Next();
  if (ready.empty()) return std::nullopt;
  return ready[world_->choices.Pick(Choice::kEnding, ready.size())];
}

// nullopt: nothing is possible.
std::optional<raft::MemberChange> LastOrders::Wish(const raft::View& leader) {
  std::vector<raft::MemberChange> wishes = Wishes(leader);
  if (wishes.empty()) return std::nullopt;
  raft::MemberChange wish = wishes[world_->choices.Pick(Choice::kEnding, wishes.size())];
  if (wish.kind == Kind::kAddLearner) {
    wish.id = cluster_->NewPeer(static_cast<uint32_t>(wish.store.value() - 1));
  }
  return wish;
}

// Those that the leader has no reason to refuse and that leave a quorum; a learner to be added has
// no name yet.
std::vector<raft::MemberChange> LastOrders::Wishes(const raft::View& leader) const {
  std::vector<raft::MemberChange> wishes;
  for (const PeerId peer : leader.conf.Everybody()) {
    for (const Kind kind : {Kind::kPromote, Kind::kDemote, Kind::kRemove}) {
      const raft::MemberChange wish{kind, peer, StoreId()};
      if (Possible(leader, wish)) wishes.push_back(wish);
    }
  }
  if (const std::optional<uint32_t> node = FreeStore(leader)) {
    wishes.push_back({Kind::kAddLearner, PeerId(), StoreId(*node + 1)});
  }
  return wishes;
}

bool LastOrders::Possible(const raft::View& leader, const raft::MemberChange& wish) const {
  const auto next = raft::Change(leader.conf, {&wish, 1});
  const auto* conf = std::get_if<raft::ConfState>(&next);
  if (conf == nullptr || !cluster_->losses().AQuorumIsLeft(*conf)) return false;
  if (wish.kind != Kind::kPromote) return true;
  return std::any_of(
      leader.progress.begin(), leader.progress.end(), [&](const raft::ProgressView& learner) {
        return learner.peer == wish.id && learner.caught_up && learner.recently_active;
      });
}

// The first store that is left and has no member.
std::optional<uint32_t> LastOrders::FreeStore(const raft::View& leader) const {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const auto here = [&](const raft::Member& m) { return m.store == StoreId(node + 1); };
    const std::vector<raft::Member>& members = leader.conf.members;
    if (cluster_->running(node) && std::none_of(members.begin(), members.end(), here)) return node;
  }
  return std::nullopt;
}

bool LastOrders::CarriedOut() const {
  const Commits& commits = cluster_->checkers().commits();
  if (given_->change) {
    const raft::ConfState& conf = commits.confs().back().conf;
    return !conf.joint() && IsEffective(conf, *given_->change);
  }
  const Replica& target =
      cluster_->checkers().replicas()[cluster_->checkers().NodeOf(given_->target)];
  return target.leads() && target.peer == given_->target && target.view.term == given_->term.next();
}

void LastOrders::Next() {
  given_.reset();
  failures_ = 0;
  step_ = step_ == Step::kTransfer ? Step::kChange : Step::kDone;
}

}  // namespace flaredb::sim
