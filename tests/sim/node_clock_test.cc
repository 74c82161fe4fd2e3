// SPDX-License-Identifier: Apache-2.0
#include "sim/node_clock.h"

#include <gtest/gtest.h>

namespace flaredb::sim {
namespace {

Instant Ns(int64_t ns) { return Instant::FromNanoseconds(ns); }

TEST(NodeClock, RunsFastAndSlowByItsDrift) {
  const NodeClock fast(Duration::Seconds(5), 1000);
  const NodeClock slow(Duration(), -1000);
  EXPECT_EQ(fast.Read(Ns(1000000000)), Ns(6000001000));
  EXPECT_EQ(slow.Read(Ns(1000000000)), Ns(999999000));
}

TEST(NodeClock, WhenReadsIsTheFirstTimeAtWhichTheClockShowsIt) {
  for (const int64_t drift : {-200000, -7, 0, 3, 200000}) {
    const NodeClock clock(Duration::Seconds(3), drift);
    for (int64_t local = 3000000001; local < 90000000000; local = local * 3 / 2 + 7) {
      const Instant t = clock.WhenReads(Ns(local));
      EXPECT_GE(clock.Read(t), Ns(local)) << drift;
      EXPECT_LT(clock.Read(t - Duration::Nanoseconds(1)), Ns(local)) << drift;
    }
  }
}

TEST(NodeClock, NeverStaysNever) {
  EXPECT_EQ(NodeClock(Duration::Seconds(3), 5).WhenReads(Instant::Max()), Instant::Max());
}

}  // namespace
}  // namespace flaredb::sim
