// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sim/campaign/campaign.h"
#include "tickets.h"
#include "tickets_spec.h"

TEST(Tickets, HoldUnderFaults) {
  const Tickets tickets;
  EXPECT_EQ(sim::FirstFailure(About(&tickets, "bazel run :sim --"), 1, 50), "");
}
