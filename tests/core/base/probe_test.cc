// SPDX-License-Identifier: Apache-2.0
#include "core/base/probe.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <vector>

namespace flaredb {
namespace {

class Listener : public ProbeSink {
 public:
  void Hit(Probe probe) override { hits.push_back(probe); }
  bool Takes(BuggifyPoint point) override { return point == taken; }
  bool Sabotages() override { return sabotages; }

  std::vector<Probe> hits;
  BuggifyPoint taken = BuggifyPoint::kCount;
  bool sabotages = false;
};

TEST(Probe, WithoutAListenerNothingIsEvaluatedAndNothingTaken) {
  int evaluated = 0;
  SOMETIMES(kWindowFull, ++evaluated > 0);
  REACHED(kWindowFull);
  EXPECT_EQ(evaluated, 0);
  EXPECT_FALSE(BUGGIFY(kSplitBatch));
}

TEST(Probe, AListenerHearsOfTrueConditionsOnly) {
  Listener listener;
  const ProbeScope scope(&listener);
  SOMETIMES(kWindowFull, false);
  EXPECT_TRUE(listener.hits.empty());
  SOMETIMES(kWindowFull, true);
  REACHED(kElectionLost);
  EXPECT_EQ(listener.hits, (std::vector{Probe::kWindowFull, Probe::kElectionLost}));
}

TEST(Probe, AListenerDecidesAboutAlternatives) {
  Listener listener;
  listener.taken = BuggifyPoint::kSmallAppend;
  const ProbeScope scope(&listener);
  EXPECT_TRUE(BUGGIFY(kSmallAppend));
  EXPECT_FALSE(BUGGIFY(kSplitBatch));
}

TEST(Probe, TheEndOfAScopeBringsTheListenerBeforeItBack) {
  Listener outer;
  const ProbeScope outer_scope(&outer);
  {
    Listener inner;
    const ProbeScope inner_scope(&inner);
    REACHED(kElectionLost);
    EXPECT_EQ(inner.hits.size(), 1u);
  }
  EXPECT_TRUE(outer.hits.empty());
  REACHED(kElectionLost);
  EXPECT_EQ(outer.hits.size(), 1u);
}

TEST(Probe, AListenerDecidesAboutSabotage) {
  EXPECT_FALSE(SABOTAGED());
  Listener listener;
  const ProbeScope scope(&listener);
  EXPECT_FALSE(SABOTAGED());
  listener.sabotages = true;
  EXPECT_TRUE(SABOTAGED());
}

TEST(Probe, IsAStatementOfItsOwn) {
  Listener listener;
  const ProbeScope scope(&listener);
  if (listener.hits.size() > 5)
    REACHED(kElectionLost);
  else
    REACHED(kWindowFull);
  EXPECT_EQ(listener.hits, std::vector{Probe::kWindowFull});
}

// Reports go by these texts.
TEST(Probe, TextsAndNamesAreDistinct) {
  std::set<std::string_view> texts;
  for (size_t i = 0; i < kProbes; ++i) texts.insert(TextOf(static_cast<Probe>(i)));
  EXPECT_EQ(texts.size(), kProbes);
  std::set<std::string_view> names;
  for (size_t i = 0; i < kBuggifyPoints; ++i) names.insert(NameOf(static_cast<BuggifyPoint>(i)));
  EXPECT_EQ(names.size(), kBuggifyPoints);
}

}  // namespace
}  // namespace flaredb
