// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/operator.h"

#include <algorithm>
#include <utility>

namespace flaredb::sim {
namespace {

// Orders that go to a random store, and transfers to somebody who can't lead.
constexpr uint64_t kOddOneIn = 8;
// Whether an order is odd, and how, comes from a stream of its own: what sensible orders are made
// of does not depend on it.
constexpr uint32_t kOddities = 1;
constexpr uint32_t kNonsense = 2;
constexpr uint32_t kStalePlans = 3;
// The names of replicas begin far above.
constexpr PeerId kStranger(1);

}  // namespace

void Operator::Start() {
  if (profile_.active) Schedule();
}

void Operator::Schedule() {
  world_->queue.After(
      world_->choices.Between(Choice::kOrder, profile_.pause.first, profile_.pause.last) +
          Duration::Milliseconds(1),
      {EventKind::kOperator, 0, 0});
}

void Operator::OnEvent() {
  if (stopped_) return;
  Schedule();
  const std::optional<uint32_t> node = cluster_->leader();
  if (!node) return;
  const raft::View& leader = cluster_->checkers().replicas()[*node].view;
  store::Order order;
  order.id = ++orders_;
  const bool transfer =
      world_->choices.Pick(Choice::kOrder, profile_.transfers + profile_.members) <
      profile_.transfers;
  if (transfer) {
    std::optional<PeerId> target = AnyOf(leader.conf.voters);
    if (!target) return;
    if (IsOdd()) target = OddTarget(leader);
    order.what = store::TransferLeader{*target};
  } else {
    std::vector<raft::MemberChange> wishes = Wishes(leader);
    if (world_->choices.Pick(Choice::kOrder, kOddOneIn, kNonsense) == 0) {
      AddNonsense(leader, &wishes);
    }
    order.what = store::ChangePeers{std::move(wishes)};
  }
  const Fault fault = transfer ? Fault::kTransfer : Fault::kChangeMembers;
  const uint32_t to =
      IsOdd()
          ? static_cast<uint32_t>(world_->choices.Pick(Choice::kOrder, cluster_->size(), kOddities))
          : *node;
  if (world_->faults.Fires(fault, to)) cluster_->Give(to, std::move(order), fault);
  if (world_->choices.Pick(Choice::kOrder, kOddOneIn, kStalePlans) == 0) GiveStalePlan();
}

// A plan of recovery for a term that its replica has come to since it was made. Nobody is lost, and
// nobody may take a region over alone.
void Operator::GiveStalePlan() {
  const auto node =
      static_cast<uint32_t>(world_->choices.Pick(Choice::kOrder, cluster_->size(), kStalePlans));
  const raft::View& view = cluster_->checkers().replicas()[node].view;
  if (!view.id) return;
  raft::RecoveryPlan plan;
  plan.chosen = view.id;
  plan.chosen_log = view.last_log;
  plan.term = view.term;
  plan.conf.voters = {view.id};
  plan.conf.members = {view.conf.Find(view.id)};
  store::Order order;
  order.id = ++orders_;
  order.what = std::move(plan);
  if (!world_->faults.Fires(Fault::kChangeMembers, node)) return;
  cluster_->Give(node, std::move(order), Fault::kChangeMembers);
}

bool Operator::IsOdd() {
  return world_->choices.Pick(Choice::kOrder, kOddOneIn, kOddities) == kOddOneIn - 1;
}

// A learner, the leader itself, or nobody that exists.
PeerId Operator::OddTarget(const raft::View& leader) {
  std::vector<PeerId> targets = leader.conf.learners;
  targets.push_back(leader.id);
  targets.push_back(kStranger);
  return targets[world_->choices.Pick(Choice::kOrder, targets.size(), kOddities)];
}

// What nobody may carry out, beside what there is.
void Operator::AddNonsense(const raft::View& leader, std::vector<raft::MemberChange>* wishes) {
  using Kind = raft::MemberChange::Kind;
  Choices& choices = world_->choices;
  const auto one_of = [&](const std::vector<PeerId>& peers) {
    return peers.empty() ? kStranger : peers[choices.Pick(Choice::kOrder, peers.size(), kNonsense)];
  };
  const PeerId member = one_of(leader.conf.Everybody());
  const StoreId store = leader.conf.Find(member).store;
  const auto kind = static_cast<Kind>(choices.Pick(Choice::kOrder, 4, kNonsense));
  switch (choices.Pick(Choice::kOrder, 8, kNonsense)) {
    case 0:
      wishes->push_back({kind, kStranger, store});
      break;
    case 1:
      wishes->push_back({Kind::kPromote, one_of(leader.conf.voters), StoreId()});
      break;
    case 2:
      wishes->push_back({Kind::kDemote, one_of(leader.conf.learners), StoreId()});
      break;
    case 3:
      wishes->push_back({Kind::kAddLearner, member, store});
      break;
    case 4:
      wishes->push_back({Kind::kAddLearner, cluster_->NewPeer(0), StoreId()});
      break;
    case 5:
      wishes->assign(2, {kind, member, StoreId()});
      break;
    case 6:
      wishes->clear();
      for (const PeerId voter : leader.conf.voters) wishes->push_back({kind, voter, StoreId()});
      break;
    default:
      if (!wishes->empty()) wishes->push_back(wishes->front());
      break;
  }
}

std::optional<PeerId> Operator::AnyOf(const std::vector<PeerId>& peers) {
  if (peers.empty()) return std::nullopt;
  return peers[world_->choices.Pick(Choice::kOrder, peers.size())];
}

// One to three, carried out in one step.
std::vector<raft::MemberChange> Operator::Wishes(const raft::View& leader) {
  std::vector<raft::MemberChange> wishes;
  // Who lost its disk has no part in any quorum: it goes first.
  for (const PeerId peer : leader.conf.Everybody()) {
    if (cluster_->losses().wiped(peer))
      return {{raft::MemberChange::Kind::kRemove, peer, StoreId()}};
  }
  const uint64_t count = world_->choices.OneOf<uint64_t>(Choice::kOrder, {1, 1, 2, 3});
  for (uint64_t i = 0; i < count; ++i) {
    const std::optional<raft::MemberChange> wish = Wish(leader);
    if (!wish) continue;
    const bool repeated =
        std::any_of(wishes.begin(), wishes.end(), [&](const raft::MemberChange& other) {
          return other.id == wish->id || (other.store && other.store == wish->store);
        });
    // Those of the same order count already.
    const auto promotions = static_cast<size_t>(
        std::count_if(wishes.begin(), wishes.end(), [](const raft::MemberChange& other) {
          return other.kind == raft::MemberChange::Kind::kPromote;
        }));
    const bool too_many = wish->kind == raft::MemberChange::Kind::kPromote &&
                          leader.conf.voters.size() + promotions >= profile_.voters_max;
    if (!repeated && !too_many) wishes.push_back(*wish);
  }
  return wishes;
}

std::optional<raft::MemberChange> Operator::Wish(const raft::View& leader) {
  using Kind = raft::MemberChange::Kind;
  const auto kind = world_->choices.OneOf<Kind>(
      Choice::kOrder, {Kind::kAddLearner, Kind::kAddLearner, Kind::kPromote, Kind::kPromote,
                       Kind::kPromote, Kind::kDemote, Kind::kRemove});
  std::optional<PeerId> peer;
  switch (kind) {
    case Kind::kAddLearner:
      return Addition(leader);
    case Kind::kPromote:
      if (leader.conf.voters.size() < profile_.voters_max) peer = AnyOf(leader.conf.learners);
      break;
    case Kind::kDemote:
      peer = AnyOf(leader.conf.voters);
      break;
    case Kind::kRemove:
      peer = AnyOf(leader.conf.Everybody());
      break;
  }
  if (!peer) return std::nullopt;
  return raft::MemberChange{kind, *peer, StoreId()};
}

// A learner on a store that has no member.
std::optional<raft::MemberChange> Operator::Addition(const raft::View& leader) {
  std::vector<uint32_t> free;
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const auto here = [&](const raft::Member& m) { return m.store == StoreId(node + 1); };
    if (std::none_of(leader.conf.members.begin(), leader.conf.members.end(), here)) {
      free.push_back(node);
    }
  }
  if (free.empty()) return std::nullopt;
  const uint32_t node = free[world_->choices.Pick(Choice::kOrder, free.size())];
  return raft::MemberChange{raft::MemberChange::Kind::kAddLearner, cluster_->NewPeer(node),
                            StoreId(node + 1)};
}

}  // namespace flaredb::sim
