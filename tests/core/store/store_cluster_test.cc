// SPDX-License-Identifier: Apache-2.0
// Clusters that grow, lose stores and give them up, with nobody but themselves to see to it.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/store/cluster.h"

namespace flaredb::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreClusterTest : public ClusterTest {};

TEST_F(StoreClusterTest, AFounderIsAClusterOfOne) {
  Found();
  EXPECT_THAT(Known(1), ElementsAre(1));
  EXPECT_EQ(Voters(1), 1u);
  EXPECT_EQ(Voters(2), 1u);
  EXPECT_EQ(Swap(1, "", "k", "v"), "version 1");
  EXPECT_EQ(Get(1, "default", "k"), "v");
}

TEST_F(StoreClusterTest, WhoFoundsMayCrashAtAnyTime) {
  stores_.AddFounder(1);
  for (int i = 0; i < 30; ++i) {
    stores_.Wait(Duration::Milliseconds(30));
    for (int step = 0; step < i; ++step) stores_.Step();
    stores_.Restart(1);
  }
  Await([&] { return Known(1).size() == 1; });
  EXPECT_EQ(Swap(1, "", "k", "v"), "version 1");
}

// It would take what it cannot read for a cluster that is not founded, and stand still.
TEST_F(StoreClusterTest, WhoCannotReadTheClustersRowsStops) {
  Found();
  stores_.data(1).failure = absl::DataLossError("a block is damaged");
  stores_.Pass(Duration::Seconds(1));
  EXPECT_EQ(stores_.failure(1), absl::DataLossError("a block is damaged"));
}

TEST_F(StoreClusterTest, RegionsGrowOntoStoresThatJoin) {
  Found();
  EXPECT_EQ(Swap(1, "", "k", "v"), "version 1");
  Join(2);
  Join(3, 2);
  Await([&] { return Voters(1) == 3 && Voters(2) == 3; });
  EXPECT_THAT(Holders(1), ElementsAre(1, 2, 3));
  EXPECT_THAT(Holders(2), ElementsAre(1, 2, 3));
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_THAT(Known(id), ElementsAre(1, 2, 3));
    EXPECT_EQ(Get(id, "", "k"), "v") << "at store " << id;
  }
}

TEST_F(StoreClusterTest, WithoutItsFounderTheClusterGoesOn) {
  Grow(3);
  EXPECT_EQ(Swap(1, "", "k", "v"), "version 1");
  stores_.Kill(1);
  Await([&] { return Voters(1) == 3 && Voters(2) == 3; });
  EXPECT_EQ(Swap(2, "", "k", "w", 1), "version 2");
  EXPECT_EQ(Get(3, "", "k"), "w");
  Join(4, 3);
  Await([&] { return Known(2).size() == 4 && Known(4).size() == 4; });
  EXPECT_EQ(Get(4, "", "k"), "w") << "it has no replica, and asks";
}

TEST_F(StoreClusterTest, AStoreThatIsGivenUpIsReplaced) {
  Grow(4);
  EXPECT_EQ(Swap(1, "", "k", "v"), "version 1");
  const std::vector<uint64_t> before = Holders(1);
  const uint64_t lost = before[1];
  stores_.Kill(lost);
  const uint64_t asked = before[0];
  const pd::Revision seen = stores_.store(asked).directory()->revision();
  const pd::Reply reply =
      Ask(asked, pd::Command(pd::SetStoreState{StoreId(lost), pd::StoreState::kLost, seen}));
  EXPECT_TRUE(std::holds_alternative<pd::StoreInfo>(reply));
  const auto replaced = [&](uint64_t region) {
    const std::vector<uint64_t> holders = Holders(region);
    return Voters(region) == 3 && std::count(holders.begin(), holders.end(), lost) == 0;
  };
  Await([&] { return replaced(1) && replaced(2); });
  EXPECT_EQ(Get(asked, "", "k"), "v");
}

TEST_F(StoreClusterTest, AStoreThatDrainsLosesItsReplicasAndCanGo) {
  Grow(4);
  EXPECT_EQ(Swap(1, "", "k", "v"), "version 1");
  const pd::Revision seen = stores_.store(2).directory()->revision();
  const auto set = [&](pd::StoreState state, pd::Revision at) {
    return Ask(2, pd::Command(pd::SetStoreState{StoreId(1), state, at}));
  };
  const pd::Reply draining = set(pd::StoreState::kDraining, seen);
  ASSERT_TRUE(std::holds_alternative<pd::StoreInfo>(draining));
  Await([&] { return stores_.store(1).peers().empty() && Voters(1) == 3 && Voters(2) == 3; });
  EXPECT_THAT(Holders(1), ElementsAre(2, 3, 4));
  EXPECT_THAT(Holders(2), ElementsAre(2, 3, 4));
  EXPECT_EQ(Get(1, "", "k"), "v") << "it still serves, by asking";
  pd::Reply removed;
  Await([&] {
    removed = set(pd::StoreState::kRemoved, stores_.store(2).directory()->revision());
    return std::holds_alternative<pd::StoreInfo>(removed);
  });
}

TEST_F(StoreClusterTest, EverybodyMayRestart) {
  Grow(3);
  EXPECT_EQ(Swap(1, "logs", "k", "v"), "version 1");
  for (uint64_t id = 1; id <= 3; ++id) stores_.Restart(id);
  EXPECT_THAT(Known(2), ElementsAre(1, 2, 3)) << "the disk remembers";
  EXPECT_EQ(Get(3, "logs", "k"), "v");
}

TEST_F(StoreClusterTest, AStoreThatIsRefusedItsAddressSaysSo) {
  Grow(2);
  stores_.Move(2, Stores::AddressOf(1));
  stores_.Restart(2);
  Await([&] {
    const std::vector<std::string>& waiting = stores_.store(2).waiting();
    return !waiting.empty() && waiting.back().find("belongs to store 1") != std::string::npos;
  });
  stores_.Move(2, Stores::AddressOf(2));
  stores_.Restart(2);
  stores_.Pass(Duration::Seconds(2));
  EXPECT_TRUE(stores_.store(2).waiting().empty());
}

TEST_F(StoreClusterTest, AStoreThatIsNotWhereItWasSaysSo) {
  Grow(2);
  stores_.Move(2, "elsewhere:9");
  stores_.Restart(2);
  Await([&] {
    const pd::StoreInfo* info = stores_.store(1).directory()->Find(StoreId(2));
    return info != nullptr && info->address == "elsewhere:9";
  });
}

}  // namespace
}  // namespace flaredb::store
