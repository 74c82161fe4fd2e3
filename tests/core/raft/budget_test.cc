// SPDX-License-Identifier: Apache-2.0
// The core's budgets that are counts, and so the same on every machine. What they cost in time
// prints ./bazelw run --config=opt //bench:core.
#include "bench/core_budgets.h"

#include "gtest/gtest.h"

namespace flaredb::bench {
namespace {

// The proposer fills a block once; logs, wire, disks and state machines share it.
TEST(Budget, PayloadsAreNeverCopied) {
  const PayloadCost payloads = MeasurePayloads();
  // Of each entry: one on its way to each follower; three disks; three state machines.
  EXPECT_EQ(payloads.seen, (1 + 2 + 64) * (2 + 3 + 3));
  EXPECT_EQ(payloads.copied, 0u);
}

TEST(Budget, AProposalCostsTheAllocationOfItsBlock) {
  EXPECT_EQ(MeasureProposals(1).allocations_per_proposal, 1.0);
  EXPECT_EQ(MeasureProposals(64).allocations_per_proposal, 1.0);
}

TEST(Budget, AnAckAllocatesNothing) {
  EXPECT_EQ(MeasureProposals(1).allocations_per_ack, 0.0);
  EXPECT_EQ(MeasureProposals(64).allocations_per_ack, 0.0);
}

TEST(Budget, AHeartbeatAllocatesNothing) { EXPECT_EQ(MeasureAllocationsPerHeartbeat(), 0.0); }

TEST(Budget, AnIdleGroupFitsInOneAndAHalfKilobytes) {
  EXPECT_LE(MeasureBytesPerIdleGroup(), 1536u);
}

}  // namespace
}  // namespace flaredb::bench
