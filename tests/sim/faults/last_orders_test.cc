// SPDX-License-Identifier: Apache-2.0
// What a healed region is told to do, and when that counts as done or as failed.
#include "sim/faults/last_orders.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "sim/world/network.h"

namespace flaredb::sim {
namespace {

using ::testing::HasSubstr;

// A cluster without clients and faults.
class LastOrdersTest : public testing::Test {
 protected:
  LastOrdersTest() {
    profile_.stores = 4;
    profile_.members = 3;
    profile_.store.raft.election_timeout = Duration::Milliseconds(100);
    profile_.store.raft.heartbeat_interval = Duration::Milliseconds(20);
    profile_.loop_time = {Duration::Microseconds(1), Duration::Microseconds(30)};
    profile_.network.delay = {Duration::Microseconds(100), Duration::Milliseconds(1)};
    profile_.disk.latency = {Duration::Microseconds(100), Duration::Milliseconds(1)};
  }

  void Begin(uint64_t seed) {
    first_term_ = Term();
    world_ = std::make_unique<World>(Choices(seed), &reduction_, nullptr);
    network_ = std::make_unique<SimNetwork>(world_.get(), profile_.network, profile_.stores);
    cluster_ = std::make_unique<Cluster>(world_.get(), profile_, network_.get());
    orders_ = std::make_unique<LastOrders>(world_.get(), cluster_.get(),
                                           profile_.store.raft.election_timeout);
    cluster_->Start();
  }

  // Until the orders are over, but no longer than a minute.
  void Run() {
    world_->queue.After(Duration(), {EventKind::kPhase, 0, 0});
    while (!orders_->done() && !orders_->failed() &&
           world_->now() - Instant() < Duration::Seconds(60)) {
      const Event event = world_->queue.Pop();
      if (event.kind != EventKind::kPhase) {
        Dispatch(event);
        continue;
      }
      if (first_term_ == Term() && cluster_->leader()) first_term_ = LeaderView().term;
      orders_->Continue();
      world_->queue.After(Duration::Milliseconds(2), {EventKind::kPhase, 0, 0});
    }
    ASSERT_EQ(world_->report.failure().sentence, "");
  }
  // Before: store 4 gets a learner.
  void AddLearner() {
    RunFor(Duration::Seconds(1));
    const raft::MemberChange change{raft::MemberChange::Kind::kAddLearner, cluster_->NewPeer(3),
                                    StoreId(4)};
    store::Order order;
    order.id = 1;
    order.what = store::ChangePeers{{change}};
    cluster_->Give(*cluster_->leader(), std::move(order), Fault::kChangeMembers);
    RunFor(Duration::Seconds(1));
  }
  void RunFor(Duration time) {
    world_->queue.After(time, {EventKind::kPhase, 0, 0});
    while (true) {
      const Event event = world_->queue.Pop();
      if (event.kind == EventKind::kPhase) return;
      Dispatch(event);
    }
  }
  void Dispatch(const Event& event) {
    if (event.kind != EventKind::kDeliver) return cluster_->OnEvent(event);
    std::optional<Packet> packet = network_->Take(event.arg);
    if (packet && !IsLost(*packet)) cluster_->Deliver(*std::move(packet));
  }
  bool IsLost(const Packet& packet) const {
    const auto* message = std::get_if<store::StoreMessage>(&packet.body);
    const auto* envelope = message != nullptr ? std::get_if<store::RaftEnvelope>(message) : nullptr;
    return nobody_hears_of_transfers_ && envelope != nullptr &&
           std::holds_alternative<raft::TimeoutNow>(envelope->message.body);
  }

  const raft::View& LeaderView() const {
    return cluster_->checkers().replicas()[*cluster_->leader()].view;
  }
  void LeaveOut(Fault fault) { reduction_.without.set(static_cast<size_t>(fault)); }

  Profile profile_;
  Reduction reduction_;
  bool nobody_hears_of_transfers_ = false;
  std::unique_ptr<World> world_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<LastOrders> orders_;
  Term first_term_;  // In which somebody led.
};

TEST_F(LastOrdersTest, AHandOverTakesOneTerm) {
  LeaveOut(Fault::kChangeMembers);
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Begin(seed);
    Run();
    EXPECT_TRUE(orders_->done());
    EXPECT_EQ(cluster_->features().transfers, 1u);
    EXPECT_EQ(LeaderView().term, first_term_.next());
    EXPECT_EQ(cluster_->features().changes, 0u);
  }
}

TEST_F(LastOrdersTest, AChangeIsDoneWhenItsJointPhaseIsOver) {
  LeaveOut(Fault::kTransfer);
  profile_.disk.latency = {Duration::Milliseconds(5), Duration::Milliseconds(10)};
  uint64_t joint_phases = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Begin(seed);
    AddLearner();
    ASSERT_EQ(cluster_->features().changes, 1u);
    Run();
    EXPECT_TRUE(orders_->done());
    EXPECT_GE(cluster_->features().changes, 2u);
    EXPECT_FALSE(cluster_->checkers().commits().confs().back().conf.joint());
    joint_phases += cluster_->features().joint_phases;
  }
  EXPECT_GE(joint_phases, 1u);
}

TEST_F(LastOrdersTest, OneComesAfterTheOther) {
  Begin(1);
  Run();
  EXPECT_TRUE(orders_->done());
  EXPECT_GE(cluster_->features().transfers, 1u);
  EXPECT_GE(cluster_->features().changes, 1u);
}

TEST_F(LastOrdersTest, WhoIsAloneHasNobodyToHandOverTo) {
  profile_.members = 1;
  Begin(1);
  Run();
  EXPECT_TRUE(orders_->done());
  EXPECT_EQ(cluster_->features().transfers, 0u);
  EXPECT_GE(cluster_->features().changes, 1u);
}

TEST_F(LastOrdersTest, ATransferThatComesToNothingIsRepeatedButNotForEver) {
  nobody_hears_of_transfers_ = true;
  Begin(1);
  Run();
  EXPECT_FALSE(orders_->done());
  EXPECT_TRUE(orders_->failed());
  EXPECT_EQ(cluster_->features().transfers, 10u);
  EXPECT_THAT(orders_->Describe(), HasSubstr("does not lead in the next term"));
}

TEST_F(LastOrdersTest, OrdersCanBeLeftOut) {
  LeaveOut(Fault::kTransfer);
  LeaveOut(Fault::kChangeMembers);
  Begin(1);
  Run();
  EXPECT_TRUE(orders_->done());
  EXPECT_EQ(cluster_->features().transfers, 0u);
  EXPECT_EQ(cluster_->features().changes, 0u);
}

TEST_F(LastOrdersTest, WithoutALeaderNobodyCanBeTold) {
  Begin(1);
  for (uint32_t node = 0; node < profile_.stores; ++node) {
    cluster_->Crash(node, {Fault::kCrashAll, Duration::Seconds(1000)});
  }
  Run();
  EXPECT_FALSE(orders_->done());
  EXPECT_FALSE(orders_->failed());
  EXPECT_THAT(orders_->Describe(), HasSubstr("nobody leads"));
}

}  // namespace
}  // namespace flaredb::sim
