// SPDX-License-Identifier: Apache-2.0
// A cluster with a placement driver in a world without faults: what the administrator has in mind
// comes about.
#include "sim/faults/admin.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "sim/cluster/cluster.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {
namespace {

constexpr Duration kTimeout = Duration::Milliseconds(100);

class AdminTest : public testing::Test {
 protected:
  AdminTest() {
    profile_.stores = 5;
    profile_.store.raft.election_timeout = kTimeout;
    profile_.store.raft.heartbeat_interval = kTimeout / 4;
    profile_.loop_time = {Duration::Microseconds(1), Duration::Microseconds(30)};
    profile_.network.delay = {Duration::Microseconds(50), Duration::Microseconds(500)};
    profile_.disk.latency = {Duration::Microseconds(50), Duration::Microseconds(500)};
    profile_.eventual.active = true;
    profile_.store.cluster.emplace().driver.roll_interval = kTimeout;
    profile_.placed.active = true;
    profile_.placed.first = 3;
    profile_.placed.pause = {kTimeout / 4, kTimeout};
  }

  void Begin() {
    const uint32_t self = profile_.stores;
    network_.emplace(&world_, profile_.network, self + 1);
    cluster_.emplace(&world_, profile_, &*network_);
    admin_.emplace(&world_, profile_.placed, kTimeout, &*cluster_, &*network_, self);
    cluster_->Start();
    admin_->Start();
  }

  void RunFor(Duration length) {
    const Instant end = world_.now() + length;
    while (world_.now() < end && !world_.report.failed()) Step();
    ASSERT_FALSE(world_.report.failed()) << world_.report.failure().sentence;
  }
  // For long enough that something is ordered, and until all is as it was ordered to be.
  void RunToRest() {
    RunFor(kTimeout * 20);
    const Instant end = world_.now() + Duration::Seconds(60);
    while (world_.now() < end && WhatIsLeft() && !world_.report.failed()) Step();
    ASSERT_FALSE(world_.report.failed()) << world_.report.failure().sentence;
    ASSERT_EQ(WhatIsLeft(), std::nullopt);
  }
  std::optional<std::string> WhatIsLeft() const {
    const std::optional<std::string> unfinished = admin_->Unfinished();
    return unfinished ? unfinished : cluster_->Unplaced();
  }
  pd::StoreState StateOf(uint32_t node) const {
    return cluster_->placement()->view().stores.at(node).state;
  }

  World world_{1, nullptr};
  Profile profile_;
  std::optional<SimNetwork> network_;
  std::optional<Cluster> cluster_;
  std::optional<Admin> admin_;

 private:
  void Step() {
    const Event event = world_.queue.Pop();
    if (event.kind == EventKind::kAdmin) return admin_->OnEvent();
    if (event.kind != EventKind::kDeliver) return cluster_->OnEvent(event);
    std::optional<Packet> packet = network_->Take(event.arg);
    if (!packet) return;
    if (packet->to == profile_.stores) return admin_->Deliver(*packet);
    cluster_->Deliver(*std::move(packet));
  }
};

TEST_F(AdminTest, OneStoreBecomesAClusterOfThree) {
  Begin();
  EXPECT_EQ(cluster_->Unplaced(), "the cluster is not founded");
  RunToRest();
  EXPECT_TRUE(admin_->namespaces_exist());
  EXPECT_EQ(cluster_->placement()->view().stores.size(), 3u);
  for (const auto& region : cluster_->regions()) {
    EXPECT_EQ(region->checkers.commits().confs().back().conf.voters.size(), 3u);
  }
}

TEST_F(AdminTest, ALostStoreIsReplacedAndRemoved) {
  Begin();
  RunToRest();
  profile_.placed.join_ppm = 1000000;
  RunToRest();
  EXPECT_EQ(cluster_->placement()->view().stores.size(), 5u);
  ASSERT_TRUE(cluster_->MayLose(0));
  cluster_->Lose(0, /*stops=*/true);
  ASSERT_NO_FATAL_FAILURE(RunToRest());
  EXPECT_EQ(StateOf(0), pd::StoreState::kLost);
  EXPECT_FALSE(cluster_->MayLose(0)) << "a second time";
  for (const auto& region : cluster_->regions()) {
    const raft::ConfState& conf = region->checkers.commits().confs().back().conf;
    EXPECT_EQ(conf.voters.size(), 3u);
    for (const raft::Member& member : conf.members) EXPECT_NE(member.store, StoreId(1));
  }
  profile_.placed.remove_ppm = 1000000;
  ASSERT_NO_FATAL_FAILURE(RunFor(kTimeout * 20));
  EXPECT_EQ(StateOf(0), pd::StoreState::kRemoved);
}

TEST_F(AdminTest, AStoreThatWasGivenUpAndRunsOnIsToldSo) {
  Begin();
  RunToRest();
  profile_.placed.join_ppm = 1000000;
  ASSERT_NO_FATAL_FAILURE(RunToRest());
  cluster_->Lose(2, /*stops=*/false);
  EXPECT_TRUE(cluster_->running(2));
  ASSERT_NO_FATAL_FAILURE(RunToRest());
  EXPECT_EQ(cluster_->store(2)->directory()->Find(StoreId(3))->state, pd::StoreState::kLost);
}

TEST_F(AdminTest, ADrainedStoreIsRemovedAndStopped) {
  profile_.stores = 4;
  profile_.placed.first = 4;
  Begin();
  RunToRest();
  profile_.placed.drain_ppm = 1000000;
  const Instant end = world_.now() + Duration::Seconds(5);
  while (world_.now() < end && cluster_->placement()->view().stores[3].state == pd::StoreState::kUp)
    RunFor(kTimeout);
  profile_.placed.drain_ppm = 0;
  profile_.placed.remove_ppm = 1000000;
  ASSERT_NO_FATAL_FAILURE(RunFor(kTimeout * 40));
  admin_->Stop();
  ASSERT_NO_FATAL_FAILURE(RunToRest());
  for (const pd::StoreInfo& store : cluster_->placement()->view().stores) {
    const auto node = static_cast<uint32_t>(store.id.value() - 1);
    EXPECT_EQ(cluster_->retired(node), store.state == pd::StoreState::kRemoved);
    EXPECT_EQ(cluster_->running(node), store.state != pd::StoreState::kRemoved);
  }
}

TEST_F(AdminTest, ANamespaceGoesToAndFro) {
  Begin();
  RunToRest();
  profile_.placed.switch_ppm = 1000000;
  ASSERT_NO_FATAL_FAILURE(RunFor(Duration::Seconds(10)));
  admin_->Stop();
  RunToRest();
  const pd::Namespace& ns = cluster_->placement()->view().namespaces.back();
  EXPECT_EQ(ns.name, kSwitchingName);
  EXPECT_GT(ns.mode_epoch, pd::ModeEpoch(10));
}

}  // namespace
}  // namespace flaredb::sim
