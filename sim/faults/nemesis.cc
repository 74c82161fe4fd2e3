// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/nemesis.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/world/recorder.h"

namespace flaredb::sim {

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
  const Fault fault = kinds[world_->choices.Pick(Choice::kFaultKind, kinds.size())];
  stream_ = stream_ % (Choices::kOwnersMax - 1) + 1;
  if (world_->faults.Fires(fault)) Begin(fault);
  world_->queue.After(world_->choices.Between(Choice::kFaultTime, profile_.faults.pause.first,
                                              profile_.faults.pause.last) +
                          Duration::Milliseconds(1),
                      {EventKind::kFault, 0, 0});
}

void Nemesis::Begin(Fault fault) {
  if (world_->trace.on()) {
    world_->trace.Line(world_->now(), "--", "fault " + std::string(NameOf(fault)));
  }
  Ongoing ongoing;
  ongoing.fault = fault;
  switch (fault) {
    case Fault::kSplit:
      Split(&ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kIsolateLeader:
      return IsolateLeader(std::move(ongoing));
    case Fault::kIsolateOne:
      CutOff(RandomStore(), &ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kOneWay: {
      const uint32_t node = RandomStore();
      const bool mute = Coin();
      for (uint32_t other = 0; other < cluster_->size(); ++other) {
        if (other == node) continue;
        ongoing.cuts.push_back(mute ? LinkName{node, other} : LinkName{other, node});
      }
      return Last(std::move(ongoing), Length());
    }
    case Fault::kBridge:
      Bridge(&ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kHoldLink:
      if (Coin()) return SpoilLink(std::move(ongoing));
      Deafen(LeaderOrRandom(), &ongoing);
      return Last(std::move(ongoing),
                  world_->choices.Between(Choice::kFaultLength, Duration(),
                                          profile_.store.raft.election_timeout, stream_));
    case Fault::kSlowLink:
    case Fault::kResetLink:
      return SpoilLink(std::move(ongoing));
    case Fault::kPartialAppend:
      PartialAppend(&ongoing);
      return Last(std::move(ongoing), Length());
    case Fault::kShortReigns:
      short_reigns_.Begin();
      return Last(std::move(ongoing), profile_.store.raft.election_timeout * 20);
    case Fault::kCrashRandom:
      return cluster_->Crash(RandomStore(), {fault, Downtime()});
    case Fault::kCrashLeader:
      return cluster_->Crash(LeaderOrRandom(), {fault, Downtime()});
    case Fault::kCrashAll:
      for (uint32_t node = 0; node < cluster_->size(); ++node) {
        cluster_->Crash(node, {fault, Downtime()});
      }
      return;
    case Fault::kCrashAtMoment:
      return LayAmbush();
    case Fault::kPauseRandom:
      return cluster_->Pause(RandomStore(), Length(), fault);
    case Fault::kPauseLeader:
      return PauseLeader(std::move(ongoing));
    case Fault::kOtherLimits: {
      const uint32_t node = RandomStore();
      cluster_->DrawLimits(node);
      return cluster_->Crash(node, {fault, Downtime()});
    }
    case Fault::kStallDisk:
      return cluster_->StallDisk(RandomStore(), Length());
    case Fault::kFailWrite:
      return cluster_->FailDisk(RandomStore(), {fault, Downtime()});
    case Fault::kFailRead:
      return FailRead();
    case Fault::kWipeDisk:
      return cluster_->Wipe(RandomStore(), {fault, Downtime()});
    case Fault::kClockRate:
      return cluster_->ChangeClock(RandomStore(), ClockDrift(), Duration(), fault);
    case Fault::kClockJump:
    case Fault::kClockStop:
      if (profile_.store.lease_reads) return;
      return MoveClocks(std::move(ongoing));
    case Fault::kBreakReplica:
      return BreakReplica(std::move(ongoing));
    default:
      INVARIANT(false) << "not the nemesis's: " << NameOf(fault);
  }
}

void Nemesis::Last(Ongoing ongoing, Duration length) {
  for (const auto& [from, to] : ongoing.cuts) network_->Cut(from, to, ongoing.fault);
  if (Recorder* recorder = world_->recorder) {
    ongoing.recorded = recorder->FaultBegan(NameOf(ongoing.fault), Struck(ongoing));
  }
  const uint64_t id = ++last_id_;
  ongoing_.emplace(id, std::move(ongoing));
  world_->queue.After(length, {EventKind::kFault, 0, id});
}

// The stores whose links are broken; none of them: it strikes everybody.
std::vector<uint32_t> Nemesis::Struck(const Ongoing& ongoing) const {
  std::vector<LinkName> links = ongoing.cuts;
  links.insert(links.end(), ongoing.held.begin(), ongoing.held.end());
  if (ongoing.slow) links.push_back(*ongoing.slow);
  std::vector<uint32_t> stores;
  for (uint32_t store = 0; store < cluster_->size(); ++store) {
    const auto touches = [&](const LinkName& l) { return l.first == store || l.second == store; };
    if (std::any_of(links.begin(), links.end(), touches)) stores.push_back(store);
  }
  return stores;
}

void Nemesis::End(uint64_t id) {
  const auto it = ongoing_.find(id);
  INVARIANT(it != ongoing_.end());
  const Ongoing ongoing = std::move(it->second);
  ongoing_.erase(it);
  if (Recorder* recorder = world_->recorder) recorder->FaultEnded(ongoing.recorded);
  for (const auto& [from, to] : ongoing.cuts) network_->Mend(from, to);
  for (const auto& [from, to] : ongoing.held) network_->Release(from, to);
  if (ongoing.slow) network_->Hasten(ongoing.slow->first, ongoing.slow->second);
  if (ongoing.fault == Fault::kShortReigns) short_reigns_.End();
  if (ongoing.crash) cluster_->Crash(*ongoing.crash, {ongoing.fault, Downtime()});
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

// What it writes alone may still be under way to its disk when the others reach it again, with
// other entries or a snapshot.
void Nemesis::IsolateLeader(Ongoing ongoing) {
  const uint32_t leader = LeaderOrRandom();
  const Duration length = Length();
  if (Coin() && world_->faults.Fires(Fault::kStallDisk)) {
    cluster_->StallDisk(leader, length + Length());
  }
  CutOff(leader, &ongoing);
  Last(std::move(ongoing), length);
}

void Nemesis::Hold(uint32_t from, uint32_t to, Ongoing* ongoing) {
  ongoing->held.push_back({from, to});
  network_->Hold(from, to);
}

// What stores send to it waits, while it is heard and clients go on asking it. What comes first
// then was true long ago.
void Nemesis::Deafen(uint32_t node, Ongoing* ongoing) {
  for (uint32_t other = 0; other < cluster_->size(); ++other) {
    if (other != node) Hold(other, node, ongoing);
  }
}

// Cut off, or deaf.
void Nemesis::Estrange(uint32_t node, Ongoing* ongoing) {
  if (Coin() && world_->faults.Fires(Fault::kHoldLink)) return Deafen(node, ongoing);
  CutOff(node, ongoing);
}

void Nemesis::SpoilLink(Ongoing ongoing) {
  const uint32_t from = RandomStore();
  const uint32_t to = RandomStore();
  if (from == to) return;
  switch (ongoing.fault) {
    case Fault::kResetLink:
      if (network_->Reset(from, to) + network_->Reset(to, from) > 0) {
        world_->faults.Mattered(ongoing.fault);
      }
      return;
    case Fault::kHoldLink:
      Hold(from, to, &ongoing);
      return Last(std::move(ongoing), profile_.store.raft.election_timeout * 10);
    default:
      ongoing.slow = {from, to};
      network_->Slow(from, to);
      return Last(std::move(ongoing), Length());
  }
}

void Nemesis::Split(Ongoing* ongoing) {
  const uint32_t stores = cluster_->size();
  const uint32_t endpoints = profile_.faults.split_clients ? stores + clients_ : stores;
  std::vector<bool> side(endpoints);
  for (uint32_t i = 0; i < endpoints; ++i) {
    side[i] = Coin();
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
    side[i] = Coin();
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

// Of old entries; or of a row, which may be there and make no sense.
void Nemesis::FailRead() {
  const uint32_t node = RandomStore();
  const Death death{Fault::kFailRead, Downtime()};
  const uint64_t what = world_->choices.Pick(Choice::kFaultTarget, 4, stream_);
  if (what < 2) return cluster_->FailDisk(node, death);
  cluster_->FailRow(node, what == 2 ? RowDefect::kLost : RowDefect::kStrange, death);
}

// It dies alone: its store, which lives on, must not stand in for it.
void Nemesis::BreakReplica(Ongoing ongoing) {
  ongoing.crash = Coin() ? LeaderOrRandom() : RandomStore();
  cluster_->BreakReplica(*ongoing.crash, world_->choices.Pick(Choice::kFaultTarget, 4, stream_));
  Last(std::move(ongoing), Length());
}

// It wakes up as the leader that it was, and may hear of nothing else for a while.
void Nemesis::PauseLeader(Ongoing ongoing) {
  const uint32_t leader = LeaderOrRandom();
  const Duration length = Length();
  cluster_->Pause(leader, length, ongoing.fault);
  if (Coin()) return;
  Estrange(leader, &ongoing);
  Last(std::move(ongoing), length + profile_.store.raft.election_timeout);
}

// One clock; or what makes a leader believe that no time has passed while all others know better:
// its clock stops, or all but its own jump, and it is out of touch.
void Nemesis::MoveClocks(Ongoing ongoing) {
  const bool stops = ongoing.fault == Fault::kClockStop;
  const Duration length = Length();
  const Duration jump = stops ? Duration() - length : length;
  if (Coin()) {
    return cluster_->ChangeClock(RandomStore(), ClockDrift(), jump, ongoing.fault);
  }
  const uint32_t leader = LeaderOrRandom();
  for (uint32_t node = 0; node < cluster_->size(); ++node) {
    if ((node == leader) == stops) {
      cluster_->ChangeClock(node, ClockDrift(), jump, ongoing.fault);
    }
  }
  Estrange(leader, &ongoing);
  Last(std::move(ongoing), length);
}

void Nemesis::LayAmbush() {
  Ambush ambush;
  const uint64_t moments = profile_.placed.active     ? static_cast<uint64_t>(Moment::kCount)
                           : profile_.eventual.active ? kEventualMoments
                                                      : kStrongMoments;
  ambush.moments = Moments{1} << world_->choices.Pick(Choice::kFaultTarget, moments, stream_);
  if (Coin()) ambush.node = RandomStore();
  ambush.skip = static_cast<uint32_t>(world_->choices.Pick(Choice::kFaultTarget, 3, stream_));
  ambush_ = ambush;
}

std::optional<Death> Nemesis::CrashAfterTurn(uint32_t node, Moments moments) {
  if (stopped_) return std::nullopt;
  if (const auto death = short_reigns_.CrashAfterTurn(node, moments)) return death;
  if (!ambush_ || (ambush_->moments & moments) == 0) return std::nullopt;
  if (ambush_->node && *ambush_->node != node) return std::nullopt;
  if (ambush_->skip > 0) {
    --ambush_->skip;
    return std::nullopt;
  }
  ambush_.reset();
  world_->faults.Mattered(Fault::kCrashAtMoment);
  return Death{Fault::kCrashAtMoment, Downtime()};
}

uint32_t Nemesis::RandomStore() {
  return static_cast<uint32_t>(
      world_->choices.Pick(Choice::kFaultTarget, cluster_->size(), stream_));
}

bool Nemesis::Coin() { return world_->choices.Chance(Choice::kFaultTarget, 500000, stream_); }

uint32_t Nemesis::LeaderOrRandom() {
  const auto& regions = cluster_->regions();
  const size_t region =
      regions.size() == 1 ? 0 : world_->choices.Pick(Choice::kFaultTarget, regions.size(), stream_);
  const std::optional<uint32_t> leader = regions[region]->leader();
  return leader ? *leader : RandomStore();
}

int64_t Nemesis::ClockDrift() {
  return DrawDrift(&world_->choices, Choice::kFaultTarget, stream_, profile_);
}

Duration Nemesis::Length() {
  return world_->choices.Between(Choice::kFaultLength, profile_.faults.length.first,
                                 profile_.faults.length.last, stream_);
}

Duration Nemesis::Downtime() {
  return world_->choices.Between(Choice::kFaultLength, profile_.faults.downtime.first,
                                 profile_.faults.downtime.last, stream_);
}

}  // namespace flaredb::sim
