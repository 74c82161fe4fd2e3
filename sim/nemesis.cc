// SPDX-License-Identifier: Apache-2.0
#include "sim/nemesis.h"

#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {

const char* NameOf(Fault fault) {
  switch (fault) {
    case Fault::kSplit:
      return "split";
    case Fault::kIsolateLeader:
      return "isolate-leader";
    case Fault::kIsolateOne:
      return "isolate-one";
    case Fault::kOneWay:
      return "one-way";
    case Fault::kBridge:
      return "bridge";
    case Fault::kHoldLink:
      return "hold-link";
    case Fault::kPartialAppend:
      return "partial-append";
    case Fault::kShortReigns:
      return "short-reigns";
    case Fault::kCrashRandom:
      return "crash-random";
    case Fault::kCrashLeader:
      return "crash-leader";
    case Fault::kCrashAll:
      return "crash-all";
    case Fault::kCrashAtMoment:
      return "crash-at-moment";
    case Fault::kPauseRandom:
      return "pause-random";
    case Fault::kPauseLeader:
      return "pause-leader";
    case Fault::kStallDisk:
      return "stall-disk";
    case Fault::kClockRate:
      return "clock-rate";
    case Fault::kClockJump:
      return "clock-jump";
    case Fault::kCount:
      break;
  }
  return "?";
}

Nemesis::Nemesis(World* world, const Profile& profile, Cluster* cluster, SimNetwork* network,
                 uint32_t clients)
    : world_(world),
      profile_(profile),
      cluster_(cluster),
      network_(network),
      clients_(clients),
      short_reigns_(world, network, cluster->size(), profile.store.raft.election_timeout) {}

void Nemesis::Start() {
  if (profile_.faults.kinds.empty()) return;
  world_->queue.After(profile_.store.raft.election_timeout * 2, {EventKind::kFault, 0, 0});
}

void Nemesis::OnEvent(uint64_t arg) {
  if (stopped_) return;
  if (arg != 0) return End(arg);
  const std::vector<Fault>& kinds = profile_.faults.kinds;
  Begin(kinds[world_->choices.Pick(Choice::kFaultKind, kinds.size())]);
  world_->queue.After(world_->choices.Between(Choice::kFaultTime, profile_.faults.pause.first,
                                              profile_.faults.pause.last) +
                          Duration::Milliseconds(1),
                      {EventKind::kFault, 0, 0});
}

void Nemesis::Begin(Fault fault) {
  ++caused_[static_cast<size_t>(fault)];
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), "--", std::string("fault ") + NameOf(fault));
  }
  Ongoing ongoing;
  switch (fault) {
    case Fault::kSplit:
      Split(&ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kIsolateLeader:
      CutOff(LeaderOrRandom(), &ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kIsolateOne:
      CutOff(RandomStore(), &ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kOneWay: {
      const uint32_t node = RandomStore();
      const bool mute = world_->choices.Chance(Choice::kFaultTarget, 500000);
      for (uint32_t other = 0; other < cluster_->size(); ++other) {
        if (other == node) continue;
        ongoing.cuts.push_back(mute ? LinkName{node, other} : LinkName{other, node});
      }
      return Last(std::move(ongoing), Length());
    }
    case Fault::kBridge:
      Bridge(&ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kHoldLink: {
      const uint32_t from = RandomStore();
      const uint32_t to = RandomStore();
      if (from == to) return;
      ongoing.holds.push_back({from, to});
      return Last(std::move(ongoing), profile_.store.raft.election_timeout * 10);
    }
    case Fault::kPartialAppend:
      PartialAppend(&ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kShortReigns:
      short_reigns_.Begin();
      ongoing.short_reigns = true;
      return Last(std::move(ongoing), profile_.store.raft.election_timeout * 20);
    case Fault::kCrashRandom:
      return cluster_->Crash(RandomStore(), Downtime());
    case Fault::kCrashLeader:
      return cluster_->Crash(LeaderOrRandom(), Downtime());
    case Fault::kCrashAll:
      for (uint32_t node = 0; node < cluster_->size(); ++node) cluster_->Crash(node, Downtime());
      return;
    case Fault::kCrashAtMoment:
      return LayAmbush();
    case Fault::kPauseRandom:
      return cluster_->Pause(RandomStore(), Length());
    case Fault::kPauseLeader:
      return PauseLeader(&ongoing);
    case Fault::kStallDisk:
      return cluster_->StallDisk(RandomStore(), Length());
    case Fault::kClockRate:
      return cluster_->ChangeClock(RandomStore(), ClockDrift(), Duration());
    case Fault::kClockJump:
      if (profile_.store.lease_reads) return;
      return cluster_->ChangeClock(RandomStore(), ClockDrift(), Length());
    case Fault::kCount:
      break;
  }
  INVARIANT(false) << "no such fault";
}

void Nemesis::Last(Ongoing ongoing, Duration length) {
  for (const auto& [from, to] : ongoing.cuts) network_->Cut(from, to);
  for (const auto& [from, to] : ongoing.holds) network_->Hold(from, to);
  const uint64_t id = ++last_id_;
  ongoing_.emplace(id, std::move(ongoing));
  world_->queue.After(length, {EventKind::kFault, 0, id});
}

void Nemesis::End(uint64_t id) {
  const auto it = ongoing_.find(id);
  INVARIANT(it != ongoing_.end());
  const Ongoing ongoing = std::move(it->second);
  ongoing_.erase(it);
  for (const auto& [from, to] : ongoing.cuts) network_->Mend(from, to);
  for (const auto& [from, to] : ongoing.holds) network_->Release(from, to);
  if (ongoing.short_reigns) short_reigns_.End();
  if (ongoing.crash) cluster_->Crash(*ongoing.crash, Downtime());
}

void Nemesis::CutBothWays(uint32_t a, uint32_t b, Ongoing* ongoing) {
  ongoing->cuts.push_back({a, b});
  ongoing->cuts.push_back({b, a});
}

void Nemesis::CutOff(uint32_t node, Ongoing* ongoing) {
  for (uint32_t other = 0; other < cluster_->size(); ++other) {
    if (other != node) CutBothWays(node, other, ongoing);
  }
}

void Nemesis::Split(Ongoing* ongoing) {
  const uint32_t stores = cluster_->size();
  const uint32_t endpoints = profile_.faults.split_clients ? stores + clients_ : stores;
  std::vector<bool> side(endpoints);
  for (uint32_t i = 0; i < endpoints; ++i) {
    side[i] = world_->choices.Chance(Choice::kFaultTarget, 500000);
  }
  for (uint32_t a = 0; a < stores; ++a) {
    for (uint32_t b = a + 1; b < endpoints; ++b) {
      if (side[a] != side[b]) CutBothWays(a, b, ongoing);
    }
  }
}

// One store sees both sides, which do not see each other.
void Nemesis::Bridge(Ongoing* ongoing) {
  const uint32_t bridge = RandomStore();
  std::vector<bool> side(cluster_->size());
  for (uint32_t i = 0; i < side.size(); ++i) {
    side[i] = world_->choices.Chance(Choice::kFaultTarget, 500000);
  }
  for (uint32_t a = 0; a < side.size(); ++a) {
    for (uint32_t b = a + 1; b < side.size(); ++b) {
      if (a != bridge && b != bridge && side[a] != side[b]) CutBothWays(a, b, ongoing);
    }
  }
}

// The leader's last entries reach one follower or none before it dies: what is then committed, and
// what is not, only the rules of thesis 3.6 decide.
void Nemesis::PartialAppend(Ongoing* ongoing) {
  const uint32_t leader = LeaderOrRandom();
  const uint32_t reached = RandomStore();
  for (uint32_t other = 0; other < cluster_->size(); ++other) {
    if (other != leader && other != reached) CutBothWays(leader, other, ongoing);
  }
  ongoing->crash = leader;
}

// It wakes up as the leader that it was, and may hear of nothing else for a while.
void Nemesis::PauseLeader(Ongoing* ongoing) {
  const uint32_t leader = LeaderOrRandom();
  const Duration length = Length();
  cluster_->Pause(leader, length);
  if (world_->choices.Chance(Choice::kFaultTarget, 500000)) return;
  CutOff(leader, ongoing);
  Last(std::move(*ongoing), length + profile_.store.raft.election_timeout);
}

void Nemesis::LayAmbush() {
  Ambush ambush;
  ambush.moments =
      Moments{1} << world_->choices.Pick(Choice::kFaultKind, static_cast<uint64_t>(Moment::kCount));
  if (world_->choices.Chance(Choice::kFaultTarget, 300000)) ambush.node = RandomStore();
  ambush.skip = static_cast<uint32_t>(world_->choices.Pick(Choice::kFaultTarget, 3));
  ambush_ = ambush;
}

std::optional<Duration> Nemesis::CrashAfterTurn(uint32_t node, Moments moments) {
  if (stopped_) return std::nullopt;
  if (const auto downtime = short_reigns_.CrashAfterTurn(node, moments)) return downtime;
  if (!ambush_ || (ambush_->moments & moments) == 0) return std::nullopt;
  if (ambush_->node && *ambush_->node != node) return std::nullopt;
  if (ambush_->skip > 0) {
    --ambush_->skip;
    return std::nullopt;
  }
  ambush_.reset();
  return Downtime();
}

uint32_t Nemesis::RandomStore() {
  return static_cast<uint32_t>(world_->choices.Pick(Choice::kFaultTarget, cluster_->size()));
}

uint32_t Nemesis::LeaderOrRandom() {
  const std::optional<uint32_t> leader = cluster_->leader();
  return leader ? *leader : RandomStore();
}

int64_t Nemesis::ClockDrift() {
  const auto range = static_cast<uint64_t>(2 * profile_.drift_ppb_max);
  return static_cast<int64_t>(world_->choices.Between(Choice::kFaultTarget, 0, range)) -
         profile_.drift_ppb_max;
}

Duration Nemesis::Length() {
  return world_->choices.Between(Choice::kFaultLength, profile_.faults.length.first,
                                 profile_.faults.length.last);
}

Duration Nemesis::Downtime() {
  return world_->choices.Between(Choice::kFaultLength, profile_.faults.downtime.first,
                                 profile_.faults.downtime.last);
}

}  // namespace flaredb::sim
