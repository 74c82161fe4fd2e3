// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/admin.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "core/pd/query.h"
#include "core/region/state_machine.h"

namespace flaredb::sim {

using pd::StoreState;

void Admin::Start() {
  if (profile_.active) world_->queue.After(Duration(), {EventKind::kAdmin, 0, 0});
}

void Admin::OnEvent() {
  world_->queue.After(
      world_->choices.Between(Choice::kPlaced, profile_.pause.first, profile_.pause.last),
      {EventKind::kAdmin, 0, 0});
  if (waits_ && world_->now() < wait_until_) return;
  MoveProcesses();
  if (stopped_ && !Unfinished()) return;
  std::optional<pd::Command> wish;
  if (std::exchange(looked_, false)) wish = Wish();
  if (wish) return Ask(store::ExecuteRequest{std::string(pd::kObject), pd::EncodeCommand(*wish)});
  Ask(store::QueryRequest{std::string(pd::kObject), pd::EncodeQuery(pd::GetCluster{})});
}

void Admin::Ask(store::Operation operation) {
  std::vector<uint32_t> nodes;
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (cluster_->present(node)) nodes.push_back(node);
  }
  ClientRequest request;
  request.attempt = ++last_call_;
  request.request.budget = timeout_ * 4;
  request.request.operation = std::move(operation);
  waits_ = true;
  wait_until_ = world_->now() + timeout_ * 4;
  uint32_t to = nodes[Pick(nodes.size())];
  if (const auto uncalled = Uncalled()) to = *uncalled;
  if (stopped_) called_.insert(to);
  network_->Send({self_, to, std::move(request)});
}

void Admin::Deliver(const Packet& packet) {
  const auto& answer = std::get<ClientReply>(packet.body);
  if (answer.attempt != last_call_) return;
  waits_ = false;
  const auto* reply = std::get_if<MachineReply>(&answer.reply.result);
  if (reply == nullptr) return;
  const absl::StatusOr<pd::Reply> decoded = pd::DecodeReply(reply->bytes);
  INVARIANT(decoded.ok()) << decoded.status();
  if (const auto* view = std::get_if<pd::ClusterView>(&*decoded)) {
    view_ = *view;
    looked_ = true;
  }
}

// A store learns from a call what time of day it is, and clocks were set when all healed.
std::optional<uint32_t> Admin::Uncalled() const {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (stopped_ && cluster_->present(node) && !called_.contains(node)) return node;
  }
  return std::nullopt;
}

const pd::StoreInfo* Admin::RowOf(uint32_t node) const {
  for (const pd::StoreInfo& store : view_.stores) {
    if (store.id == StoreId(node + 1)) return &store;
  }
  return nullptr;
}

size_t Admin::up() const {
  return static_cast<size_t>(
      std::count_if(view_.stores.begin(), view_.stores.end(),
                    [](const auto& store) { return store.state == StoreState::kUp; }));
}

bool Admin::Fires(Fault fault) {
  if (!world_->faults.Fires(fault)) return false;
  world_->faults.Mattered(fault);
  return true;
}

void Admin::MoveProcesses() {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const pd::StoreInfo* row = RowOf(node);
    if (row == nullptr) continue;
    if (!cluster_->joined(node)) cluster_->Join(node);
    const bool removed = row->state == StoreState::kRemoved && cluster_->present(node);
    if (removed && (stopped_ || Chance(300000))) cluster_->Retire(node);
  }
}

std::optional<pd::Command> Admin::Wish() {
  if (auto wish = UnfinishedWish()) return wish;
  if (stopped_) return std::nullopt;
  return NewWish();
}

// A store that is lost has to be given up, and removed in the end; and both namespaces have to be
// there.
std::optional<pd::Command> Admin::UnfinishedWish() const {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const pd::StoreInfo* row = RowOf(node);
    if (row != nullptr && pd::IsMember(*row) && cluster_->losses().left_out(node)) {
      return SetState(node, StoreState::kLost);
    }
  }
  for (const pd::StoreInfo& store : view_.stores) {
    if (!stopped_ || store.state != StoreState::kLost) continue;
    return pd::SetStoreState{store.id, StoreState::kRemoved, view_.revision};
  }
  if (view_.namespaces.size() < 2) {
    return pd::EnsureNamespace{kAlwaysEventualName, pd::Mode::kEventual};
  }
  if (view_.namespaces.size() < 3) return pd::EnsureNamespace{kSwitchingName, std::nullopt};
  return std::nullopt;
}

std::optional<pd::Command> Admin::NewWish() {
  if (auto wish = JoinWish()) return wish;
  if (Chance(profile_.odd_ppm)) return OddWish();
  if (auto wish = RemovalWish()) return wish;
  if (auto wish = LossWish()) return wish;
  if (auto wish = DrainWish()) return wish;
  return SwitchWish();
}

std::optional<pd::Command> Admin::JoinWish() {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (RowOf(node) != nullptr) continue;
    if (node >= profile_.first && !Chance(profile_.join_ppm)) return std::nullopt;
    return pd::PutStore{cluster_->DescriptorOf(node), view_.revision};
  }
  return std::nullopt;
}

std::optional<pd::Command> Admin::RemovalWish() {
  for (const pd::StoreInfo& store : view_.stores) {
    const bool leaves = store.state == StoreState::kDrained || store.state == StoreState::kLost;
    if (!leaves || !Chance(profile_.remove_ppm)) continue;
    return pd::SetStoreState{store.id, StoreState::kRemoved, view_.revision};
  }
  return std::nullopt;
}

std::optional<pd::Command> Admin::LossWish() {
  const auto node = static_cast<uint32_t>(Pick(cluster_->size()));
  const bool stops = Chance(profile_.lose_ppm);
  if (!stops && !Chance(profile_.expel_ppm)) return std::nullopt;
  const pd::StoreInfo* row = RowOf(node);
  if (row == nullptr || !pd::IsMember(*row) || !cluster_->MayLose(node)) return std::nullopt;
  const size_t others = up() - (row->state == StoreState::kUp ? 1 : 0);
  if (others == 0 || !Fires(Fault::kChangeMembers)) return std::nullopt;
  cluster_->Lose(node, stops);
  return SetState(node, StoreState::kLost);
}

std::optional<pd::Command> Admin::DrainWish() {
  const auto node = static_cast<uint32_t>(Pick(cluster_->size()));
  if (!Chance(profile_.drain_ppm)) return std::nullopt;
  const pd::StoreInfo* row = RowOf(node);
  if (row == nullptr || !pd::IsMember(*row) || !Fires(Fault::kChangeMembers)) return std::nullopt;
  return SetState(node, row->state == StoreState::kUp ? StoreState::kDraining : StoreState::kUp);
}

std::optional<pd::Command> Admin::SwitchWish() {
  for (const pd::Namespace& ns : view_.namespaces) {
    if (ns.name != kSwitchingName) continue;
    const pd::Mode target = pd::TargetOf(ns.state);
    if (pd::IsStable(ns.state)) {
      if (!Chance(profile_.switch_ppm) || !Fires(Fault::kModeSwitch)) return std::nullopt;
      const pd::Mode other = target == pd::Mode::kStrong ? pd::Mode::kEventual : pd::Mode::kStrong;
      return pd::StartModeSwitch{ns.name, other, ns.mode_epoch};
    }
    if (!Chance(profile_.cancel_ppm) || !Fires(Fault::kModeSwitch)) return std::nullopt;
    return pd::CancelModeSwitch{ns.name, ns.mode_epoch};
  }
  return std::nullopt;
}

// Refused, or without effect.
std::optional<pd::Command> Admin::OddWish() {
  const auto node = static_cast<uint32_t>(Pick(cluster_->size()));
  switch (Pick(4)) {
    case 0: {  // By somebody who has seen little.
      pd::SetStoreState set = SetState(node, StoreState::kDraining);
      set.seen = pd::Revision(1);
      return set;
    }
    case 1: {
      const pd::StoreInfo* row = RowOf(node);
      if (row != nullptr && row->state != StoreState::kUp) return std::nullopt;
      return SetState(node, StoreState::kRemoved);
    }
    case 2:  // Under the id of another one.
      if (RowOf(node) == nullptr) return std::nullopt;
      return pd::PutStore{{StoreId(node + 1), {node + 1, 1}, "elsewhere:1", 1}, view_.revision};
    default:
      return pd::StartModeSwitch{kSwitchingName, pd::Mode::kStrong, pd::ModeEpoch(1000)};
  }
}

std::optional<std::string> Admin::Unfinished() const {
  if (view_.revision != cluster_->placement()->view().revision) {
    return "the administrator has yet to see how things are";
  }
  if (Uncalled()) return "the administrator has yet to call every store";
  if (UnfinishedWish()) return "the administrator has yet to end what it began";
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const pd::StoreInfo* row = RowOf(node);
    if (row != nullptr && row->state == StoreState::kRemoved && cluster_->present(node)) {
      return "a store that was removed has yet to be stopped";
    }
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
