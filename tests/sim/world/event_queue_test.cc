// SPDX-License-Identifier: Apache-2.0
#include "sim/world/event_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"

namespace flaredb::sim {
namespace {

Instant At(int64_t ns) { return Instant::FromNanoseconds(ns); }

TEST(EventQueue, EventsComeInTheOrderOfTheirTimes) {
  EventQueue queue;
  Rng rng(1);
  for (uint64_t i = 0; i < 1000; ++i) {
    const auto at = static_cast<int64_t>(rng.Below(100));
    queue.At(At(at), {EventKind::kClient, 0, static_cast<uint64_t>(at)});
  }
  Instant last;
  for (int i = 0; i < 1000; ++i) {
    const Event event = queue.Pop();
    EXPECT_EQ(queue.now(), At(static_cast<int64_t>(event.arg)));
    EXPECT_LE(last, queue.now());
    last = queue.now();
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.processed(), 1000u);
}

TEST(EventQueue, EventsOfOneInstantComeInTheOrderOfScheduling) {
  EventQueue queue;
  for (uint64_t i = 0; i < 100; ++i) queue.At(At(7), {EventKind::kClient, 0, i});
  for (uint64_t i = 0; i < 100; ++i) EXPECT_EQ(queue.Pop().arg, i);
}

TEST(EventQueue, WhatIsScheduledInThePastHappensNow) {
  EventQueue queue;
  queue.At(At(50), {});
  queue.Pop();
  queue.At(At(10), {EventKind::kClient, 0, 1});
  queue.Pop();
  EXPECT_EQ(queue.now(), At(50));
}

TEST(EventQueue, CountsTheEventsOfEachSecond) {
  EventQueue queue;
  constexpr int64_t kSecond = 1000000000;
  for (const int64_t at :
       {int64_t{0}, kSecond - 1, kSecond, kSecond, 2 * kSecond - 1, 5 * kSecond}) {
    queue.At(At(at), {});
  }
  std::vector<uint64_t> counts;
  while (!queue.empty()) {
    queue.Pop();
    counts.push_back(queue.processed_in_second());
  }
  EXPECT_EQ(counts, (std::vector<uint64_t>{1, 2, 1, 2, 3, 1}));
}

TEST(EventQueue, AnEmptyQueueHasNoNextEvent) {
  EventQueue queue;
  EXPECT_THROW(queue.Pop(), InvariantViolation);
}

}  // namespace
}  // namespace flaredb::sim
