// SPDX-License-Identifier: Apache-2.0
#include "sim/choices.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace flaredb::sim {
namespace {

std::vector<uint64_t> Draw(Choices* choices, Choice kind, uint32_t owner) {
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 50; ++i) drawn.push_back(choices->Pick(kind, 1000000, owner));
  return drawn;
}

TEST(Choices, TheSameSeedMakesTheSameChoices) {
  Choices a(42);
  Choices b(42);
  EXPECT_EQ(Draw(&a, Choice::kProfile, 0), Draw(&b, Choice::kProfile, 0));
}

TEST(Choices, DrawingForOnePurposeLeavesTheOthersAsTheyWere) {
  Choices a(42);
  Choices b(42);
  Draw(&b, Choice::kMessageDelay, 3);
  EXPECT_EQ(Draw(&a, Choice::kDiskLatency, 3), Draw(&b, Choice::kDiskLatency, 3));
  EXPECT_EQ(Draw(&a, Choice::kMessageDelay, 2), Draw(&b, Choice::kMessageDelay, 2));
}

TEST(Choices, SeedsKindsAndOwnersAreUnrelated) {
  std::set<std::vector<uint64_t>> streams;
  for (const uint64_t seed : {0, 1, 2}) {
    for (const Choice kind : {Choice::kProfile, Choice::kFaultPlan, Choice::kClock}) {
      for (const uint32_t owner : {0, 1, 31}) {
        Choices choices(seed);
        streams.insert(Draw(&choices, kind, owner));
      }
    }
  }
  EXPECT_EQ(streams.size(), 27u);
}

TEST(Choices, RangesIncludeBothEnds) {
  Choices choices(7);
  std::set<uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(choices.Between(Choice::kBackoff, 3, 5));
  EXPECT_EQ(seen, (std::set<uint64_t>{3, 4, 5}));
}

TEST(Choices, WhatHasNoChanceNeverHappensAndDrawsNothing) {
  Choices a(7);
  Choices b(7);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(a.Chance(Choice::kMessageLoss, 0));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(b.Chance(Choice::kFaultPlan, 1000000));
  EXPECT_EQ(Draw(&a, Choice::kMessageLoss, 0), Draw(&b, Choice::kMessageLoss, 0));
}

}  // namespace
}  // namespace flaredb::sim
