// SPDX-License-Identifier: Apache-2.0
#include "sim/world/choices.h"

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

TEST(Choices, ATapeRepeatsWhatWasRecordedAndThenTheSeedGoesOn) {
  Choices original(7);
  Tape tape;
  tape.seed = 7;
  original.RecordOn(&tape);
  std::vector<uint64_t> drawn;
  for (int i = 0; i < 20; ++i) drawn.push_back(original.Pick(Choice::kBackoff, 1000, 3));
  // What is on the tape counts, not what the seed would have.
  for (int i = 0; i < 10; ++i) tape.streams[{Choice::kBackoff, 3}][i] = 500 + i;
  tape.streams[{Choice::kBackoff, 3}].resize(15);
  Choices replay(tape);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(replay.Pick(Choice::kBackoff, 1000, 3), 500u + i);
  for (int i = 10; i < 20; ++i) EXPECT_EQ(replay.Pick(Choice::kBackoff, 1000, 3), drawn[i]);
}

TEST(Choices, ATapeThatDoesNotFitIsTakenModuloTheAlternatives) {
  Tape tape;
  tape.streams[{Choice::kOrder, 0}] = {17, 3};
  Choices replay(tape);
  EXPECT_EQ(replay.Pick(Choice::kOrder, 5), 2u);
  EXPECT_EQ(replay.Pick(Choice::kOrder, 5), 3u);
}

TEST(Choices, BytesDecideInTheOrderOfDrawing) {
  Choices choices = Choices::FromBytes(std::string("\x05\x01\x02\x09", 4));
  EXPECT_EQ(choices.Pick(Choice::kOrder, 1), 0u);  // Takes none.
  EXPECT_EQ(choices.Pick(Choice::kOrder, 256), 5u);
  EXPECT_EQ(choices.Pick(Choice::kBackoff, 65536), 0x0102u);
  EXPECT_EQ(choices.Pick(Choice::kBackoff, 4), 1u);
  Choices seed(0);
  seed.Pick(Choice::kOrder, 1);
  seed.Pick(Choice::kOrder, 256);
  EXPECT_EQ(choices.Pick(Choice::kOrder, 1000000), seed.Pick(Choice::kOrder, 1000000));
}

TEST(Choices, EveryKindHasAName) {
  std::set<std::string_view> names;
  for (uint8_t kind = 0; kind < static_cast<uint8_t>(Choice::kCount); ++kind) {
    const auto choice = static_cast<Choice>(kind);
    names.insert(NameOf(choice));
    EXPECT_EQ(ChoiceNamed(NameOf(choice)), choice);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(Choice::kCount));
  EXPECT_EQ(ChoiceNamed("weather"), std::nullopt);
}

}  // namespace
}  // namespace flaredb::sim
