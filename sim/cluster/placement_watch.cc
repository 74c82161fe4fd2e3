// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/placement_watch.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "core/base/check.h"
#include "core/pd/cluster.h"
#include "core/pd/mode_switch.h"
#include "core/pd/query.h"
#include "sim/invariants/names.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

using pd::ModeState;
using Kind = raft::MemberChange::Kind;

uint32_t NodeOf(StoreId store) { return static_cast<uint32_t>(store.value() - 1); }

const pd::StoreInfo* Find(const pd::ClusterView& view, StoreId store) {
  const auto at = std::find_if(view.stores.begin(), view.stores.end(),
                               [&](const pd::StoreInfo& each) { return each.id == store; });
  return at == view.stores.end() ? nullptr : &*at;
}

bool IsUp(const pd::ClusterView& view, StoreId store) {
  const pd::StoreInfo* info = Find(view, store);
  return info != nullptr && info->state == pd::StoreState::kUp;
}

}  // namespace

PlacementWatch::PlacementWatch(const RegionWatch* pd, const RegionWatch* data, size_t replicas,
                               Sight sight, FailureReport* report)
    : pd_(pd), data_(data), replicas_(replicas), sight_(std::move(sight)), report_(report) {}

pd::ClusterView PlacementWatch::ViewAt(Index index) const {
  const std::string answer = pd_->checkers.commits().machine().Query(
      std::string(pd::kObject), pd::EncodeQuery(pd::GetCluster{}), index);
  const absl::StatusOr<pd::Reply> reply = pd::DecodeReply(answer);
  INVARIANT(reply.ok());
  const auto* view = std::get_if<pd::ClusterView>(&*reply);
  return view != nullptr ? *view : pd::ClusterView();
}

void PlacementWatch::Follow() {
  const std::vector<Executed>& executed = pd_->checkers.commits().machine().executed();
  for (; followed_ < executed.size(); ++followed_) OnView(ViewAt(executed[followed_].index));
  for (const pd::Namespace& ns : view_.namespaces) CheckFence(ns);
  CheckNames(*pd_);
  CheckNames(*data_);
}

void PlacementWatch::OnView(pd::ClusterView view) {
  if (view.revision == view_.revision) return;
  const pd::ClusterView before = std::exchange(view_, std::move(view));
  views_[view_.revision] = view_;
  for (const pd::Namespace& ns : view_.namespaces) {
    states_.try_emplace({ns.id, ns.mode_epoch}, ns.state);
    for (const pd::Namespace& was : before.namespaces) {
      if (was.id == ns.id && was.mode_epoch != ns.mode_epoch) OnStep(was, ns);
    }
  }
  for (const pd::StoreInfo& store : view_.stores) {
    const pd::StoreInfo* was = Find(before, store.id);
    if (was != nullptr && was->state != store.state) OnLeaving(*was, store);
  }
}

void PlacementWatch::OnStep(const pd::Namespace& before, const pd::Namespace& after) {
  if (pd::AfterStep(before.state) != after.state) return;
  const std::string what =
      Sentence("the switch of ", before.name, " goes on from epoch ", before.mode_epoch, ", but ");
  const Commits& commits = data_->checkers.commits();
  const std::optional<kv::Fence> fence = commits.model().StateAt(before.id, commits.last()).fence;
  if (before.state != ModeState::kToStrongDrain &&
      (!fence || fence->mode_epoch < before.mode_epoch)) {
    return Fail(what + "the region has no fence of that epoch.");
  }
  // After the fence to strong no store can do harm.
  if (before.state == ModeState::kToStrongFence) return;
  for (const pd::StoreInfo& store : view_.stores) {
    if (!pd::IsMember(store)) continue;
    const uint32_t node = NodeOf(store.id);
    const cluster::Directory directory = sight_.directory_of(node);
    const pd::Namespace* known = directory.Find(before.id);
    // Who knows nothing accepts nothing.
    if (directory.revision() && (known == nullptr || known->mode_epoch < before.mode_epoch)) {
      return Fail(what + Names::Store(node) + " does not know of it.");
    }
    const size_t rows = sight_.rows_of(node, before.id);
    if (before.state == ModeState::kToStrongDrain && rows != 0) {
      return Fail(Sentence(what, Names::Store(node), " has ", rows, " writes to pass on."));
    }
  }
}

void PlacementWatch::OnLeaving(const pd::StoreInfo& before, const pd::StoreInfo& after) {
  const bool drained = after.state == pd::StoreState::kDrained;
  const bool removed = after.state == pd::StoreState::kRemoved;
  if (!drained && !removed) return;
  const std::string store = Names::Store(NodeOf(after.id));
  if (IsVoterSomewhere(after.id)) {
    return Fail(store + (drained ? " counts as drained" : " is removed") + ", but is a voter.");
  }
  if (before.state == pd::StoreState::kLost) return;
  for (const pd::Namespace& ns : view_.namespaces) {
    const size_t rows = sight_.rows_of(NodeOf(after.id), ns.id);
    if (rows == 0) continue;
    return Fail(Sentence(store, drained ? " counts as drained" : " is removed", ", but has ", rows,
                         " writes to ", ns.name, " to pass on."));
  }
}

bool PlacementWatch::IsVoterSomewhere(StoreId store) const {
  for (const RegionWatch* region : {pd_, data_}) {
    const raft::ConfState& conf = region->checkers.commits().confs().back().conf;
    for (const raft::Member& member : conf.members) {
      if (member.store == store && conf.IsVoter(member.id)) return true;
    }
  }
  return false;
}

void PlacementWatch::CheckFence(const pd::Namespace& ns) {
  const Commits& commits = data_->checkers.commits();
  const std::optional<kv::Fence> fence = commits.model().StateAt(ns.id, commits.last()).fence;
  if (!fence) return;
  kv::Fence& seen = fences_[ns.id];
  if (*fence == seen) return;
  if (fence->mode_epoch <= seen.mode_epoch) {
    return Fail(Sentence("the fence of ", ns.name, " at epoch ", seen.mode_epoch,
                         " becomes another one, of epoch ", fence->mode_epoch, "."));
  }
  seen = *fence;
  const auto state = states_.find({ns.id, fence->mode_epoch});
  const ModeState wanted =
      fence->mode == kv::Mode::kEventual ? ModeState::kToEventual : ModeState::kToStrongFence;
  if (state != states_.end() && state->second == wanted) return;
  Fail(Sentence("the region has a fence of ", ns.name, " at epoch ", fence->mode_epoch,
                ", for which the placement driver never asked."));
}

void PlacementWatch::CheckNames(const RegionWatch& region) {
  const RegionId id = region.region.id;
  const std::vector<raft::ConfAt>& confs = region.checkers.commits().confs();
  for (size_t& looked = confs_[id]; looked < confs.size(); ++looked) {
    std::set<PeerId> now;
    for (const PeerId peer : confs[looked].conf.Everybody()) now.insert(peer);
    for (const PeerId peer : now) {
      const auto [name, is_new] = names_.try_emplace(peer, id);
      if (name->second != id) {
        return Fail(Sentence("regions ", name->second, " and ", id, " have a member of the name ",
                             peer, "."));
      }
      if (!is_new && !members_[id].contains(peer)) {
        return Fail(Sentence("peer ", peer, " is a member of region ", id, " for a second time."));
      }
    }
    members_[id] = std::move(now);
  }
}

void PlacementWatch::OnCall(uint32_t node, const cluster::RollCall& call) {
  if (call.orders.empty()) return;
  const pd::ClusterView view = ViewAt(pd_->checkers.replicas()[node].applied);
  const auto up = static_cast<size_t>(
      std::count_if(view.stores.begin(), view.stores.end(),
                    [](const auto& store) { return store.state == pd::StoreState::kUp; }));
  for (const cluster::RegionOrder& order : call.orders) {
    const auto* change = std::get_if<cluster::ChangeMembers>(&order.what);
    const RegionWatch& region = order.region == pd_->region.id ? *pd_ : *data_;
    const Commits& commits = region.checkers.commits();
    if (change == nullptr || order.epoch.conf_version != commits.ConfVersionAt(commits.last())) {
      continue;
    }
    const raft::ConfState& conf = commits.confs().back().conf;
    size_t voters = conf.voters.size();
    for (const raft::MemberChange& each : change->changes) {
      const StoreId store = each.store ? each.store : conf.Find(each.id).store;
      const bool grows = each.kind == Kind::kAddLearner || each.kind == Kind::kPromote;
      if (grows && !IsUp(view, store)) {
        return Fail(Sentence(Names::Store(node), " has region ", order.region, " grow onto ",
                             Names::Store(NodeOf(store)), ", which is not up."));
      }
      voters += each.kind == Kind::kPromote ? 1 : 0;
      const bool shrinks = each.kind == Kind::kRemove || each.kind == Kind::kDemote;
      voters -= shrinks && conf.IsVoter(each.id) ? 1 : 0;
    }
    if (voters >= std::min({conf.voters.size(), replicas_, up})) continue;
    return Fail(Sentence(Names::Store(node), " leaves region ", order.region, " with ", voters,
                         " voters, though ", up, " stores are up."));
  }
}

void PlacementWatch::OnDirectory(uint32_t node, const cluster::Directory& before,
                                 const cluster::Directory& now) {
  const std::string whose = "the directory of " + Names::Store(node);
  if (now.revision() < before.revision() || now.pd_term() < before.pd_term()) {
    return Fail(whose + " goes back.");
  }
  const auto view = views_.find(now.revision());
  if (now.revision() && view == views_.end()) {
    return Fail(Sentence(whose, " is of revision ", now.revision(), ", which there never was."));
  }
  const pd::ClusterView expected = now.revision() ? view->second : pd::ClusterView();
  bool equal = now.stores().size() == expected.stores.size() &&
               now.namespaces().size() == expected.namespaces.size() &&
               now.cluster() == expected.cluster;
  for (const pd::StoreInfo& store : expected.stores) {
    const pd::StoreInfo* known = now.Find(store.id);
    const pd::StoreInfo* latest = Find(view_, store.id);
    const bool expelled = known != nullptr && !pd::IsMember(*known) && !pd::IsMember(*latest);
    equal = equal && known != nullptr && (*known == store || expelled);
  }
  for (const pd::Namespace& ns : expected.namespaces) {
    const pd::Namespace* known = now.Find(ns.name);
    equal = equal && known != nullptr && *known == ns;
  }
  if (equal) return;
  Fail(Sentence(whose, " is not what the placement driver had at revision ", now.revision(), "."));
}

void PlacementWatch::Fail(std::string sentence) {
  report_->Fail(FailureKind::kSafety, "PLACE", std::move(sentence));
}

}  // namespace flaredb::sim
