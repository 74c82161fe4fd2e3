// SPDX-License-Identifier: Apache-2.0
#include "core/store/route_cache.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace flaredb::store {
namespace {

Region Make(uint64_t id, const std::string& begin, const std::string& end, RegionEpoch epoch,
            std::vector<uint64_t> stores = {1, 2, 3}) {
  Region region{RegionId(id), begin, end, epoch, {}};
  for (const uint64_t store : stores) region.peers.push_back({PeerId(store + 100), StoreId(store)});
  return region;
}

class RouteCacheTest : public ::testing::Test {
 protected:
  // The region that holds the key; 0: none that is known.
  uint64_t At(const std::string& key) const {
    const Region* region = routes_.FindByKey(key);
    return region != nullptr ? region->id.value() : 0;
  }
  uint64_t Target(uint64_t region) const { return routes_.Target(RegionId(region)).value(); }

  RouteCache routes_;
};

TEST_F(RouteCacheTest, AKeyIsInTheRegionThatHoldsIt) {
  routes_.Learn(Make(1, "", "d", {1, 1}), StoreId(2));
  routes_.Learn(Make(2, "m", "", {1, 1}), StoreId(3));
  EXPECT_EQ(At(""), 1u);
  EXPECT_EQ(At("c"), 1u);
  EXPECT_EQ(At("d"), 0u) << "nobody has told";
  EXPECT_EQ(At("m"), 2u);
  EXPECT_EQ(At("z"), 2u);
  EXPECT_EQ(Target(1), 2u);
  EXPECT_EQ(Target(2), 3u);
}

TEST_F(RouteCacheTest, ANewerRegionTakesThePlaceOfAllThatShareKeysWithIt) {
  routes_.Learn(Make(1, "", "d", {1, 1}), StoreId(1));
  routes_.Learn(Make(2, "d", "m", {1, 1}), StoreId(1));
  routes_.Learn(Make(3, "m", "", {1, 1}), StoreId(1));
  routes_.Learn(Make(4, "c", "n", {1, 2}), StoreId(1));
  EXPECT_EQ(At("a"), 0u);
  EXPECT_EQ(At("c"), 4u);
  EXPECT_EQ(At("e"), 4u);
  EXPECT_EQ(At("n"), 0u);
  EXPECT_EQ(routes_.size(), 1u);
}

TEST_F(RouteCacheTest, WhatIsOlderIsNotBelieved) {
  routes_.Learn(Make(1, "", "m", {3, 2}), StoreId(1));
  routes_.Learn(Make(1, "", "", {9, 1}), StoreId(2));
  EXPECT_EQ(At("z"), 0u) << "of the same region";
  routes_.Learn(Make(2, "", "", {9, 1}), StoreId(2));
  EXPECT_EQ(At("z"), 0u) << "of another one";
  routes_.Learn(Make(1, "", "m", {2, 2}, {4}), StoreId(4));
  EXPECT_EQ(Target(1), 1u) << "of other members";
}

TEST_F(RouteCacheTest, ALeaderIsKeptUntilSomebodyKnowsBetter) {
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(2));
  routes_.Learn(Make(1, "", "", {2, 1}), StoreId());
  EXPECT_EQ(Target(1), 2u);
  routes_.Learn(Make(1, "", "", {3, 1}, {1, 3}), StoreId());
  EXPECT_EQ(Target(1), 1u) << "it is no member any more";
}

TEST_F(RouteCacheTest, WhoIsNamedIsAskedNext) {
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(2));
  routes_.OnNotLeader(RegionId(1), StoreId(2), StoreId(3));
  EXPECT_EQ(Target(1), 3u);
}

TEST_F(RouteCacheTest, WhenNobodyIsNamedAllAreAskedInTurn) {
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(2));
  std::vector<uint64_t> asked;
  for (int i = 0; i < 6; ++i) {
    asked.push_back(Target(1));
    routes_.OnNotLeader(RegionId(1), StoreId(asked.back()), StoreId());
  }
  EXPECT_EQ(asked, (std::vector<uint64_t>{2, 3, 1, 2, 3, 1}));
}

TEST_F(RouteCacheTest, ALateAnswerMovesNobodyOn) {
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(2));
  routes_.OnNotLeader(RegionId(1), StoreId(1), StoreId());
  EXPECT_EQ(Target(1), 2u);
}

TEST_F(RouteCacheTest, ARegionWhoseStoresAreAllSilentIsForgotten) {
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(2));
  std::vector<uint64_t> asked;
  while (routes_.Find(RegionId(1)) != nullptr) {
    asked.push_back(Target(1));
    routes_.OnSilent(RegionId(1), StoreId(asked.back()));
    routes_.OnSilent(RegionId(1), StoreId(asked.back()));  // Of another call: that is old news.
  }
  EXPECT_EQ(asked, (std::vector<uint64_t>{2, 3, 1}));
}

TEST_F(RouteCacheTest, WhatIsForgottenIsNotFound) {
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(2));
  routes_.Forget(RegionId(1));
  routes_.Forget(RegionId(1));
  EXPECT_EQ(At("a"), 0u);
  EXPECT_EQ(routes_.Find(RegionId(1)), nullptr);
  routes_.Learn(Make(1, "", "", {1, 1}), StoreId(3));
  EXPECT_EQ(Target(1), 3u);
}

}  // namespace
}  // namespace flaredb::store
