// SPDX-License-Identifier: Apache-2.0
#include "sim/probes.h"

#include <gtest/gtest.h>

#include <sstream>

#include "sim/campaign/report.h"
#include "sim/simulation.h"

namespace flaredb::sim {
namespace {

RunCounts RunSeeds(uint64_t last, const RunOptions& options) {
  RunCounts counts;
  for (uint64_t seed = 1; seed <= last; ++seed) counts += RunSeed(seed, options).counts;
  return counts;
}

// A campaign of 2,000 seeds is to hit every probe; these two hundred get most of them.
TEST(Probes, TwoHundredSeedsTakeEveryAlternativeAndHitMostProbes) {
  const RunCounts counts = RunSeeds(200, {});
  std::ostringstream missing;
  PrintProbes(counts.probes, /*list=*/true, missing);
  EXPECT_EQ(counts.probes.points_taken(), kBuggifyPoints) << missing.str();
  EXPECT_GE(counts.probes.probes_hit(), kProbes - 8) << missing.str();
}

TEST(Probes, AlternativesAreFaultsThatCanBeLeftOut) {
  RunOptions options;
  options.reduction.without.set(static_cast<size_t>(Fault::kBuggify));
  const RunCounts counts = RunSeeds(20, options);
  EXPECT_EQ(counts.probes.points_taken(), 0u);
  EXPECT_GT(counts.probes.probes_hit(), 0u);
  const RunCounts all = RunSeeds(20, {});
  uint64_t taken = 0;
  for (const uint64_t n : all.probes.taken) taken += n;
  EXPECT_GT(taken, 0u);
  EXPECT_EQ(all.faults[Fault::kBuggify].fired, taken);
}

TEST(Probes, AlternativesFollowTheProfile) {
  World world(1, nullptr);
  BuggifyProfile profile;
  profile.ppm = 1000000;
  profile.points.set(static_cast<size_t>(BuggifyPoint::kSplitBatch));
  Probes probes(&world, profile);
  const ProbeScope scope(&probes);
  EXPECT_TRUE(BUGGIFY(kSplitBatch));
  EXPECT_FALSE(BUGGIFY(kSmallAppend));
  probes.Stop();
  EXPECT_FALSE(BUGGIFY(kSplitBatch));
  EXPECT_EQ(probes.counts()[BuggifyPoint::kSplitBatch], 1u);
  EXPECT_EQ(probes.counts()[BuggifyPoint::kSmallAppend], 0u);
}

TEST(Probes, NobodyListensOutsideOfARun) {
  RunSeed(1, {});
  EXPECT_EQ(internal::probe_sink, nullptr);
}

}  // namespace
}  // namespace flaredb::sim
