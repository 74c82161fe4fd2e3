// SPDX-License-Identifier: Apache-2.0
// Regions grow onto stores, leave them, and are known.
#include "core/cluster/driver.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/cluster/fake_cluster.h"

namespace flaredb::cluster {
namespace {

using pd::StoreState;
using Stores = std::vector<uint64_t>;

class DriverTest : public FakeCluster {
 protected:
  bool RunUntilVoters(const Stores& stores, RegionId region = RegionId(1)) {
    return RunUntil([&] {
      return Voters(region) == stores && regions_.at(region).conf.learners.empty() &&
             regions_.at(region).changing == 0;
    });
  }
  // A cluster of stores 1 to `n` with a replica of the region on the first three.
  void Grow(uint64_t n) {
    for (uint64_t id = 2; id <= 3 && id <= n; ++id) Join(id);
    ASSERT_TRUE(RunUntilVoters(n >= 3 ? Stores{1, 2, 3} : n == 2 ? Stores{1, 2} : Stores{1}));
    for (uint64_t id = 4; id <= n; ++id) Join(id);
    Run(Duration::Seconds(2));
  }
  // In every configuration that was in force: at least so many voters.
  size_t FewestVoters(size_t since) const {
    size_t fewest = SIZE_MAX;
    const auto& confs = regions_.at(RegionId(1)).confs;
    for (size_t i = since; i < confs.size(); ++i) {
      fewest = std::min(fewest, confs[i].voters.size());
      if (confs[i].joint()) fewest = std::min(fewest, confs[i].voters_outgoing.size());
    }
    return fewest;
  }
  pd::RegionInfo Known(const std::string& key = "") const {
    return Get<pd::RegionInfo>(pd::GetRegion{key});
  }
};

TEST_F(DriverTest, AClusterOfOneGrowsToThreeAsStoresJoin) {
  Run(Duration::Seconds(2));
  EXPECT_EQ(Voters(), Stores{1});
  EXPECT_EQ(driver_->waiting(), std::vector<std::string>());
  Join(2);
  EXPECT_TRUE(RunUntilVoters({1, 2}));
  Join(3);
  EXPECT_TRUE(RunUntilVoters({1, 2, 3}));
  Join(4);
  const size_t confs = R().confs.size();
  Run(Duration::Seconds(5));
  EXPECT_EQ(R().confs.size(), confs) << "the region has what it needs";
  EXPECT_EQ(driver_->waiting(), std::vector<std::string>());
  for (uint64_t id = 1; id <= 4; ++id) {
    EXPECT_EQ(S(id).directory.revision(), revision());
    EXPECT_EQ(S(id).directory.pd(), R().region);
    EXPECT_EQ(S(id).directory.Find(StoreId(4))->address, "s4:1");
  }
}

TEST_F(DriverTest, BothRegionsOfACluster) {
  Split(RegionId(1), "zm", RegionId(2));
  for (auto& peer : R(2).region.peers) peer.id = PeerId(20);
  R(2).conf = ConfStateOf(R(2).region);
  R(2).confs = {R(2).conf};
  R(2).leader = PeerId(20);
  Join(2);
  Join(3);
  EXPECT_TRUE(RunUntilVoters({1, 2, 3}));
  EXPECT_TRUE(RunUntilVoters({1, 2, 3}, RegionId(2)));
  EXPECT_EQ(Known("zn").region, R(2).region);
}

TEST_F(DriverTest, TheRegionTableFollowsTheRegions) {
  Run(Duration::Seconds(1));
  EXPECT_EQ(Known(), (pd::RegionInfo{R().region, R().term, R().leader}));
  const size_t errands = errands_.size();
  Run(Duration::Seconds(5));
  EXPECT_EQ(errands_.size(), errands) << "what is known is not put again";
  Grow(3);
  R().leader = R().region.peers[1].id;
  ++R().term;
  Run(Duration::Seconds(1));
  EXPECT_EQ(Known().leader, R().leader);
  Split(RegionId(1), "zm", RegionId(77));
  Run(Duration::Seconds(1));
  EXPECT_EQ(Known("za").region.id, RegionId(1));
  EXPECT_EQ(Known("zn").region.id, RegionId(77));
}

TEST_F(DriverTest, ALearnerThatIsBehindIsNotPromoted) {
  R().catches_up = false;
  Join(2);
  Run(Duration::Seconds(20));
  EXPECT_EQ(Voters(), Stores{1});
  EXPECT_EQ(R().conf.learners.size(), 1u);
  EXPECT_EQ(Waiting("region"), "region 1 waits for store 2 to catch up");
  EXPECT_EQ(S(2).waiting, driver_->waiting()) << "any store can tell";
  R().catches_up = true;
  EXPECT_TRUE(RunUntilVoters({1, 2}));
}

TEST_F(DriverTest, ALearnerOnASilentStoreMakesPlaceForAnother) {
  R().catches_up = false;
  Join(2);
  ASSERT_TRUE(RunUntil([&] { return R().conf.learners.size() == 1; }));
  S(2).silent = true;
  Run(Duration::Seconds(10));
  EXPECT_EQ(R().conf.learners.size(), 1u) << "there is no other";
  EXPECT_NE(Waiting("the cluster waits for store 2, which has not answered for"), "");
  R().catches_up = true;
  Join(3);
  EXPECT_TRUE(RunUntilVoters({1, 3}));
  Run(Duration::Seconds(1));
  EXPECT_EQ(Waiting("region"), "region 1 waits for store 2, which does not answer");
  S(2).silent = false;
  EXPECT_TRUE(RunUntilVoters({1, 2, 3}));
}

TEST_F(DriverTest, ADrainedStoreIsLeftAndOnlyThenRemoved) {
  Grow(4);
  const size_t before = R().confs.size();
  SetStore(3, StoreState::kDraining);
  EXPECT_EQ(Not(SetTo(3, StoreState::kRemoved)).reason, pd::Refusal::kIllegalStep);
  Run(Duration::Milliseconds(100));
  EXPECT_EQ(Waiting("drain"), "the drain of store 3 waits for 1 region");
  EXPECT_TRUE(RunUntilVoters({1, 2, 4}));
  EXPECT_EQ(FewestVoters(before), 3u);
  Run(Duration::Seconds(1));
  EXPECT_EQ(driver_->waiting(), std::vector<std::string>());
  Must<pd::StoreInfo>(SetTo(3, StoreState::kRemoved));
}

// Or what it had acknowledged would go with it.
TEST_F(DriverTest, ADrainWaitsForWhatTheStoreHasToShip) {
  Grow(4);
  Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual});
  Run(Duration::Seconds(1));
  S(3).ships = false;
  ASSERT_TRUE(Write(3, "logs"));
  SetStore(3, StoreState::kDraining);
  EXPECT_TRUE(RunUntilVoters({1, 2, 4}));
  Run(Duration::Seconds(5));
  EXPECT_EQ(Waiting("drain"), "the drain of store 3 waits for 1 row that it has to ship");
  EXPECT_EQ(Not(SetTo(3, StoreState::kRemoved)).reason, pd::Refusal::kIllegalStep);
  S(3).ships = true;
  Run(Duration::Seconds(2));
  EXPECT_EQ(Waiting("drain"), "");
  Must<pd::StoreInfo>(SetTo(3, StoreState::kRemoved));
}

// What it said before it knew of it counts for nothing.
TEST_F(DriverTest, ADrainWaitsForTheStoresWord) {
  Grow(4);
  S(4).silent = true;
  Run(Duration::Seconds(1));
  SetStore(4, StoreState::kDraining);
  Run(Duration::Seconds(2));
  EXPECT_EQ(Waiting("drain"),
            "the drain of store 4 waits for its word that it accepts no more writes");
  S(4).silent = false;
  EXPECT_TRUE(RunUntil([&] { return Waiting("drain").empty(); }));
}

TEST_F(DriverTest, ALeaderHandsOverBeforeItGoes) {
  Grow(4);
  const size_t before = R().confs.size();
  SetStore(1, StoreState::kDraining);
  EXPECT_TRUE(RunUntilVoters({2, 3, 4}));
  EXPECT_EQ(FewestVoters(before), 3u);
}

TEST_F(DriverTest, TheOnlyVoterHandsOverToTheOneThatTakesItsPlace) {
  Join(2);
  SetStore(1, StoreState::kDraining);
  EXPECT_TRUE(RunUntilVoters({2}));
  Run(Duration::Seconds(1));
  Must<pd::StoreInfo>(SetTo(1, StoreState::kRemoved));
}

TEST_F(DriverTest, WithoutASpareStoreADrainLeavesFewerVoters) {
  Grow(3);
  SetStore(2, StoreState::kDraining);
  EXPECT_TRUE(RunUntilVoters({1, 3}));
  SetStore(2, StoreState::kUp);
  EXPECT_TRUE(RunUntilVoters({1, 2, 3}));
}

TEST_F(DriverTest, ADrainThatIsTakenBackEnds) {
  Grow(4);
  R().catches_up = false;
  SetStore(3, StoreState::kDraining);
  ASSERT_TRUE(RunUntil([&] { return !R().conf.learners.empty(); }));
  SetStore(3, StoreState::kUp);
  EXPECT_TRUE(RunUntilVoters({1, 2, 3})) << "its learner goes, too";
}

TEST_F(DriverTest, ALostStoreIsReplaced) {
  Grow(3);
  S(3).silent = true;
  Run(Duration::Seconds(10));
  EXPECT_EQ(Voters(), (Stores{1, 2, 3})) << "nobody but an operator gives a store up";
  EXPECT_NE(Waiting("the cluster waits for store 3, which has not answered for"), "");
  Join(4);
  const size_t before = R().confs.size();
  SetStore(3, StoreState::kLost);
  EXPECT_TRUE(RunUntilVoters({1, 2, 4}));
  EXPECT_EQ(FewestVoters(before), 3u);
  Run(Duration::Seconds(1));
  Must<pd::StoreInfo>(SetTo(3, StoreState::kRemoved));
}

TEST_F(DriverTest, WhatIsLostWithAStoreIsCounted) {
  Grow(3);
  Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual});
  Run(Duration::Seconds(1));
  S(3).ships = false;
  ASSERT_TRUE(Write(3, "logs"));
  ASSERT_TRUE(Write(3, "logs"));
  Run(Duration::Seconds(1));
  S(3).silent = true;
  SetStore(3, StoreState::kLost);
  Run(Duration::Seconds(1));
  EXPECT_EQ(Waiting("given up"),
            "store 3 was given up with 2 rows that it had accepted and not shipped when it last "
            "answered: they are lost");
}

// {1, 2, 3} with 2 behind: without 3 there would be no quorum to rely on.
TEST_F(DriverTest, NoVoterGoesWhileTheOthersAreNoQuorum) {
  Grow(3);
  R().catches_up = false;
  R().behind.insert(R().region.PeerOn(StoreId(2))->id);
  Run(Duration::Seconds(1));
  SetStore(3, StoreState::kDraining);
  Run(Duration::Seconds(10));
  EXPECT_EQ(Voters(), (Stores{1, 2, 3}));
  EXPECT_EQ(Waiting("region"), "region 1 waits for store 2 to catch up");
  R().behind.clear();
  EXPECT_TRUE(RunUntilVoters({1, 2}));
}

TEST_F(DriverTest, RegionsWithoutALeaderAreNamed) {
  Grow(3);
  S(1).silent = true;
  R().leader = PeerId();
  Run(Duration::Seconds(10));
  EXPECT_EQ(Waiting("region"), "region 1 waits for a leader that answers");
}

TEST_F(DriverTest, AnotherDiskUnderAStoresIdIsNotHeard) {
  Grow(3);
  S(2).instance.lo += 1;
  Run(Duration::Seconds(5));
  EXPECT_EQ(Waiting("cluster"),
            "the cluster waits for store 2, under whose id a store with another disk answers");
}

TEST_F(DriverTest, RefusalsAreTold) {
  R().refuses = "peer 17 has not caught up";
  Join(2);
  Run(Duration::Seconds(5));
  EXPECT_EQ(Waiting("refused"), "region 1 refused a change: peer 17 has not caught up");
  EXPECT_LE(calls_, 2 * 5000 / 400 + 10u) << "it is not asked again at once";
  R().refuses = "";
  EXPECT_TRUE(RunUntilVoters({1, 2}));
}

// An order that nobody answered may have been carried out: nobody else gets that id.
TEST_F(DriverTest, AnIdIsForOneStore) {
  R().refuses = "later";
  Join(2);
  Run(Duration::Seconds(2));
  const PeerId first = last_learner_.id;
  ASSERT_EQ(last_learner_.store, StoreId(2));
  Run(Duration::Seconds(2));
  EXPECT_EQ(last_learner_.id, first) << "asked again";
  S(2).silent = true;
  Join(3);
  Run(Duration::Seconds(6));
  EXPECT_EQ(last_learner_.store, StoreId(3));
  EXPECT_GT(last_learner_.id, first);
}

TEST_F(DriverTest, AFailoverInTheMiddleOfEverything) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    rng_ = Rng(seed);
    if (seed == 1) Grow(4);
    const size_t grown = R().confs.size() - 1;
    const Stores from = Voters();
    const uint64_t leaves = from[rng_.Below(from.size())];
    SetStore(leaves, StoreState::kDraining);
    for (int i = 0; i < 20; ++i) {
      Run(Duration::Milliseconds(static_cast<int64_t>(rng_.Below(60)) * 10));
      ChangeDriver();
    }
    Stores to;
    for (uint64_t id = 1; id <= 4; ++id) {
      if (id != leaves) to.push_back(id);
    }
    ASSERT_TRUE(RunUntilVoters(to)) << "without store " << leaves;
    ASSERT_EQ(FewestVoters(grown), 3u);
    SetStore(leaves, StoreState::kUp);
    Run(Duration::Seconds(1));
  }
}

TEST_F(DriverTest, LossesOnlyTakeTime) {
  loss_ = 40;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    rng_ = Rng(seed);
    if (seed == 1) Grow(4);
    const uint64_t leaves = Voters()[rng_.Below(3)];
    SetStore(leaves, StoreState::kDraining);
    ASSERT_TRUE(RunUntil([&] {
      const Stores now = Voters();
      return std::find(now.begin(), now.end(), leaves) == now.end();
    }));
    SetStore(leaves, StoreState::kUp);
  }
}

class OneRun : public DriverTest {
 public:
  std::string Trace() {
    loss_ = 20;
    Grow(4);
    SetStore(2, StoreState::kDraining);
    Run(Duration::Seconds(20));
    return trace_;
  }

 private:
  void TestBody() override {}
};

TEST(Determinism, OneSeedOneTrace) {
  const std::string trace = OneRun().Trace();
  EXPECT_GT(trace.size(), 1000u);
  EXPECT_EQ(trace, OneRun().Trace());
}

TEST_F(DriverTest, AQuietClusterIsCalledAtIntervals) {
  Grow(3);
  const size_t calls = calls_;
  Run(Duration::Seconds(10));
  EXPECT_LE(calls_ - calls, 3 * 25u + 3);
  EXPECT_GE(calls_ - calls, 3 * 23u);
}

// Eight steps or so for each of two stores.
TEST_F(DriverTest, WhileSomethingMovesItIsCalledMoreOften) {
  Join(2);
  Join(3);
  const Instant begin = now_;
  ASSERT_TRUE(RunUntilVoters({1, 2, 3}));
  EXPECT_LT(now_ - begin, Duration::Seconds(1));
  Run(Duration::Seconds(10));
  calls_ = 0;
  Run(Duration::Seconds(10));
  EXPECT_LE(calls_, 3u * 26) << "nothing moves any more";
}

TEST_F(DriverTest, NewsTravelsAtOnce) {
  Grow(3);
  for (int i = 0; i < 20; ++i) {
    Run(Duration::Milliseconds(170));
    const std::string name = "ns" + std::to_string(i);
    Command(pd::EnsureNamespace{name, std::nullopt});
    // Out and, if one was just called, back and out again.
    Run(Duration::Milliseconds(60));
    for (uint64_t id = 1; id <= 3; ++id) EXPECT_NE(S(id).directory.Find(name), nullptr) << id;
  }
}

TEST_F(DriverTest, WhatAnEarlierTimeBeganIsNoAnswerToThis) {
  for (uint64_t term = 2; term <= 4; ++term) {
    Join(term);
    Run(Duration::Seconds(5));
    driver_->Lead(now_, Term(term));
  }
  EXPECT_GE(errands_.size(), 5u);
  EXPECT_EQ(std::set<ErrandId>(errands_.begin(), errands_.end()).size(), errands_.size());
}

TEST_F(DriverTest, WhoDoesNotLeadDoesNothing) {
  driver_->Retire();
  EXPECT_FALSE(driver_->leading());
  EXPECT_EQ(driver_->next_deadline(), Instant::Max());
  Join(2);
  Run(Duration::Seconds(5));
  EXPECT_EQ(calls_, 0u);
  EXPECT_EQ(Voters(), Stores{1});
}

TEST_F(DriverTest, BeforeTheFoundingThereIsNothingToDo) {
  data_.rows.clear();
  driver_->Lead(now_, Term(9));
  DriverOutput output;
  driver_->Turn(now_, *this, &output);
  EXPECT_TRUE(output.calls.empty());
  EXPECT_EQ(driver_->next_deadline(), Instant::Max());
}

}  // namespace
}  // namespace flaredb::cluster
