// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/mode_switcher.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "core/kv/namespace_command.h"

namespace flaredb::sim {
namespace {

using pd::ModeState;

// A drain that cannot end is called off after so many election timeouts.
constexpr int64_t kPatience = 5;

store::NamespaceMode Announced(ModeState state, kv::ModeEpoch epoch) {
  const bool strong = state == ModeState::kStrong || state == ModeState::kToEventual ||
                      state == ModeState::kToStrongFence;
  return {strong ? kv::Mode::kStrong : kv::Mode::kEventual, epoch, !pd::IsStable(state)};
}

const char* NameOf(ModeState state) {
  switch (state) {
    case ModeState::kStrong:
      return "strong";
    case ModeState::kToEventual:
      return "on its way to eventual";
    case ModeState::kEventual:
      return "eventual";
    case ModeState::kToStrongDrain:
      return "drained on its way to strong";
    case ModeState::kToStrongFence:
      return "fenced on its way to strong";
  }
  return "";
}

}  // namespace

ModeSwitcher::ModeSwitcher(World* world, const EventualProfile& profile, Duration election_timeout,
                           Cluster* cluster, SimNetwork* network, Endpoint self)
    : world_(world),
      profile_(profile),
      timeout_(election_timeout),
      cluster_(cluster),
      network_(network),
      self_(self) {
  spaces_[0].ns = kAlwaysEventual;
  spaces_[0].state = ModeState::kToEventual;
  spaces_[1].ns = kSwitching;
  for (Space& space : spaces_) {
    space.epoch = kv::ModeEpoch(1);
    space.base = kv::Hlc(1);
  }
}

void ModeSwitcher::Start() {
  if (profile_.active) world_->queue.After(Duration(), {EventKind::kModes, 0, 0});
}

void ModeSwitcher::OnEvent() {
  for (Space& space : spaces_) Look(&space);
  if (!stopped_ && profile_.collect_ppm != 0 && Chance(250000)) {
    for (uint32_t node = 0; node < cluster_->size(); ++node) cluster_->TellTime(node);
  }
  world_->queue.After(
      world_->choices.Between(Choice::kEventual, profile_.pause.first, profile_.pause.last, kOwner),
      {EventKind::kModes, 0, 0});
}

void ModeSwitcher::Look(Space* space) {
  if (space->state == ModeState::kEventual && !stopped_ && Chance(profile_.collect_ppm)) {
    Collect(space);
  }
  if (pd::IsStable(space->state)) {
    if (space->ns == kSwitching && !stopped_ && Chance(profile_.switch_ppm) &&
        world_->faults.Fires(Fault::kModeSwitch)) {
      world_->faults.Mattered(Fault::kModeSwitch);
      Enter(space, *pd::AfterStart(space->state));
    }
  } else {
    const auto cancelled = pd::AfterCancel(space->state);
    const bool may_cancel = space->ns == kSwitching && cancelled;
    if (may_cancel && !stopped_ && Chance(profile_.cancel_ppm) &&
        world_->faults.Fires(Fault::kModeSwitch)) {
      world_->faults.Mattered(Fault::kModeSwitch);
      Enter(space, *cancelled);
    } else if (may_cancel && world_->now() - space->since > timeout_ * kPatience &&
               Stalled(*space)) {
      Enter(space, *cancelled);
    } else if (Ready(*space)) {
      Enter(space, *pd::AfterStep(space->state));
    } else if (NeedsFence(*space)) {
      Fence(space);
    }
  }
  TellAll(*space);
}

void ModeSwitcher::TellAll(const Space& space) {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const auto report = cluster_->Report(node, space.ns);
    if (!report) continue;
    if (report->mode.mode_epoch >= space.epoch) {
      if (!stopped_ && !space.told.empty() && Chance(20000)) {
        cluster_->Tell(
            node, space.told[world_->choices.Pick(Choice::kEventual, space.told.size(), kOwner)]);
      }
      continue;
    }
    if (!stopped_ && Chance(profile_.deaf_ppm)) continue;
    cluster_->Tell(node, News(space));
  }
}

store::NamespaceChanged ModeSwitcher::News(const Space& space) const {
  return {space.ns, Announced(space.state, space.epoch), space.after};
}

void ModeSwitcher::Enter(Space* space, ModeState state) {
  RaiseBase(space);
  space->told.push_back(News(*space));
  space->state = state;
  ++space->epoch;
  space->fenced = false;
  space->call = 0;
  space->since = world_->now();
  if (state == ModeState::kEventual) space->after = std::max(space->after, space->base);
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), "--",
                       "namespace " + std::to_string(static_cast<uint32_t>(space->ns)) + " is " +
                           NameOf(state) + ", epoch " + std::to_string(space->epoch.value()));
  }
}

void ModeSwitcher::RaiseBase(Space* space) {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (const auto report = cluster_->Report(node, space->ns)) {
      space->base = std::max(space->base, report->clock.next());
    }
  }
}

bool ModeSwitcher::Ready(const Space& space) const {
  if (NeedsFence(space)) return false;
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (cluster_->losses().stopped(node)) continue;
    const auto report = cluster_->Report(node, space.ns);
    if (!report || report->mode.mode_epoch < space.epoch) return false;
    if (space.state == ModeState::kToStrongDrain && report->rows != 0) return false;
  }
  return true;
}

bool ModeSwitcher::NeedsFence(const Space& space) const {
  return !space.fenced &&
         (space.state == ModeState::kToEventual || space.state == ModeState::kToStrongFence);
}

bool ModeSwitcher::Stalled(const Space& space) const {
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    const auto report = cluster_->Report(node, space.ns);
    if (report && report->rows != 0 && !cluster_->losses().IsMember(node)) return true;
  }
  return false;
}

void ModeSwitcher::Fence(Space* space) {
  if (space->call != 0 && world_->now() < space->call_until) return;
  RaiseBase(space);
  const bool to_eventual = space->state == ModeState::kToEventual;
  space->call = Call(kv::ModeFence{space->ns,
                                   {to_eventual ? kv::Mode::kEventual : kv::Mode::kStrong,
                                    space->epoch, to_eventual ? space->base : kv::Hlc()}});
  space->call_until = world_->now() + timeout_ * 2;
}

// Stores that start again meanwhile are told to pass it before they accept anything.
void ModeSwitcher::Collect(Space* space) {
  kv::Hlc before = kv::Hlc::Max();
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if (cluster_->losses().stopped(node)) continue;
    const auto report = cluster_->Report(node, space->ns);
    if (!report || report->mode.mode_epoch < space->epoch) return;
    before = std::min(before, report->watermark);
  }
  if (!world_->faults.Fires(Fault::kCollect)) return;
  world_->faults.Mattered(Fault::kCollect);
  space->after = std::max(space->after, before);
  const std::string begin = Chance(300000) ? "k1" : "";
  const std::string end = Chance(300000) ? "k3" : "";
  const auto records = world_->choices.OneOf<uint64_t>(Choice::kEventual, {1, 2, 5000}, kOwner);
  space->collect = {space->ns, begin, end, before, records};
  space->collect_call = Call(space->collect);
}

void ModeSwitcher::OnCollected(Space* space, const kv::NamespaceReply& reply) {
  if (!reply.admitted || reply.next.empty()) return;
  space->collect.begin = reply.next;
  space->collect_call = Call(space->collect);
}

AttemptId ModeSwitcher::Call(kv::NamespaceCommand command) {
  const std::optional<uint32_t> leader = cluster_->leader();
  const auto any =
      static_cast<uint32_t>(world_->choices.Pick(Choice::kEventual, cluster_->size(), kOwner));
  ClientRequest request;
  request.attempt = ++last_call_;
  request.request.budget = timeout_ * 4;
  request.request.operation = std::move(command);
  network_->Send({self_, leader && !Chance(200000) ? *leader : any, std::move(request)});
  return last_call_;
}

void ModeSwitcher::Deliver(const Packet& packet) {
  const auto& answer = std::get<ClientReply>(packet.body);
  const auto* reply = std::get_if<kv::NamespaceReply>(&answer.reply.result);
  for (Space& space : spaces_) {
    if (reply != nullptr && space.collect_call == answer.attempt) OnCollected(&space, *reply);
    if (space.call != answer.attempt) continue;
    space.call = 0;
    space.fenced =
        reply != nullptr && reply->state.fence && reply->state.fence->mode_epoch >= space.epoch;
  }
}

bool ModeSwitcher::Settled() const {
  return std::all_of(spaces_.begin(), spaces_.end(), [&](const Space& space) {
    return pd::IsStable(space.state) && Ready(space) && space.call == 0;
  });
}

std::string ModeSwitcher::Describe() const {
  std::ostringstream out;
  out << "a change of mode does not end:";
  for (const Space& space : spaces_) {
    out << " namespace " << static_cast<uint32_t>(space.ns) << " is " << NameOf(space.state)
        << ", epoch " << space.epoch << (NeedsFence(space) ? ", and waits for its fence" : "");
    for (uint32_t node = 0; node < cluster_->size(); ++node) {
      const auto report = cluster_->Report(node, space.ns);
      if (!report) continue;
      out << "; store " << node + 1 << " knows of epoch " << report->mode.mode_epoch << " and has "
          << report->rows << " rows";
    }
    out << ".";
  }
  return out.str();
}

}  // namespace flaredb::sim
