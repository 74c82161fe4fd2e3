// SPDX-License-Identifier: Apache-2.0
#include "core/base/rng.h"

#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace flaredb {
namespace {

std::vector<uint64_t> Take(Rng rng, int n) {
  std::vector<uint64_t> values;
  for (int i = 0; i < n; ++i) values.push_back(rng.Next());
  return values;
}

// The values that the generator's authors publish for this seed. A change of the sequence makes
// every recorded simulator seed mean something else.
TEST(Rng, IsSplitMix64) {
  EXPECT_EQ(Take(Rng(1234567), 5),
            (std::vector<uint64_t>{6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                   4593380528125082431u, 16408922859458223821u}));
}

TEST(Rng, SameSeedSameSequence) {
  EXPECT_EQ(Take(Rng(42), 100), Take(Rng(42), 100));
  EXPECT_NE(Take(Rng(42), 1), Take(Rng(43), 1));
}

TEST(Rng, DerivedDrawsArePinned) {
  Rng rng(42);
  EXPECT_EQ(rng.Below(1000), 741u);
  EXPECT_EQ(rng.Between(10, 20), 11u);
  EXPECT_EQ(rng.Between(Duration::Milliseconds(150), Duration::Milliseconds(300)),
            Duration::Nanoseconds(191790169));
  EXPECT_EQ(rng.Fork().Next(), 524790798875478313u);
}

TEST(Rng, BelowReachesEveryValueAndNoOther) {
  Rng rng(7);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.Below(5));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4}));
}

TEST(Rng, BetweenIncludesBothEnds) {
  Rng rng(7);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.Between(3, 5));
  EXPECT_EQ(seen, (std::set<uint64_t>{3, 4, 5}));
  EXPECT_EQ(rng.Between(9, 9), 9u);
}

TEST(Rng, ChanceIsInPartsPerMillion) {
  Rng rng(7);
  int hits = 0;
  for (int i = 0; i < 100000; ++i) {
    EXPECT_FALSE(rng.Chance(0));
    EXPECT_TRUE(rng.Chance(1000000));
    hits += rng.Chance(250000) ? 1 : 0;
  }
  EXPECT_NEAR(hits, 25000, 700);  // Five standard deviations.
}

TEST(Rng, ForkIsUnrelatedToItsParent) {
  Rng parent(42);
  Rng child = parent.Fork();
  EXPECT_NE(Take(parent, 4), Take(child, 4));
}

TEST(Rng, RefusesAnEmptyRange) {
  Rng rng(1);
  EXPECT_THROW(rng.Below(0), InvariantViolation);
  EXPECT_THROW(rng.Between(uint64_t{2}, uint64_t{1}), InvariantViolation);
}

}  // namespace
}  // namespace flaredb
