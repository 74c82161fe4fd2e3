// SPDX-License-Identifier: Apache-2.0
// What the simulator is for really happens in it: a campaign in which nobody is ever removed would
// pass just as well.
#include "sim/cluster/features.h"

#include <gtest/gtest.h>

#include "sim/simulation.h"

namespace flaredb::sim {
namespace {

TEST(Features, AreAllUsedByTheFirstTwoHundredSeeds) {
  Features features;
  for (uint64_t seed = 1; seed <= 200; ++seed) features += RunSeed(seed, {}).counts.features;
  EXPECT_GT(features.changes, 0u);
  EXPECT_GT(features.joint_phases, 0u);
  EXPECT_GT(features.created, 0u);
  EXPECT_GT(features.destroyed, 0u);
  EXPECT_GT(features.snapshots, 0u);
  EXPECT_GT(features.compactions, 0u);
  EXPECT_GT(features.transfers, 0u);
  EXPECT_GT(features.leases, 0u);
  EXPECT_GT(features.rests, 0u);
}

}  // namespace
}  // namespace flaredb::sim
