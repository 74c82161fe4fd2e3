// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "sim/campaign/campaign.h"
#include "sim/simulation.h"

namespace flaredb::sim {
namespace {

TEST(Determinism, TheSameSeedDoesTheSameTwice) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const RunResult first = RunSeed(seed, {});
    const RunResult second = RunSeed(seed, {});
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.counts.events, second.counts.events) << "seed " << seed;
  }
}

TEST(Determinism, TracingChangesNothing) {
  std::ostringstream trace;
  RunOptions options;
  options.trace_out = &trace;
  EXPECT_EQ(RunSeed(3, options).hash, RunSeed(3, {}).hash);
  EXPECT_NE(trace.str(), "");
}

TEST(Determinism, DifferentSeedsDoDifferentThings) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 10; ++seed) hashes.insert(RunSeed(seed, {}).hash);
  EXPECT_EQ(hashes.size(), 10u);
}

}  // namespace
}  // namespace flaredb::sim
