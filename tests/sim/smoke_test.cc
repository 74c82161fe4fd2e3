// SPDX-License-Identifier: Apache-2.0
// The seeds that every change has to pass. Sharded by seed.
#include <gtest/gtest.h>

#include "sim/campaign/campaign.h"
#include "sim/simulation.h"

namespace flaredb::sim {
namespace {

class Smoke : public testing::TestWithParam<uint64_t> {};

TEST_P(Smoke, SeedsPass) {
  constexpr uint64_t kSeedsPerCase = 25;
  RunCounts counts;
  for (uint64_t i = 1; i <= kSeedsPerCase; ++i) {
    const uint64_t seed = GetParam() * kSeedsPerCase + i;
    const RunResult run = RunAndRepeat(seed, {});
    ASSERT_EQ(run.failure.kind, FailureKind::kNone)
        << run.failure.invariant << ": " << run.failure.sentence
        << "\nreplay: ./bazelw run //:sim -- --seed=" << seed;
    counts += run.counts;
  }
  // A campaign in which nothing happens proves nothing.
  EXPECT_GT(counts.operations, 0u);
  EXPECT_GT(counts.committed, 0u);
  EXPECT_GT(counts.crashes, 0u);
  EXPECT_GT(counts.unknown, 0u);
}

INSTANTIATE_TEST_SUITE_P(FiveHundredSeeds, Smoke, testing::Range<uint64_t>(0, 20));

}  // namespace
}  // namespace flaredb::sim
