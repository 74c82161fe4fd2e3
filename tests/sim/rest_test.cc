// SPDX-License-Identifier: Apache-2.0
#include "sim/rest.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "sim/cluster/cluster.h"
#include "sim/world/network.h"
#include "sim/world/profile.h"
#include "sim/world/world.h"

namespace flaredb::sim {
namespace {

// Three stores that nobody wants anything of.
class RestTest : public testing::Test {
 protected:
  RestTest() {
    profile_.store.raft.election_timeout = Duration::Milliseconds(100);
    profile_.store.raft.heartbeat_interval = Duration::Milliseconds(20);
    profile_.store.raft.rest_after = Duration::Milliseconds(50);
    profile_.loop_time = {Duration::Microseconds(1), Duration::Microseconds(30)};
    profile_.network.delay = {Duration::Microseconds(100), Duration::Milliseconds(1)};
    profile_.disk.latency = {Duration::Microseconds(100), Duration::Milliseconds(1)};
  }

  void Begin() {
    network_.emplace(&world_, profile_.network, profile_.stores);
    cluster_.emplace(&world_, profile_, &*network_);
    cluster_->Start();
  }
  void RunFor(Duration time) {
    world_.queue.After(time, {EventKind::kPhase, 0, 0});
    for (;;) {
      const Event event = world_.queue.Pop();
      if (event.kind == EventKind::kPhase) return;
      if (event.kind == EventKind::kDeliver) {
        if (auto packet = network_->Take(event.arg)) cluster_->Deliver(*std::move(packet));
      } else {
        cluster_->OnEvent(event);
      }
      ASSERT_EQ(world_.report.failure().sentence, "");
    }
  }
  std::string Awake() const {
    return WhoIsAwake(profile_.store.raft, cluster_->checkers(), cluster_->losses()).value_or("");
  }

  Profile profile_;
  World world_{1, nullptr};
  std::optional<SimNetwork> network_;
  std::optional<Cluster> cluster_;
};

TEST_F(RestTest, WhoHasNothingToDoComesToRest) {
  Begin();
  EXPECT_NE(Awake(), "");
  RunFor(Duration::Seconds(2));
  EXPECT_EQ(Awake(), "");
}

TEST_F(RestTest, SomebodyWhoIsNotHeardKeepsTheLeaderAwake) {
  Begin();
  RunFor(Duration::Milliseconds(250));
  const uint32_t leader = *cluster_->leader();
  const uint32_t other = (leader + 1) % profile_.stores;
  cluster_->Crash(other, {Fault::kCrashRandom, Duration::Seconds(100)});
  RunFor(Duration::Seconds(1));
  const std::string names[] = {"store 1", "store 2", "store 3"};
  EXPECT_EQ(Awake(), names[*cluster_->leader()] +
                         ", which leads, does not rest; it has not heard " + names[other]);
}

TEST_F(RestTest, SomeNeverRest) {
  profile_.store.raft.rest_after = Duration::Max();
  Begin();
  RunFor(Duration::Seconds(1));
  EXPECT_EQ(Awake(), "");
}

}  // namespace
}  // namespace flaredb::sim
