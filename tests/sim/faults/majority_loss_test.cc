// SPDX-License-Identifier: Apache-2.0
// That a region goes on after a majority of its voters is lost, and what may go wrong on the way.
#include "sim/faults/majority_loss.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sim/world/network.h"

namespace flaredb::sim {
namespace {

using ::testing::HasSubstr;

// A cluster without clients and other faults.
class MajorityLossTest : public testing::Test {
 protected:
  MajorityLossTest() {
    profile_.stores = 3;
    profile_.members = 3;
    profile_.store.raft.election_timeout = Duration::Milliseconds(100);
    profile_.store.raft.heartbeat_interval = Duration::Milliseconds(20);
    profile_.loop_time = {Duration::Microseconds(1), Duration::Microseconds(30)};
    profile_.network.delay = {Duration::Microseconds(100), Duration::Milliseconds(1)};
    profile_.disk.latency = {Duration::Milliseconds(1), Duration::Milliseconds(5)};
  }

  // Runs until somebody leads, and a little longer.
  void Start(uint64_t seed) {
    world_ = std::make_unique<World>(Choices(seed), &reduction_, nullptr);
    network_ = std::make_unique<SimNetwork>(world_.get(), profile_.network, profile_.stores);
    cluster_ = std::make_unique<Cluster>(world_.get(), profile_, network_.get());
    loss_ = std::make_unique<MajorityLoss>(world_.get(), cluster_.get(),
                                           profile_.store.raft.election_timeout);
    cluster_->Start();
    Run(Duration::Seconds(1), [] { return false; });
    ASSERT_TRUE(cluster_->leader());
    term_before_ = cluster_->highest_term();
  }
  // The operator works until `over`, but no longer than `time`.
  template <typename Over>
  void Run(Duration time, Over&& over) {
    const Instant until = world_->now() + time;
    world_->queue.After(Duration(), {EventKind::kPhase, 0, 0});
    while (world_->now() < until && !over()) {
      const Event event = world_->queue.Pop();
      if (event.kind == EventKind::kDeliver) {
        if (auto packet = network_->Take(event.arg)) cluster_->Deliver(*std::move(packet));
      } else if (event.kind != EventKind::kPhase) {
        cluster_->OnEvent(event);
      } else {
        if (loss_->begun()) loss_->Continue();
        world_->queue.After(Duration::Milliseconds(25), {EventKind::kPhase, 0, 0});
      }
    }
    ASSERT_EQ(world_->report.failure().sentence, "");
  }
  void Recover() {
    Run(Duration::Seconds(60), [&] { return loss_->done() || loss_->hopeless(); });
  }
  void LeaveOutTheLoss() { reduction_.without.set(static_cast<size_t>(Fault::kLoseMajority)); }
  std::set<uint32_t> Left() const {
    std::set<uint32_t> left;
    for (uint32_t node = 0; node < cluster_->size(); ++node) {
      if (!cluster_->losses().left_out(node)) left.insert(node);
    }
    return left;
  }
  uint64_t fired() const { return world_->faults.counts()[Fault::kLoseMajority].fired; }

  Profile profile_;
  Reduction reduction_;
  std::unique_ptr<World> world_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<MajorityLoss> loss_;
  Term term_before_;
};

TEST_F(MajorityLossTest, SurvivorsGoOnByThemselvesInALaterTerm) {
  for (const uint32_t members : {3u, 5u}) {
    profile_.stores = profile_.members = members;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Start(seed);
      ASSERT_TRUE(loss_->Begin());
      EXPECT_LE(Left().size(), members / 2);
      Recover();
      ASSERT_TRUE(loss_->done());
      EXPECT_GE(cluster_->recoveries(), 1u);
      const raft::View& leader = cluster_->checkers().replicas()[*cluster_->leader()].view;
      EXPECT_GT(leader.term, term_before_);
      EXPECT_FALSE(leader.conf.joint());
      std::set<uint32_t> voters;
      for (const PeerId peer : leader.conf.voters) {
        voters.insert(cluster_->checkers().NodeOf(peer));
      }
      EXPECT_EQ(voters, Left());
    }
  }
}

TEST_F(MajorityLossTest, OrdersGoWrongInEveryWayAndAreRepeated) {
  profile_.stores = profile_.members = 5;
  uint64_t mishaps = 0, repeated = 0, crashes = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Start(seed);
    ASSERT_TRUE(loss_->Begin());
    const uint64_t lost = cluster_->crashes();
    Recover();
    ASSERT_TRUE(loss_->done()) << loss_->Describe();
    mishaps += fired() - 1;
    repeated += cluster_->recoveries() > 1 ? 1 : 0;
    crashes += cluster_->crashes() - lost;
  }
  EXPECT_GT(mishaps, 10u);
  EXPECT_GT(crashes, 5u);
  EXPECT_GT(repeated, 0u) << "who crashes before the plan is durable needs another one";
}

TEST_F(MajorityLossTest, NothingIsOrderedWhileALeaderLivesOn) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Start(seed);
    ASSERT_TRUE(loss_->Begin());
    if (!cluster_->leader()) continue;
    loss_->Continue();
    EXPECT_EQ(loss_->Describe(), "somebody leads on without a quorum");
    Run(Duration::Seconds(60), [&] { return cluster_->recoveries() > 0 || !cluster_->leader(); });
    EXPECT_EQ(cluster_->recoveries(), 0u);
    return;
  }
  FAIL() << "the leader was always lost";
}

TEST_F(MajorityLossTest, NothingIsOrderedUntilEverySurvivorRuns) {
  profile_.stores = profile_.members = 5;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Start(seed);
    ASSERT_TRUE(loss_->Begin());
    if (Left().size() < 2) continue;
    cluster_->Crash(*Left().begin(), {Fault::kCrashRandom, Duration::Seconds(1000)});
    Recover();
    EXPECT_FALSE(loss_->done());
    EXPECT_EQ(cluster_->recoveries(), 0u);
    EXPECT_THAT(loss_->Describe(), HasSubstr("is left and does not run"));
    return;
  }
  FAIL() << "nobody but one was ever left";
}

TEST_F(MajorityLossTest, TheOnlyVoterCannotBeLost) {
  profile_.stores = 2;
  profile_.members = 1;
  Start(1);
  EXPECT_FALSE(loss_->Begin());
  EXPECT_EQ(Left().size(), 2u);
  EXPECT_TRUE(cluster_->running(0) && cluster_->running(1));
}

TEST_F(MajorityLossTest, CanBeLeftOut) {
  LeaveOutTheLoss();
  Start(1);
  EXPECT_FALSE(loss_->Begin());
  EXPECT_EQ(Left().size(), 3u);
}

}  // namespace
}  // namespace flaredb::sim
