// SPDX-License-Identifier: Apache-2.0
// Switches of namespaces, and the collection of deletions in eventual ones.
#include "core/cluster/mode_driver.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster/collection.h"
#include "core/kv/key.h"
#include "core/kv/namespace_command.h"
#include "tests/core/cluster/fake_cluster.h"

namespace flaredb::cluster {
namespace {

using enum pd::ModeState;

class Modes : public FakeCluster {
 protected:
  void SetUp() override {
    Join(2);
    Join(3);
    Command(pd::EnsureNamespace{"logs", std::nullopt});
    Run(Duration::Seconds(5));
    ASSERT_EQ(Voters(), (std::vector<uint64_t>{1, 2, 3}));
  }

  void Start(pd::Mode mode) { Command(pd::StartModeSwitch{"logs", mode, Ns("logs").mode_epoch}); }
  void Cancel() { Command(pd::CancelModeSwitch{"logs", Ns("logs").mode_epoch}); }
  // Everybody knows it, too.
  bool RunUntilState(pd::ModeState state) {
    return RunUntil([&] {
      if (Ns("logs").state != state) return false;
      for (const auto& [id, store] : stores_) {
        const pd::Namespace* known = store.directory.Find("logs");
        if (!store.silent && (known == nullptr || known->state != state)) return false;
      }
      return true;
    });
  }
  // All regions of "logs" have a fence like this.
  void ExpectFences(kv::Mode mode) {
    for (const kv::NamespaceState& state : StatesOf("logs")) {
      ASSERT_TRUE(state.fence.has_value());
      EXPECT_EQ(state.fence->mode, mode);
    }
  }
  void MakeEventual() {
    Start(pd::Mode::kEventual);
    ASSERT_TRUE(RunUntilState(kEventual));
  }
  static std::string Name(uint64_t i) { return std::to_string(100000 + i); }
  // Of "logs".
  void FillWithRecords(uint64_t count) {
    kv::Record record;
    record.version = kv::Version(1);
    record.changed_index = Index(1);
    for (uint64_t i = 0; i < count; ++i) {
      data_.rows[kv::EncodeKey(Ns("logs").id, Name(i))] = kv::EncodeRecord(record);
    }
  }
  // The bound between the keys of "logs".
  std::string Middle() { return kv::EncodeKey(Ns("logs").id, "m"); }
};

TEST_F(Modes, ThereAndBack) {
  EXPECT_FALSE(Write(2, "logs"));
  for (int i = 0; i < 10; ++i) {
    Start(pd::Mode::kEventual);
    ASSERT_TRUE(RunUntilState(kEventual));
    ExpectFences(kv::Mode::kEventual);
    for (uint64_t id = 1; id <= 3; ++id) EXPECT_TRUE(Write(id, "logs"));
    Start(pd::Mode::kStrong);
    ASSERT_TRUE(RunUntilState(kStrong));
    ExpectFences(kv::Mode::kStrong);
    for (uint64_t id = 1; id <= 3; ++id) EXPECT_FALSE(Write(id, "logs"));
  }
  Run(Duration::Seconds(1));
  EXPECT_EQ(driver_->waiting(), std::vector<std::string>());
}

// What is written from now on comes after what was there, also at a store whose clock is slow.
TEST_F(Modes, ClocksPassTheFenceBeforeWritesAreAccepted) {
  Command(pd::EnsureNamespace{"other", pd::Mode::kEventual});
  Run(Duration::Seconds(1));
  S(3).skew_ms = -100'000;
  Write(1, "other");
  Run(Duration::Seconds(1));
  MakeEventual();
  ASSERT_TRUE(Write(3, "logs"));
  const kv::Hlc base = StatesOf("logs").front().fence->base_hlc;
  EXPECT_GT(kv::UnixMsOf(base), kUnixMs);
  EXPECT_GT(S(3).clock.last(), base);
}

TEST_F(Modes, ARegionWithoutAFenceHoldsBothSwitches) {
  Split(RegionId(1), Middle(), RegionId(50));
  R(50).takes_fences = false;
  Run(Duration::Seconds(1));
  Start(pd::Mode::kEventual);
  Run(Duration::Seconds(20));
  EXPECT_EQ(Ns("logs").state, kToEventual);
  EXPECT_EQ(Waiting("logs"),
            "the switch of 'logs' to eventual waits for region 50, whose log has no fence yet");
  R(50).takes_fences = true;
  ASSERT_TRUE(RunUntilState(kEventual));
  ExpectFences(kv::Mode::kEventual);

  R(1).takes_fences = false;
  Start(pd::Mode::kStrong);
  Run(Duration::Seconds(20));
  EXPECT_EQ(Ns("logs").state, kToStrongFence);
  EXPECT_EQ(Waiting("logs"),
            "the switch of 'logs' to strong waits for region 1, whose log has no fence yet");
  R(1).takes_fences = true;
  ASSERT_TRUE(RunUntilState(kStrong));
  ExpectFences(kv::Mode::kStrong);
}

TEST_F(Modes, ASplitInTheMiddleLosesNoFence) {
  R(1).takes_fences = false;
  Start(pd::Mode::kEventual);
  Run(Duration::Seconds(1));
  Split(RegionId(1), Middle(), RegionId(50));
  R(1).takes_fences = R(50).takes_fences = true;
  ASSERT_TRUE(RunUntilState(kEventual));
  ASSERT_EQ(StatesOf("logs").size(), 2u);
  ExpectFences(kv::Mode::kEventual);
}

TEST_F(Modes, AHoleInTheRegionTableHoldsTheSwitch) {
  // The right part has taken its keys over, of which nobody has told.
  Split(RegionId(1), Middle(), RegionId(50));
  R(50).leader = PeerId();
  Run(Duration::Seconds(1));
  Start(pd::Mode::kEventual);
  Run(Duration::Seconds(10));
  EXPECT_EQ(Ns("logs").state, kToEventual);
  EXPECT_EQ(Waiting("logs"),
            "the switch of 'logs' to eventual waits for the leader of a region that is not known "
            "at the moment");
  R(50).leader = R(50).conf.voters.front();
  ASSERT_TRUE(RunUntilState(kEventual));
}

TEST_F(Modes, ASilentStoreHoldsTheDrainAndIsNamed) {
  MakeEventual();
  S(3).ships = false;
  Write(3, "logs");
  Write(3, "logs");
  S(3).silent = true;
  Start(pd::Mode::kStrong);
  Run(Duration::Seconds(12));
  EXPECT_EQ(Ns("logs").state, kToStrongDrain);
  EXPECT_NE(
      Waiting("the switch of 'logs' to strong waits for store 3, which has not answered for "), "");
  EXPECT_FALSE(Write(1, "logs"));
  S(3).silent = false;
  Run(Duration::Seconds(5));
  EXPECT_EQ(Ns("logs").state, kToStrongDrain);
  EXPECT_EQ(Waiting("logs"),
            "the switch of 'logs' to strong waits for store 3, which has 2 rows to ship");
  EXPECT_EQ(S(1).waiting, driver_->waiting());
  S(3).ships = true;
  ASSERT_TRUE(RunUntilState(kStrong));
}

TEST_F(Modes, AStoreThatIsGivenUpHoldsNothing) {
  MakeEventual();
  Write(3, "logs");
  S(3).silent = true;
  S(3).ships = false;
  Start(pd::Mode::kStrong);
  Run(Duration::Seconds(3));
  EXPECT_EQ(Ns("logs").state, kToStrongDrain);
  SetStore(3, pd::StoreState::kLost);
  EXPECT_TRUE(RunUntilState(kStrong));
}

TEST_F(Modes, AStoreThatJoinsMeanwhileIsAskedToo) {
  MakeEventual();
  S(2).ships = false;
  Write(2, "logs");
  Start(pd::Mode::kStrong);
  Run(Duration::Seconds(1));
  Join(4);
  S(4).silent = true;
  S(2).ships = true;
  Run(Duration::Seconds(10));
  EXPECT_EQ(Ns("logs").state, kToStrongDrain);
  S(4).silent = false;
  EXPECT_TRUE(RunUntilState(kStrong));
}

TEST_F(Modes, CancelOnTheWayToEventual) {
  R(1).takes_fences = false;
  Start(pd::Mode::kEventual);
  Run(Duration::Seconds(1));
  ASSERT_EQ(Ns("logs").state, kToEventual);
  Cancel();
  ASSERT_EQ(Ns("logs").state, kToStrongFence);
  R(1).takes_fences = true;
  ASSERT_TRUE(RunUntilState(kStrong));
  ExpectFences(kv::Mode::kStrong);
}

// Some regions refuse strong operations by now, and a store has not heard of anything.
TEST_F(Modes, CancelAfterTheFenceWaitsForNoStore) {
  S(3).silent = true;
  Start(pd::Mode::kEventual);
  Run(Duration::Seconds(1));
  ExpectFences(kv::Mode::kEventual);
  ASSERT_EQ(Ns("logs").state, kToEventual);
  EXPECT_EQ(Waiting("logs"),
            "the switch of 'logs' to eventual waits for store 3, which has yet to hear of it");
  Cancel();
  ASSERT_TRUE(RunUntilState(kStrong));
  ExpectFences(kv::Mode::kStrong);
}

TEST_F(Modes, CancelOfTheDrain) {
  MakeEventual();
  S(2).ships = false;
  Write(2, "logs");
  Start(pd::Mode::kStrong);
  Run(Duration::Seconds(2));
  ASSERT_EQ(Ns("logs").state, kToStrongDrain);
  EXPECT_FALSE(Write(1, "logs"));
  Cancel();
  ASSERT_TRUE(RunUntilState(kEventual));
  EXPECT_TRUE(Write(1, "logs"));
  S(2).ships = true;
  Start(pd::Mode::kStrong);
  EXPECT_TRUE(RunUntilState(kStrong));
}

// No state is ever two steps away from what a store or region acts on, whoever drives.
TEST_F(Modes, AFailoverAtAnyTimeFinishesTheSwitch) {
  Split(RegionId(1), Middle(), RegionId(50));
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    rng_ = Rng(seed);
    loss_ = seed % 3 * 15;
    const bool to_eventual = seed % 2 == 1;
    Start(to_eventual ? pd::Mode::kEventual : pd::Mode::kStrong);
    for (int i = 0; i < 6; ++i) {
      Run(Duration::Milliseconds(static_cast<int64_t>(rng_.Below(25)) * 10));
      ChangeDriver();
      const bool accepted = Write(rng_.Between(1, 3), "logs");
      for (const kv::NamespaceState& region : StatesOf("logs")) {
        EXPECT_FALSE(accepted && region.Admits(kv::Mode::kStrong)) << "both modes write";
      }
    }
    ASSERT_TRUE(RunUntilState(to_eventual ? kEventual : kStrong));
    ExpectFences(to_eventual ? kv::Mode::kEventual : kv::Mode::kStrong);
  }
}

TEST_F(Modes, DeletionsAreCollectedUpToTheLeastWatermark) {
  MakeEventual();
  Write(1, "logs");
  S(2).ships = false;
  Write(2, "logs");
  Write(2, "logs");
  const kv::Hlc oldest = S(2).unshipped.begin()->second;
  Write(3, "logs");
  Run(Duration::Seconds(15));
  ASSERT_EQ(R().collected.size(), 1u);
  EXPECT_EQ(R().collected.back().before, oldest);
  EXPECT_EQ(R().collected.back().ns, Ns("logs").id);
  EXPECT_EQ(R().collected.back().begin, "");
  EXPECT_EQ(R().collected.back().end, "");
  S(2).ships = true;
  Run(Duration::Seconds(15));
  EXPECT_GT(R().collected.back().before, oldest);
}

TEST_F(Modes, NothingIsCollectedBeyondASilentMember) {
  MakeEventual();
  Write(3, "logs");
  Run(Duration::Seconds(1));
  const kv::Hlc last = S(3).clock.last();
  S(3).silent = true;
  for (int i = 0; i < 10; ++i) {
    Write(1, "logs");
    Run(Duration::Seconds(5));
  }
  for (const auto& collect : R().collected) EXPECT_LE(collect.before, last.next());
  EXPECT_NE(Waiting("the collection of deletions in 'logs' waits for store 3, which has not "), "");
  // Nor by somebody who never heard it.
  const size_t collected = R().collected.size();
  ChangeDriver();
  Run(Duration::Seconds(30));
  EXPECT_EQ(R().collected.size(), collected);
  S(3).silent = false;
  Run(Duration::Seconds(15));
  EXPECT_GT(R().collected.size(), collected);
}

TEST_F(Modes, AStoreThatJoinsTakesTheTimeOfTheOthers) {
  MakeEventual();
  for (uint64_t id = 1; id <= 3; ++id) Write(id, "logs");
  Run(Duration::Seconds(15));
  ASSERT_FALSE(R().collected.empty());
  const kv::Hlc floor = R().collected.back().before;
  for (uint64_t id = 1; id <= 3; ++id) S(id).silent = true;
  ChangeDriver();
  Join(4);
  S(4).skew_ms = -1'000'000;
  Run(Duration::Seconds(5));
  EXPECT_FALSE(Write(4, "logs")) << "nobody told the driver what time it is";
  S(2).silent = false;
  Run(Duration::Seconds(2));
  ASSERT_TRUE(Write(4, "logs"));
  EXPECT_GE(S(4).clock.last(), floor);
}

// One entry looks at so many records only.
TEST_F(Modes, ACollectionGoesOnWhereTheLastOneStopped) {
  MakeEventual();
  const uint64_t records = kv::CollectTombstones().records_max * 5 / 2;
  FillWithRecords(records);
  Run(Duration::Seconds(15));
  ASSERT_EQ(R().collected.size(), 3u);
  EXPECT_EQ(R().collected[0].begin, "");
  EXPECT_EQ(R().collected[1].begin, Name(records * 2 / 5));
  EXPECT_EQ(R().collected[2].begin, Name(records * 4 / 5));
  EXPECT_EQ(R().collected[2].before, R().collected[0].before);
  EXPECT_EQ(R().collected[2].end, "");
  Run(Duration::Seconds(10));
  EXPECT_EQ(R().collected[3].begin, "") << "the next round";
}

TEST_F(Modes, ACollectionThatTakesLongerThanAnIntervalEnds) {
  options_.collect_interval = Duration::Seconds(1);
  MakeEventual();
  ChangeDriver();
  const uint64_t pieces = 10;
  FillWithRecords(pieces * kv::CollectTombstones().records_max);
  for (int i = 0; i < 9; ++i) {
    for (uint64_t id = 1; id <= 3; ++id) Write(id, "logs");
    Run(Duration::Seconds(1));
  }
  ASSERT_GT(R().collected.size(), pieces);
  for (size_t i = 1; i < pieces; ++i) {
    EXPECT_GT(R().collected[i].begin, R().collected[i - 1].begin);
    EXPECT_EQ(R().collected[i].before, R().collected[0].before);
  }
  EXPECT_EQ(R().collected[pieces].begin, "") << "the next round";
}

TEST_F(Modes, ManyNamespacesAreCollectedSomeAtATime) {
  const size_t count = 3 * Collection::kRoundsAtOnce;
  for (size_t i = 0; i < count; ++i) {
    Command(pd::EnsureNamespace{"many" + std::to_string(i), pd::Mode::kEventual});
  }
  R().takes_fences = false;
  const auto asked = [this] {
    std::set<kv::NamespaceId> namespaces;
    for (const RegionErrand& errand : asked_) namespaces.insert(kv::NamespaceOf(errand.command));
    return namespaces.size();
  };
  // Nothing gets on: the first ones give way to others.
  Run(Duration::Seconds(12));
  EXPECT_EQ(asked(), Collection::kRoundsAtOnce);
  Run(Duration::Seconds(10));
  EXPECT_EQ(asked(), 2 * Collection::kRoundsAtOnce);
  R().takes_fences = true;
  Run(Duration::Seconds(15));
  std::set<kv::NamespaceId> collected;
  for (const kv::CollectTombstones& collect : R().collected) collected.insert(collect.ns);
  EXPECT_EQ(collected.size(), count);
}

TEST_F(Modes, EachRegionCollectsItsPart) {
  Split(RegionId(1), Middle(), RegionId(50));
  MakeEventual();
  for (uint64_t id = 1; id <= 3; ++id) Write(id, "logs");
  R(50).takes_fences = false;
  Run(Duration::Seconds(25));
  ASSERT_FALSE(R(1).collected.empty());
  EXPECT_EQ(R(1).collected.back().begin, "");
  EXPECT_EQ(R(1).collected.back().end, "m");
  EXPECT_EQ(R(50).collected.size(), 0u);
  R(50).takes_fences = true;
  Run(Duration::Seconds(10));
  ASSERT_EQ(R(50).collected.size(), 1u) << "once";
  EXPECT_EQ(R(50).collected.back().begin, "m");
  EXPECT_EQ(R(50).collected.back().end, "");
  EXPECT_EQ(R(1).collected.size(), 1u);
}

}  // namespace
}  // namespace flaredb::cluster
