// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/cluster.h"

#include <algorithm>

#include "core/store/recovery.h"
#include "sim/world/recorder.h"

namespace flaredb::sim {

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
      checkers_.replicas()[id].leads()) {
    if (death.why != Fault::kCount) world_->faults.Mattered(death.why);
  }
  node.store.reset();
  node.inbox.clear();
  node.calls.clear();
  node.gone_calls.clear();
  node.paused = false;
  node.turn_scheduled = false;
  ++node.timer;
  // Events of the old life must not meet the new one.
  ++node.life;
  checkers_.OnCrash(id);
  for (size_t i = 0; i < survivors; ++i) {
    checkers_.BeforeDurable(id, *node.disk.next());
    node.disk.CrashSurvives();
    checkers_.AfterDurable(id);
  }
  if (node.disk.RealDiskHasNext()) {
    checkers_.BeforeDurable(id, *node.disk.next());
    node.disk.CrashKeeps();
    checkers_.AfterDurable(id);
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

bool Cluster::AnyOrderWaits() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return std::any_of(node.inbox.begin(), node.inbox.end(), [](const store::Event& event) {
      return std::holds_alternative<store::Order>(event);
    });
  });
}

void Cluster::Wipe(uint32_t id, const Death& death) {
  const bool all_run = std::all_of(nodes_.begin(), nodes_.end(),
                                   [](const Node& node) { return node.store != nullptr; });
  if (!all_run || AnyOrderWaits() || !losses_.MayWipe(id)) return;
  world_->faults.Mattered(Fault::kWipeDisk);
  losses_.Wipe(id);
  Crash(id, death);
  checkers_.OnWipe(id);
  nodes_[id].acknowledged = kv::Hlc();
  SimDisk& disk = nodes_[id].disk;
  disk.Wipe();
  disk.Format(store::Bootstrap({kClusterId, StoreId(id + 1)}));
}

void Cluster::LeaveAQuorum() {
  // An order could still change who is needed.
  if (AnyOrderWaits()) return;
  for (const uint32_t id :
       losses_.LeaveOutAllButAQuorum(&world_->choices, /*stop=*/true, std::nullopt)) {
    StopForGood(id);
  }
}

bool Cluster::LoseAMajority() {
  if (AnyOrderWaits()) return false;
  const std::set<uint32_t>& lost = losses_.LoseAMajority(&world_->choices);
  for (const uint32_t id : lost) StopForGood(id);
  return !lost.empty();
}

std::set<uint32_t> Cluster::LeaveOutAllButAQuorum() {
  if (AnyOrderWaits()) return {};
  const bool with_leader = world_->choices.Pick(Choice::kEnding, 2) == 0;
  return losses_.LeaveOutAllButAQuorum(&world_->choices, /*stop=*/false,
                                       with_leader ? leader() : std::nullopt);
}

// Nothing is heard of it any more, not even what it sent: that could be another configuration.
void Cluster::StopForGood(uint32_t id) {
  Crash(id, {Fault::kCount, Duration()});
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
  for (uint32_t id = 0; id < size(); ++id) {
    Node& node = nodes_[id];
    node.disk.Heal();
    if (!node.store && !losses_.stopped(id)) StartStore(id);
    if (std::exchange(node.paused, false)) Notify(id);
  }
}

}  // namespace flaredb::sim
