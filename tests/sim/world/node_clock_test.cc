// SPDX-License-Identifier: Apache-2.0
#include "sim/world/node_clock.h"

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

TEST(NodeClock, AChangeOfRateLeavesTheReadingAsItIs) {
  NodeClock clock(Duration::Seconds(3), 200000000);
  const Instant before = clock.Read(Ns(1000000007));
  clock.Change(Ns(1000000007), -200000000, Duration());
  EXPECT_EQ(clock.Read(Ns(1000000007)), before);
  EXPECT_EQ(clock.Read(Ns(2000000007)), before + Duration::Milliseconds(800));
  clock.Change(Ns(2000000007), 0, Duration());
  EXPECT_EQ(clock.Read(Ns(2000000008)), before + Duration::Nanoseconds(800000001));
}

TEST(NodeClock, AJumpIsAddedOnce) {
  NodeClock clock(Duration(), 0);
  clock.Change(Ns(10), 0, Duration::Nanoseconds(5));
  EXPECT_EQ(clock.Read(Ns(10)), Ns(15));
  clock.Change(Ns(10), 0, Duration());
  EXPECT_EQ(clock.Read(Ns(11)), Ns(16));
}

TEST(NodeClock, NeverGoesBackWhateverChanges) {
  NodeClock clock(Duration::Seconds(1), 0);
  Instant last = clock.Read(Ns(0));
  int64_t t = 0;
  for (const int64_t drift : {90000000, -90000000, 1, -1, 0, 999999999, -999999999, 7}) {
    for (int i = 0; i < 50; ++i) {
      t += i * i * i;
      const Instant now = clock.Read(Ns(t));
      EXPECT_GE(now, last) << drift;
      last = now;
    }
    clock.Change(Ns(t), drift, Duration::Nanoseconds(drift == 1 ? 1000 : 0));
  }
}

TEST(NodeClock, AfterAChangeWhenReadsIsAsSharpAsTheRounding) {
  for (const int64_t drift : {-200000000, -7, 0, 3, 200000000}) {
    NodeClock clock(Duration::Seconds(3), 1234567);
    clock.Change(Ns(5000000001), drift, Duration::Milliseconds(20));
    const Instant since = clock.Read(Ns(5000000001));
    for (int64_t ahead = 1; ahead < 90000000000; ahead = ahead * 3 / 2 + 7) {
      const Instant local = since + Duration::Nanoseconds(ahead);
      const Instant t = clock.WhenReads(local);
      EXPECT_GE(clock.Read(t), local) << drift;
      EXPECT_LT(clock.Read(t - Duration::Nanoseconds(2)), local) << drift;
    }
    // What the clock showed before, or jumped over, is past.
    EXPECT_EQ(clock.WhenReads(since), Ns(5000000001));
    EXPECT_EQ(clock.WhenReads(since - Duration::Milliseconds(10)), Ns(5000000001));
    EXPECT_EQ(clock.WhenReads(Ns(0)), Ns(5000000001));
    EXPECT_EQ(clock.WhenReads(Instant::Max()), Instant::Max());
  }
}

TEST(NodeClock, AJumpBackMakesItStandStillForAsLong) {
  NodeClock clock(Duration::Seconds(5), 0);
  const Instant t = Instant() + Duration::Seconds(10);
  const Instant before = clock.Read(t);
  clock.Change(t, 0, Duration() - Duration::Seconds(2));
  EXPECT_EQ(clock.Read(t), before);
  EXPECT_EQ(clock.Read(t + Duration::Seconds(2)), before);
  EXPECT_EQ(clock.Read(t + Duration::Seconds(3)), before + Duration::Seconds(1));
  EXPECT_EQ(clock.WhenReads(before), t);
  EXPECT_EQ(clock.WhenReads(before + Duration::Seconds(1)), t + Duration::Seconds(3));
  // Another change while it stands still takes nothing back.
  clock.Change(t + Duration::Seconds(1), 0, Duration());
  EXPECT_EQ(clock.Read(t + Duration::Seconds(2)), before + Duration::Seconds(1));
}

}  // namespace
}  // namespace flaredb::sim
