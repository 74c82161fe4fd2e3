// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/campaign.h"

#include <gtest/gtest.h>

#include <vector>

namespace flaredb::sim {
namespace {

class Watcher : public CampaignWatcher {
 public:
  void OnFailure(const FailedSeed& failed) override { failures.push_back(failed.seed); }
  bool GoOn(const CampaignResult& so_far) override { return so_far.seeds < seeds_max; }

  std::vector<uint64_t> failures;
  uint64_t seeds_max = 1000;
};

// Every seed passes, but those in `failing`.
RunResult FakeRun(uint64_t seed, const std::vector<uint64_t>& failing) {
  RunResult run;
  run.hash = seed * 17;
  run.simulated = Duration::Seconds(10);
  run.counts.events = 100;
  for (const uint64_t fails : failing) {
    if (seed == fails) run.failure = {FailureKind::kLiveness, "LIVE", "stuck"};
  }
  return run;
}

CampaignResult RunFake(const Flags& flags, const std::vector<uint64_t>& failing, Watcher* watcher) {
  return RunCampaign(
      flags, [&](uint64_t seed) { return FakeRun(seed, failing); }, watcher);
}

Flags Seeds(uint64_t first, uint64_t last) {
  Flags flags;
  flags.seeds.first = first;
  flags.seeds.last = last;
  return flags;
}

TEST(Campaign, SumsUpAllSeedsInOrder) {
  Watcher watcher;
  const CampaignResult campaign = RunFake(Seeds(5, 7), {}, &watcher);
  EXPECT_EQ(campaign.seeds, 3u);
  EXPECT_EQ(campaign.counts.events, 300u);
  EXPECT_EQ(campaign.simulated, Duration::Seconds(30));
  EXPECT_EQ(campaign.hash.value(), Hasher().Add(5 * 17).Add(6 * 17).Add(7 * 17).value());
  EXPECT_EQ(campaign.first_failure(), FailureKind::kNone);
}

TEST(Campaign, StopsAtTheFirstSeedThatFails) {
  Watcher watcher;
  const CampaignResult campaign = RunFake(Seeds(1, 9), {3, 5}, &watcher);
  EXPECT_EQ(campaign.seeds, 3u);
  EXPECT_EQ(watcher.failures, std::vector<uint64_t>{3});
  EXPECT_EQ(campaign.first_failure(), FailureKind::kLiveness);
}

TEST(Campaign, KeepsGoingWhenToldTo) {
  Watcher watcher;
  Flags flags = Seeds(1, 9);
  flags.keep_going = true;
  const CampaignResult campaign = RunFake(flags, {3, 5}, &watcher);
  EXPECT_EQ(campaign.seeds, 9u);
  EXPECT_EQ(watcher.failures, (std::vector<uint64_t>{3, 5}));
  ASSERT_EQ(campaign.failures.size(), 2u);
  EXPECT_EQ(campaign.failures[1].failure.invariant, "LIVE");
}

TEST(Campaign, EndsWhenItsWatcherHasSeenEnough) {
  Watcher watcher;
  watcher.seeds_max = 4;
  EXPECT_EQ(RunFake(Seeds(1, 9), {}, &watcher).seeds, 4u);
}

TEST(Campaign, RunsTheLastSeedThatThereIs) {
  Watcher watcher;
  constexpr uint64_t kMax = ~uint64_t{0};
  EXPECT_EQ(RunFake(Seeds(kMax - 1, kMax), {}, &watcher).seeds, 2u);
}

TEST(Campaign, FlagsReachEveryRun) {
  Flags flags;
  flags.operations_max = 30;
  flags.without.set(static_cast<size_t>(Fault::kLoseMessage));
  const RunOptions options = OptionsOf(flags);
  RunCounts counts;
  for (uint64_t seed = 1; seed <= 10; ++seed) counts += RunAndRepeat(seed, options).counts;
  EXPECT_LE(counts.operations, 10 * (30 + 40u));  // The last ones read all keys everywhere.
  EXPECT_EQ(counts.faults[Fault::kLoseMessage].fired, 0u);
  EXPECT_GT(counts.faults[Fault::kSlowMessage].fired, 0u);
}

TEST(Campaign, OneSeedInSixteenRunsTwiceAndAllWhenToldSo) {
  int runs = 0;
  RunOptions options;
  options.operations_max = 5;
  options.subject.new_spec = [&runs] {
    ++runs;
    return nullptr;
  };
  for (uint64_t seed = 14; seed <= 17; ++seed) RunAndRepeat(seed, options);
  EXPECT_EQ(runs, 5);
  runs = 0;
  for (uint64_t seed = 14; seed <= 17; ++seed) RunAndRepeat(seed, options, true);
  EXPECT_EQ(runs, 8);
}

// Whose clients would have been thinking for minutes when everything healed.
TEST(Campaign, RunsOfFewOperationsPass) {
  RunOptions options;
  options.operations_max = 5;
  for (const uint64_t seed : {2, 7, 13, 30}) {
    EXPECT_EQ(RunSeed(seed, options).failure.sentence, "") << seed;
  }
}

}  // namespace
}  // namespace flaredb::sim
