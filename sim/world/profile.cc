// SPDX-License-Identifier: Apache-2.0
#include "sim/world/profile.h"

#include <algorithm>
#include <initializer_list>

namespace flaredb::sim {
namespace {

constexpr Duration Us(int64_t n) { return Duration::Microseconds(n); }
constexpr Duration Ms(int64_t n) { return Duration::Milliseconds(n); }

constexpr Choice kP = Choice::kProfile;
constexpr uint32_t kLossOwner = 1;
constexpr uint32_t kBreakOwner = 1;

void DrawStore(Choices* c, Profile* profile) {
  store::Options& store = profile->store;
  raft::Config& raft = store.raft;
  raft.election_timeout = c->OneOf(kP, {Ms(50), Ms(100), Ms(150), Ms(300)});
  raft.heartbeat_interval = raft.election_timeout / c->OneOf<int64_t>(kP, {3, 4, 6});
  DrawLimits(c, kP, 0, &store);
  raft.snapshot_stall_timeout = raft.election_timeout * c->OneOf<int64_t>(kP, {2, 10});
  raft.snapshot_hold_timeout = raft.election_timeout * c->OneOf<int64_t>(kP, {1, 20, 1000});
  raft.disk_stall_timeout = raft.election_timeout * c->OneOf<int64_t>(kP, {2, 20});
  raft.clock_drift_ppm_max = c->OneOf<uint32_t>(kP, {1000, 10000, 200000});
  if (c->Chance(kP, 400000)) {
    raft.rest_after = raft.election_timeout / c->OneOf<int64_t>(kP, {1, 4});
  }
  store.lease_reads = c->Chance(kP, 500000);
  store.follower_reads = c->Chance(kP, 300000);
}

void DrawNetwork(Choices* c, Profile* profile) {
  NetworkProfile& net = profile->network;
  constexpr Span kDelays[] = {
      {Us(50), Us(200)}, {Us(200), Ms(2)}, {Ms(1), Ms(5)}, {Us(100), Ms(15)}};
  net.delay = c->OneOf(kP, kDelays);
  // An election needs a few round trips to fit into its timeout.
  net.delay.last = std::min(net.delay.last, profile->store.raft.election_timeout / 12);
  net.delay.first = std::min(net.delay.first, net.delay.last);
  net.slow_ppm = c->OneOf<uint32_t>(kP, {0, 0, 1000, 20000, 150000});
  net.slow_max = profile->store.raft.election_timeout * c->OneOf<int64_t>(kP, {1, 3, 20});
  net.loss_ppm = c->OneOf<uint32_t>(kP, {0, 0, 1000, 20000, 100000});
  net.copy_ppm = c->OneOf<uint32_t>(kP, {0, 0, 10000, 100000});
  net.copy_delay_max = c->OneOf(kP, {Ms(1), Ms(100), Ms(2000)});
  net.ordered = c->Chance(kP, 400000);
  net.corrupt_ppm = c->OneOf<uint32_t>(kP, {0, 0, 20000, 200000});
  net.slow_link_max = profile->store.raft.election_timeout * c->OneOf<int64_t>(kP, {1, 4});
}

void DrawDisk(Choices* c, Profile* profile) {
  DiskProfile& disk = profile->disk;
  constexpr Span kLatencies[] = {
      {Us(20), Us(100)}, {Us(100), Ms(1)}, {Ms(1), Ms(6)}, {Us(50), Ms(20)}};
  disk.latency = c->OneOf(kP, kLatencies);
  disk.latency.last = std::min(disk.latency.last, profile->store.raft.election_timeout / 8);
  disk.latency.first = std::min(disk.latency.first, disk.latency.last);
  disk.slow_ppm = c->OneOf<uint32_t>(kP, {0, 0, 5000, 50000, 300000});
  disk.slow_max = profile->store.raft.election_timeout * c->OneOf<int64_t>(kP, {1, 3});
}

void DrawFaults(Choices* c, Profile* profile) {
  constexpr Choice kF = Choice::kFaultPlan;
  FaultPlan& plan = profile->faults;
  const Duration timeout = profile->store.raft.election_timeout;
  // One run in ten knows no fault but the network's rates; the others draw one to all kinds.
  if (!c->Chance(kF, 100000)) {
    const uint64_t share_ppm = c->OneOf<uint64_t>(kF, {150000, 350000, 700000, 1000000});
    constexpr auto kKinds = static_cast<uint8_t>(Fault::kBreakReplica);
    for (uint8_t i = 0; i < kKinds; ++i) {
      if (c->Chance(kF, share_ppm)) plan.kinds.push_back(static_cast<Fault>(i));
    }
    if (plan.kinds.empty()) plan.kinds.push_back(static_cast<Fault>(c->Pick(kF, kKinds)));
    // From a stream of its own: all other runs are what they would be without.
    if (c->Chance(kF, 200000, kBreakOwner)) plan.kinds.push_back(Fault::kBreakReplica);
  }
  const Span pauses[] = {{Ms(0), timeout}, {timeout, timeout * 4}, {timeout * 2, timeout * 12}};
  plan.pause = c->OneOf(kF, pauses);
  const Span lengths[] = {{Ms(1), timeout}, {timeout, timeout * 4}, {timeout, timeout * 10}};
  plan.length = c->OneOf(kF, lengths);
  const Span downtimes[] = {{Us(100), Ms(5)}, {Ms(1), timeout * 2}, {timeout, timeout * 6}};
  plan.downtime = c->OneOf(kF, downtimes);
  plan.split_clients = c->Chance(kF, 300000);
}

void DrawOperator(Choices* c, Profile* profile) {
  constexpr Choice kF = Choice::kFaultPlan;
  OperatorProfile& orders = profile->orders;
  const Duration timeout = profile->store.raft.election_timeout;
  orders.active = c->Chance(kF, 700000);
  const Span pauses[] = {{Ms(0), timeout}, {timeout, timeout * 3}, {timeout * 2, timeout * 10}};
  orders.pause = c->OneOf(kF, pauses);
  orders.transfers = c->OneOf<uint32_t>(kF, {0, 1, 1, 5});
  orders.members = c->OneOf<uint32_t>(kF, {0, 1, 5, 5});
  orders.active &= orders.transfers + orders.members > 0;
  orders.voters_max = c->OneOf<uint32_t>(kF, {1, 3, 3, 5});
}

void DrawWorkload(Choices* c, uint32_t operations_max, Profile* profile) {
  WorkloadProfile& work = profile->workload;
  const Duration timeout = profile->store.raft.election_timeout;
  work.clients = static_cast<uint32_t>(c->Between(kP, 2, 8));
  work.keys = static_cast<uint32_t>(c->Between(kP, 1, 5));
  // In ten seconds; as many more in more.
  const auto tenths = static_cast<uint64_t>(profile->faults_end.milliseconds()) / 1000;
  work.operations_max =
      static_cast<uint32_t>(std::max<uint64_t>(c->Between(kP, 200, 400) * tenths / 10, 1));
  if (operations_max != 0) work.operations_max = operations_max;
  // All clients together aim at spreading the operations over the run, or at finishing early.
  const Duration mean = profile->faults_end * work.clients / work.operations_max;
  work.think = {Ms(0), mean * 2 / c->OneOf<int64_t>(kP, {1, 1, 3, 20})};
  const Duration round_trip = profile->network.delay.last * 4 + profile->disk.latency.last * 2;
  const Duration attempts[] = {round_trip, round_trip * 4, timeout * 2, timeout * 8};
  work.attempt_timeout = c->OneOf(kP, attempts);
  work.attempt_timeout_max = std::max(work.attempt_timeout, timeout * 4);
  work.operation_timeout =
      std::max(work.attempt_timeout, timeout) * c->OneOf<int64_t>(kP, {2, 6, 20});
  work.gets = c->OneOf<uint32_t>(kP, {1, 3, 8});
  work.scans = c->OneOf<uint32_t>(kP, {0, 1, 2});
  work.swaps = c->OneOf<uint32_t>(kP, {2, 5, 10});
  work.deletes = c->OneOf<uint32_t>(kP, {0, 1, 3});
  work.stray_ppm = c->OneOf<uint32_t>(kP, {50000, 300000, 1000000});
  work.second_ppm = c->OneOf<uint32_t>(kP, {0, 0, 50000, 500000});
  work.odd_budget_ppm = c->OneOf<uint32_t>(kP, {0, 10000, 100000});
  work.value_bytes = c->OneOf<uint32_t>(kP, {0, 20, 300});
}

// In every other run: half of the points, so that one does not hide behind another.
void DrawBuggify(Choices* c, Profile* profile) {
  constexpr Choice kF = Choice::kFaultPlan;
  if (c->Chance(kF, 500000)) return;
  profile->buggify.ppm = c->OneOf<uint32_t>(kF, {10000, 100000});
  for (size_t i = 0; i < kBuggifyPoints; ++i) profile->buggify.points[i] = c->Chance(kF, 500000);
}

// From a stream of its own: all other runs are what they would be without.
void DrawPlaced(Choices* c, Profile* profile) {
  constexpr Choice kD = Choice::kPlaced;
  PlacedProfile& placed = profile->placed;
  if (c->Pick(kD, 5) != 0) return;
  const Duration timeout = profile->store.raft.election_timeout;
  placed.active = true;
  profile->stores = c->OneOf<uint32_t>(kD, {1, 3, 4, 5, 5, 6, 6, 7});
  placed.first = std::min(profile->stores, c->OneOf<uint32_t>(kD, {1, 3, 3, 4, 5}));
  const Span pauses[] = {{timeout / 4, timeout}, {timeout, timeout * 3}};
  placed.pause = c->OneOf(kD, pauses);
  placed.join_ppm = c->OneOf<uint32_t>(kD, {20000, 200000});
  placed.drain_ppm = c->OneOf<uint32_t>(kD, {0, 30000, 150000});
  placed.lose_ppm = c->OneOf<uint32_t>(kD, {0, 30000, 100000});
  placed.expel_ppm = c->OneOf<uint32_t>(kD, {0, 0, 30000});
  placed.remove_ppm = c->OneOf<uint32_t>(kD, {50000, 500000});
  placed.switch_ppm = c->OneOf<uint32_t>(kD, {0, 50000, 300000});
  placed.cancel_ppm = c->OneOf<uint32_t>(kD, {0, 0, 50000, 200000});
  placed.odd_ppm = c->OneOf<uint32_t>(kD, {0, 100000});

  store::Options::Cluster& cluster = profile->store.cluster.emplace();
  cluster::DriverOptions& driver = cluster.driver;
  driver.roll_interval = timeout * c->OneOf<int64_t>(kD, {1, 2, 4});
  driver.silence_timeout = driver.roll_interval * c->OneOf<int64_t>(kD, {4, 10});
  driver.errand_timeout = driver.roll_interval * c->OneOf<int64_t>(kD, {4, 12});
  driver.collect_interval = driver.roll_interval * c->OneOf<int64_t>(kD, {3, 20, 150});
  // The wall clock of a store that nobody calls runs at the rate of its node.
  profile->drift_ppb_max = std::min<int64_t>(profile->drift_ppb_max, 200000);
  // The driver changes the members.
  OperatorProfile& orders = profile->orders;
  orders.members = 0;
  orders.active &= orders.transfers > 0;
  if (profile->ending != Ending::kBroken) profile->ending = Ending::kHealed;
}

// From a stream of its own: all other runs are what they would be without.
void DrawEventual(Choices* c, Profile* profile) {
  constexpr Choice kE = Choice::kEventual;
  EventualProfile& eventual = profile->eventual;
  if (c->Pick(kE, 3) != 0 && !profile->placed.active) return;
  const Duration timeout = profile->store.raft.election_timeout;
  eventual.active = true;
  eventual.share_ppm = c->OneOf<uint32_t>(kE, {300000, 700000, 900000});
  eventual.puts = c->OneOf<uint32_t>(kE, {2, 5, 10});
  eventual.deletes = c->OneOf<uint32_t>(kE, {1, 3, 5});
  eventual.gets = c->OneOf<uint32_t>(kE, {2, 5});
  eventual.scans = c->OneOf<uint32_t>(kE, {0, 1, 3});
  eventual.wrong_door_ppm = c->OneOf<uint32_t>(kE, {10000, 100000});
  const Span pauses[] = {{Ms(1), timeout / 4}, {timeout / 4, timeout}, {timeout, timeout * 3}};
  eventual.pause = c->OneOf(kE, pauses);
  eventual.switch_ppm = c->OneOf<uint32_t>(kE, {0, 50000, 500000});
  eventual.cancel_ppm = c->OneOf<uint32_t>(kE, {0, 0, 20000, 200000});
  eventual.collect_ppm = c->OneOf<uint32_t>(kE, {0, 100000, 500000});
  eventual.deaf_ppm = c->OneOf<uint32_t>(kE, {0, 100000, 700000});
  eventual.wall_skew_ms = c->OneOf<uint64_t>(kE, {0, 20, 5000});
  eventual.wall_jump_ppm = c->OneOf<uint32_t>(kE, {0, 10000, 100000});
  eventual.wall_jump_ms = c->OneOf<uint64_t>(kE, {2, 300, 100000});
  store::Options& store = profile->store;
  store.outbox.parcel_bytes_max = c->OneOf<size_t>(kE, {1, 50, 256 << 10});
  store.outbox.bytes_max = c->OneOf<size_t>(kE, {12000, 64 << 20, 64 << 20});
  // What a lost majority had applied left the outboxes, and is gone with it.
  if (profile->ending == Ending::kLost) profile->ending = Ending::kHealed;
}

}  // namespace

// Far below any sensible setting, so that every path behind a full window, a partial batch and a
// fetch from the disk is taken in a short run.
void DrawLimits(Choices* c, Choice kind, uint32_t owner, store::Options* store) {
  raft::Config& raft = store->raft;
  const auto one_of = [&](std::initializer_list<size_t> values) {
    return values.begin()[c->Pick(kind, values.size(), owner)];
  };
  raft.append_bytes_max = one_of({1, 1, 100, 1 << 20});
  raft.inflight_appends_max = static_cast<uint32_t>(one_of({1, 2, 8, 256}));
  raft.inflight_bytes_max = one_of({1, 1000, 16 << 20, 16 << 20});
  raft.uncommitted_bytes_max = one_of({200, 2000, 64 << 20, 64 << 20});
  raft.window_bytes_max = one_of({1, 200, 2000, 32 << 20});
  raft.fetch_bytes_max = one_of({1, 200, 1 << 20});
  raft.snapshot_chunk_bytes = one_of({1, 300, 1 << 20});
  raft.snapshot_hold_entries_max = one_of({3, 1000});
  raft.compact_retain_entries_max = one_of({0, 5, 100, 10000});
  store->log_entries_max = one_of({2, 10, 50, 100000});
  store->scan_rows_max = one_of({1, 2, 1000});
  store->scan_visits_max = one_of({1, 3, 1000});
  store->waiting_calls_max = one_of({2, 20000, 20000, 20000});
}

int64_t DrawDrift(Choices* choices, Choice kind, uint32_t owner, const Profile& profile) {
  const int64_t max = profile.drift_ppb_max;
  const auto drift =
      static_cast<int64_t>(choices->Between(kind, 0, static_cast<uint64_t>(2 * max), owner));
  const int64_t extremes[] = {-max, max, drift - max};
  return choices->OneOf(kind, extremes, owner);
}

Profile DrawProfile(Choices* choices, uint32_t operations_max, Duration faults_end,
                    bool placeable) {
  Profile profile;
  profile.ending = choices->OneOf(kP, {Ending::kHealed, Ending::kHealed, Ending::kHealed,
                                       Ending::kHealed, Ending::kQuorum, Ending::kBroken});
  const uint64_t size = choices->Pick(kP, 100);
  profile.members = size < 5 ? 1 : size < 72 ? 3 : 5;
  profile.stores = profile.members + static_cast<uint32_t>(choices->Pick(kP, 3));
  profile.faults_end = faults_end;
  DrawStore(choices, &profile);
  constexpr Span kLoopTimes[] = {{Us(1), Us(1)}, {Us(1), Us(30)}, {Us(1), Ms(2)}};
  profile.loop_time = choices->OneOf(kP, kLoopTimes);
  // The largest rate at which two clocks that are wrong in opposite directions are still within
  // what a lease allows for.
  const int64_t ppm = profile.store.raft.clock_drift_ppm_max;
  profile.drift_ppb_max =
      choices->OneOf<int64_t>(kP, {0, 200000, ppm * 1000000000 / (2000000 + ppm)});
  DrawNetwork(choices, &profile);
  DrawDisk(choices, &profile);
  DrawFaults(choices, &profile);
  DrawOperator(choices, &profile);
  DrawWorkload(choices, operations_max, &profile);
  DrawBuggify(choices, &profile);
  if (profile.ending == Ending::kHealed && choices->Pick(Choice::kEnding, 3) == 0) {
    profile.ending = Ending::kPartial;
  }
  // From a stream of its own: all other runs are what they would be without.
  if (profile.ending == Ending::kHealed && choices->Pick(Choice::kEnding, 4, kLossOwner) == 0) {
    profile.ending = Ending::kLost;
    // In the middle of the clients' work: of a region at rest nothing is lost.
    profile.faults_end =
        faults_end * static_cast<int64_t>(choices->Between(Choice::kEnding, 1, 8, kLossOwner)) / 8;
  }
  if (placeable) DrawPlaced(choices, &profile);
  DrawEventual(choices, &profile);
  return profile;
}

}  // namespace flaredb::sim
