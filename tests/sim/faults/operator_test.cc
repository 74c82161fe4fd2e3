// SPDX-License-Identifier: Apache-2.0
#include "sim/faults/operator.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>

#include "sim/cluster/features.h"
#include "sim/world/network.h"

namespace flaredb::sim {
namespace {

// A cluster without clients and faults, in which an operator gives an order every few milliseconds.
class OperatorTest : public testing::Test {
 protected:
  OperatorTest() {
    profile_.stores = 5;
    profile_.members = 3;
    profile_.store.raft.election_timeout = Duration::Milliseconds(100);
    profile_.store.raft.heartbeat_interval = Duration::Milliseconds(20);
    profile_.loop_time = {Duration::Microseconds(1), Duration::Microseconds(30)};
    profile_.network.delay = {Duration::Microseconds(100), Duration::Milliseconds(1)};
    profile_.disk.latency = {Duration::Microseconds(100), Duration::Milliseconds(1)};
    profile_.orders.active = true;
    profile_.orders.pause = {Duration::Milliseconds(1), Duration::Milliseconds(40)};
    profile_.orders.transfers = 1;
    profile_.orders.members = 5;
  }

  void Begin(uint64_t seed) {
    world_ = std::make_unique<World>(seed, nullptr);
    network_ = std::make_unique<SimNetwork>(world_.get(), profile_.network, profile_.stores);
    cluster_ = std::make_unique<Cluster>(world_.get(), profile_, network_.get());
    operator_ = std::make_unique<Operator>(world_.get(), profile_.orders, cluster_.get());
    cluster_->Start();
    operator_->Start();
  }

  void RunFor(Duration time) {
    const Instant end = world_->now() + time;
    world_->queue.At(end, {EventKind::kPhase, 0, 0});
    for (;;) {
      const Event event = world_->queue.Pop();
      if (event.kind == EventKind::kPhase) break;
      if (event.kind == EventKind::kDeliver) {
        if (auto packet = network_->Take(event.arg)) cluster_->Deliver(*std::move(packet));
      } else if (event.kind == EventKind::kOperator) {
        operator_->OnEvent();
      } else {
        cluster_->OnEvent(event);
      }
      ASSERT_EQ(world_->report.failure().sentence, "");
    }
  }

  const std::vector<raft::ConfAt>& confs() const { return cluster_->checkers().commits().confs(); }
  Term term() const { return cluster_->checkers().replicas()[*cluster_->leader()].view.term; }

  Profile profile_;
  std::unique_ptr<World> world_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Operator> operator_;
};

TEST_F(OperatorTest, AHealthyClusterDoesMuchOfWhatItWants) {
  Features features;
  uint64_t orders = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Begin(seed);
    RunFor(Duration::Seconds(10));
    features += cluster_->features();
    orders += operator_->orders();
  }
  EXPECT_GT(orders, 1000u);
  EXPECT_GT(features.transfers, orders / 50);
  // Many come while an earlier one is under way, or too early for a learner that is behind.
  EXPECT_GT(features.changes, orders / 10);
  EXPECT_GT(features.joint_phases, 50u);
  EXPECT_GT(features.created, 50u);
  EXPECT_GT(features.destroyed, 50u);
  EXPECT_GT(features.snapshots, 50u);
}

TEST_F(OperatorTest, PeersAreNeverNamedTwiceNorPutWhereSomebodyIs) {
  Begin(1);
  RunFor(Duration::Seconds(20));
  std::set<PeerId> gone;
  for (size_t i = 1; i < confs().size(); ++i) {
    std::set<StoreId> stores;
    for (const PeerId peer : confs()[i].conf.Everybody()) {
      EXPECT_FALSE(gone.contains(peer)) << "peer " << peer << " came back";
      EXPECT_TRUE(stores.insert(confs()[i].conf.Find(peer).store).second);
    }
    for (const PeerId peer : confs()[i - 1].conf.Everybody()) {
      if (!confs()[i].conf.IsMember(peer)) gone.insert(peer);
    }
  }
  EXPECT_GT(gone.size(), 20u);
}

TEST_F(OperatorTest, NobodyIsPromotedBeyondTheLimit) {
  for (const uint32_t voters_max : {1, 2, 3, 5}) {
    profile_.members = 1;
    profile_.orders.voters_max = voters_max;
    size_t most = 0;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Begin(seed);
      RunFor(Duration::Seconds(10));
      for (const raft::ConfAt& at : confs()) most = std::max(most, at.conf.voters.size());
    }
    EXPECT_EQ(most, voters_max);
  }
}

TEST_F(OperatorTest, WithoutWeightNothingMoves) {
  profile_.orders.members = 0;
  Begin(1);
  RunFor(Duration::Seconds(10));
  EXPECT_EQ(cluster_->features().changes, 0u);
  EXPECT_GT(cluster_->features().transfers, 0u);
  EXPECT_GT(term(), Term(10));

  profile_.orders = {true, profile_.orders.pause, 0, 1, 5};
  Begin(1);
  RunFor(Duration::Seconds(10));
  EXPECT_GT(cluster_->features().changes, 0u);
}

TEST_F(OperatorTest, WhoIsNotActiveOrIsStoppedGivesNoOrder) {
  profile_.orders.active = false;
  Begin(1);
  RunFor(Duration::Seconds(5));
  EXPECT_EQ(operator_->orders(), 0u);

  profile_.orders.active = true;
  Begin(1);
  RunFor(Duration::Seconds(5));
  const uint64_t orders = operator_->orders();
  EXPECT_GT(orders, 0u);
  operator_->Stop();
  RunFor(Duration::Seconds(5));
  EXPECT_EQ(operator_->orders(), orders);
}

TEST_F(OperatorTest, WithoutALeaderThereIsNobodyToOrder) {
  Begin(1);
  RunFor(Duration::Milliseconds(90));
  EXPECT_EQ(operator_->orders(), 0u) << "nobody has campaigned yet";
}

}  // namespace
}  // namespace flaredb::sim
