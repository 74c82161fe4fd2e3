// SPDX-License-Identifier: Apache-2.0
#include "net/client/leaders.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::client {
namespace {

constexpr Instant kNow = Instant::FromNanoseconds(1);

TEST(Leaders, NobodyIsKnownUntilTold) {
  Leaders leaders;
  EXPECT_EQ(leaders.Find({"", "k"}), "");
  leaders.Learn({"", "k"}, 1, "", kNow);
  leaders.Learn({"", "k"}, 0, "a:1", kNow);
  EXPECT_EQ(leaders.Find({"", "k"}), "");
}

TEST(Leaders, WhatIsToldOfOneKeyGoesForAllOfItsNamespace) {
  Leaders leaders;
  leaders.Learn({"", "k"}, 1, "a:1", kNow);
  EXPECT_EQ(leaders.Find({"", "a"}), "a:1");
  EXPECT_EQ(leaders.Find({"", "z"}), "a:1");
  EXPECT_EQ(leaders.Find({"logs", "k"}), "");
}

TEST(Leaders, ANewLeaderIsOneForAllKeysOfTheRegion) {
  Leaders leaders;
  leaders.Learn({"", "k"}, 1, "a:1", kNow);
  leaders.Learn({"logs", "k"}, 1, "a:1", kNow);
  leaders.Learn({"", "z"}, 1, "b:1", kNow);
  EXPECT_EQ(leaders.Find({"", "a"}), "b:1");
  EXPECT_EQ(leaders.Find({"logs", "a"}), "b:1");
}

// Region 1 ends at "m", where region 2 begins; nobody says so.
TEST(Leaders, TheBoundsOfRegionsShowByThemselves) {
  Leaders leaders;
  const auto ask = [&](const std::string& key) {
    const std::string leader = key < "m" ? "a:1" : "b:1";
    const bool right = leaders.Find({"", key}) == leader;
    leaders.Learn({"", key}, key < "m" ? 1 : 2, leader, kNow);
    return right;
  };
  for (const char* key : {"t", "c", "e", "z", "k", "n", "m", "l"}) ask(key);
  for (const char* key : {"", "a", "c", "d", "k", "l", "m", "n", "s", "t", "zz"}) {
    EXPECT_TRUE(ask(key)) << key;
  }
}

TEST(Leaders, ARegionThatTookAnothersPlaceIsFound) {
  Leaders leaders;
  leaders.Learn({"", "c"}, 1, "a:1", kNow);
  leaders.Learn({"", "m"}, 2, "b:1", kNow);
  leaders.Learn({"", "m"}, 1, "a:1", kNow);
  EXPECT_EQ(leaders.Find({"", "z"}), "a:1");
}

TEST(Leaders, WhoFailsIsForgottenUntilToldAgain) {
  Leaders leaders;
  leaders.Learn({"", "k"}, 1, "a:1", kNow);
  leaders.Forget("b:1");
  EXPECT_EQ(leaders.Find({"", "k"}), "a:1");
  leaders.Forget("a:1");
  EXPECT_EQ(leaders.Find({"", "k"}), "");
  leaders.Learn({"", "k"}, 1, "a:1", kNow);
  EXPECT_EQ(leaders.Find({"", "k"}), "a:1");
}

TEST(Leaders, WhoIsOutOfReachIsNotBelievedInForAWhile) {
  Leaders leaders;
  leaders.Learn({"", "k"}, 1, "a:1", kNow);
  leaders.Avoid("a:1", kNow);
  EXPECT_EQ(leaders.Find({"", "k"}), "");
  leaders.Learn({"", "k"}, 1, "a:1", kNow + Duration::Seconds(1));
  EXPECT_EQ(leaders.Find({"", "k"}), "");
  leaders.Learn({"", "k"}, 1, "b:1", kNow + Duration::Seconds(1));
  EXPECT_EQ(leaders.Find({"", "k"}), "b:1");
  leaders.Learn({"", "k"}, 1, "a:1", kNow + Leaders::kAvoided);
  EXPECT_EQ(leaders.Find({"", "k"}), "a:1");
}

}  // namespace
}  // namespace flaredb::client
