// SPDX-License-Identifier: Apache-2.0
// Recovery of a group that lost its majority for ever: the plan, and the replica that carries it
// out (unsafe_recovery.h).
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

const Duration kTimeout = Config().election_timeout;
const Duration kHeartbeat = Config().heartbeat_interval;

class RaftRecovery : public testing::Test {
 protected:
  RaftRecovery() : group_(Voters(3)) {
    group_.Elect(1);
    group_.Propose(1, "x");
    group_.Pass(kHeartbeat * 2);
    group_.Crash(1);
    group_.Crash(2);
    group_.DropAll();
    const std::vector<View> survivors = {group_.view(3)};
    auto plan = PlanRecovery(survivors);
    EXPECT_TRUE(std::holds_alternative<RecoveryPlan>(plan));
    if (auto* made = std::get_if<RecoveryPlan>(&plan)) plan_ = *made;
  }

  // The plan changes nothing.
  void ExpectRefused(const RecoveryPlan& plan) {
    Raft& raft = group_.raft(3);
    const uint64_t before = raft.state_hash();
    Effects effects;
    EXPECT_FALSE(raft.Recover(group_.now(3), plan, &effects));
    EXPECT_TRUE(effects.empty());
    EXPECT_EQ(raft.state_hash(), before);
  }

  Group group_;
  RecoveryPlan plan_;
};

TEST_F(RaftRecovery, SurvivorsGoOnByThemselves) {
  EXPECT_TRUE(group_.Recover(3, plan_));
  group_.Pass(kTimeout);
  EXPECT_TRUE(group_.leads(3));
  group_.Propose(3, "y");
  group_.Settle();
  EXPECT_EQ(group_.applied(3), (std::vector<std::string>{"x", "y"}));
}

TEST_F(RaftRecovery, APlanIsForTheReplicaThatItChoseAsItWas) {
  RecoveryPlan other = plan_;
  other.chosen = PeerId(2);
  ExpectRefused(other);
  other = plan_;
  other.chosen_log.index = other.chosen_log.index.prev();
  ExpectRefused(other);
  other = plan_;
  other.term = group_.view(3).term;
  ExpectRefused(other);
}

TEST_F(RaftRecovery, APlanIsCarriedOutOnce) {
  EXPECT_TRUE(group_.Recover(3, plan_));
  ExpectRefused(plan_);
}

TEST_F(RaftRecovery, APlanThatMakesNoSenseIsNotCarriedOut) {
  plan_.conf.learners = plan_.conf.voters;
  group_.MayBePoisoned(3);
  EXPECT_FALSE(group_.Recover(3, plan_));
  EXPECT_NE(group_.raft(3).poison(), "");
  EXPECT_EQ(group_.writes_waiting(3), 0u) << "nothing of it reaches the disk";
}

TEST_F(RaftRecovery, APlanIsDescribedByWhatItKeepsAndLoses) {
  const std::string text = plan_.Describe();
  EXPECT_NE(text.find("peer 3 has the most complete log"), std::string::npos) << text;
  EXPECT_NE(text.find("Kept: everything up to entry 2."), std::string::npos) << text;
  EXPECT_NE(text.find("never to be started again: peers 1 2."), std::string::npos) << text;
}

TEST_F(RaftRecovery, NoPlanWhereNoneIsNeededOrNoneCanBe) {
  View survivor = group_.view(3);
  View peer = survivor;
  peer.id = PeerId(2);
  const auto why = [](std::vector<View> views) {
    const auto plan = PlanRecovery(views);
    const auto* refusal = std::get_if<NoPlan>(&plan);
    return refusal != nullptr ? std::optional(*refusal) : std::nullopt;
  };
  EXPECT_EQ(why({}), NoPlan::kNoSurvivor);
  EXPECT_EQ(why({survivor, peer}), NoPlan::kNotNeeded);
  View stranger = survivor;
  stranger.id = PeerId(9);
  EXPECT_EQ(why({stranger}), NoPlan::kNoSurvivor) << "its own configuration does not know it";
  stranger.commit_index = survivor.last_log.index.next();
  EXPECT_EQ(why({survivor, stranger}), NoPlan::kDisagree);
  EXPECT_EQ(why({survivor}), std::nullopt);
}

}  // namespace
}  // namespace flaredb::raft
