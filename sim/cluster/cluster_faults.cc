// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <algorithm>

#include "core/store/recovery.h"
#include "sim/world/recorder.h"

namespace flaredb::sim {
namespace {

// From a stream of its own: what else is drawn of an ending does not depend on it.
constexpr uint32_t kBreakOwner = 2;

}  // namespace

// A region of the run, at least.
bool Cluster::Leads(uint32_t id) const {
  return std::any_of(regions_.begin(), regions_.end(),
                     [&](const auto& region) { return region->checkers.replicas()[id].leads(); });
}

void Cluster::Crash(uint32_t id, const Death& death) {
  Node& node = nodes_[id];
  if (!node.store) return;
  ++crashes_;
  const size_t survivors =
      world_->choices.Pick(Choice::kCrashSurvivors, node.disk.in_flight() + 1, id);
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), Names::Store(id),
                       "CRASH: " + std::to_string(survivors) + " of " +
                           std::to_string(node.disk.in_flight()) + " unfinished commits survive");
  }
  world_->trace.hash().Add(id).Add(survivors);
  if (survivors < node.disk.in_flight() || !node.inbox.empty() || !node.calls.empty() ||
      Leads(id)) {
    if (death.why != Fault::kCount) world_->faults.Mattered(death.why);
  }
  node.store.reset();
  node.inbox.clear();
  node.calls.clear();
  node.gone_calls.clear();
  node.paused = false;
  node.broken = PeerId();
  world_->sabotage.erase(id);
  node.turn_scheduled = false;
  ++node.timer;
  // Events of the old life must not meet the new one.
  ++node.life;
  for (auto& region : regions_) region->checkers.OnCrash(id);
  for (size_t i = 0; i < survivors; ++i) {
    BeforeDurable(id);
    node.disk.CrashSurvives();
    AfterDurable(id);
  }
  if (node.disk.RealDiskHasNext()) {
    BeforeDurable(id);
    node.disk.CrashKeeps();
    AfterDurable(id);
    world_->trace.hash().Add(id);
  }
  node.disk.Crash();
  if (Recorder* recorder = world_->recorder) {
    const std::string_view why =
        death.why == Fault::kCount ? std::string_view("stops for good") : NameOf(death.why);
    recorder->NodeEvent(
        id, "crash",
        std::string(why) + ", " + std::to_string(survivors) + " unfinished commits survive");
  }
  RecordState(id);
  world_->queue.After(death.downtime, {EventKind::kRestart, id, node.life});
}

void Cluster::Pause(uint32_t id, Duration length, Fault why) {
  Node& node = nodes_[id];
  if (!node.store || node.paused) return;
  node.paused = true;
  node.paused_by = why;
  if (Recorder* recorder = world_->recorder) {
    recorder->FaultFor(NameOf(why), id, length);
  }
  RecordState(id);
  world_->queue.After(length, {EventKind::kResume, id, ++node.pause});
}

void Cluster::StallDisk(uint32_t id, Duration length) {
  nodes_[id].disk.Stall(world_->now() + length);
  if (Recorder* recorder = world_->recorder) {
    recorder->FaultFor(NameOf(Fault::kStallDisk), id, length);
  }
}

void Cluster::FailDisk(uint32_t id, const Death& death) {
  Node& node = nodes_[id];
  node.disk_death = death;
  if (Recorder* recorder = world_->recorder) recorder->NodeEvent(id, "disk", NameOf(death.why));
  if (death.why == Fault::kFailRead) {
    node.disk.FailNextRead();
  } else {
    node.disk.FailNextWrite();
  }
}

void Cluster::FailRow(uint32_t id, RowDefect defect, const Death& death) {
  Node& node = nodes_[id];
  if (!node.store) return;
  node.disk_death = death;
  if (Recorder* recorder = world_->recorder) recorder->NodeEvent(id, "disk", NameOf(death.why));
  node.disk.FailNextRow(defect);
}

// Only where a store has one replica at most: which one of several broke could not be told.
void Cluster::BreakReplica(uint32_t id, uint64_t calls) {
  if (placement_ || !nodes_[id].store || nodes_[id].broken) return;
  world_->sabotage[id] = {calls, false};
}

// Whether an invariant broke in the replica because it was to: nobody may count on it any more.
// INV: it is silent for ever.
bool Cluster::IsBroken(uint32_t id, const store::PeerView& view) {
  const auto sabotage = world_->sabotage.find(id);
  if (sabotage == world_->sabotage.end() || !sabotage->second.done) return false;
  PeerId& broken = nodes_[id].broken;
  if (broken && broken != view.peer) return false;
  if (!view.poisoned || (broken && Speaks(broken))) {
    FailSafety("INV", "an invariant broke in the replica of " + Names::Store(id) +
                          ", which goes on as if nothing had been.");
  }
  if (!broken) {
    broken = view.peer;
    world_->faults.Mattered(Fault::kBreakReplica);
    if (Recorder* recorder = world_->recorder) {
      recorder->NodeEvent(id, "replica", NameOf(Fault::kBreakReplica));
    }
  }
  return true;
}

// In this turn, to others or to its disk.
bool Cluster::Speaks(PeerId peer) const {
  const bool sends =
      std::any_of(effects_.sends.begin(), effects_.sends.end(), [&](const store::Send& send) {
        const auto* envelope = std::get_if<store::RaftEnvelope>(&send.message);
        return envelope != nullptr && envelope->message.from == peer;
      });
  return sends || (effects_.commit &&
                   std::any_of(effects_.commit->log.begin(), effects_.commit->log.end(),
                               [](const env::LogWrite& write) { return !write.destroy; }));
}

bool Cluster::AnyOrderWaits() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return std::any_of(node.inbox.begin(), node.inbox.end(), [](const store::Event& event) {
      return std::holds_alternative<store::Order>(event);
    });
  });
}

void Cluster::Wipe(uint32_t id, const Death& death) {
  const bool all_run = std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return node.store != nullptr && !node.broken;
  });
  if (placement_ || !all_run || AnyOrderWaits() || !losses().MayWipe(id)) return;
  world_->faults.Mattered(Fault::kWipeDisk);
  data().losses.Wipe(id);
  Crash(id, death);
  data().checkers.OnWipe(id);
  nodes_[id].acknowledged = kv::Hlc();
  SimDisk& disk = nodes_[id].disk;
  disk.Wipe();
  disk.Format(store::Bootstrap({kClusterId, StoreId(id + 1)}));
}

void Cluster::LeaveAQuorum() {
  // An order could still change who is needed.
  if (AnyOrderWaits()) return;
  for (const uint32_t id :
       data().losses.LeaveOutAllButAQuorum(&world_->choices, /*stop=*/true, std::nullopt)) {
    const bool breaks = world_->choices.Pick(Choice::kEnding, 2, kBreakOwner) == 0 &&
                        world_->faults.Fires(Fault::kBreakReplica, id);
    if (breaks) {
      Hush(id);
      BreakReplica(id, 0);
    } else {
      StopForGood(id);
    }
  }
}

bool Cluster::LoseAMajority() {
  if (AnyOrderWaits()) return false;
  const std::set<uint32_t>& lost = data().losses.LoseAMajority(&world_->choices);
  for (const uint32_t id : lost) StopForGood(id);
  return !lost.empty();
}

std::set<uint32_t> Cluster::LeaveOutAllButAQuorum() {
  if (AnyOrderWaits()) return {};
  const bool with_leader = world_->choices.Pick(Choice::kEnding, 2) == 0;
  return data().losses.LeaveOutAllButAQuorum(&world_->choices, /*stop=*/false,
                                             with_leader ? leader() : std::nullopt);
}

void Cluster::StopForGood(uint32_t id) {
  Crash(id, {Fault::kCount, Duration()});
  Hush(id);
}

// What it has sent is not heard any more: that could be another configuration.
void Cluster::Hush(uint32_t id) {
  for (uint32_t other = 0; other < size(); ++other) {
    network_->Reset(id, other);
    std::erase_if(nodes_[other].inbox, [&](const store::Event& event) {
      const auto* message = std::get_if<store::MessageReceived>(&event);
      return message != nullptr && message->from == StoreId(id + 1);
    });
  }
}

void Cluster::ChangeClock(uint32_t id, int64_t drift_ppb, Duration jump, Fault why) {
  Node& node = nodes_[id];
  if (node.store) world_->faults.Mattered(why);
  if (Recorder* recorder = world_->recorder) recorder->NodeEvent(id, "clock", NameOf(why));
  node.clock.Change(world_->now(), drift_ppb, jump);
  // What was armed by the old rate may come too late now.
  node.wake_at = Instant::Max();
  if (node.store) ArmTimer(id);
}

void Cluster::DrawLimits(uint32_t id) {
  sim::DrawLimits(&world_->choices, Choice::kLimits, id, &nodes_[id].options);
}

void Cluster::Heal() {
  healed_ = true;
  for (uint32_t id = 0; id < size(); ++id) {
    Node& node = nodes_[id];
    node.disk.Heal();
    world_->sabotage.erase(id);
    if (node.broken) Crash(id, {Fault::kBreakReplica, Duration()});
    if (placement_) node.wall_ms = 0;
    if (!node.store && Restarts(id)) StartStore(id);
    if (std::exchange(node.paused, false)) Notify(id);
  }
}

}  // namespace flaredb::sim
