// SPDX-License-Identifier: Apache-2.0
#include "core/base/ring.h"

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace flaredb {
namespace {

template <typename T>
std::vector<T> Elements(const Ring<T>& ring) {
  return std::vector<T>(ring.begin(), ring.end());
}

TEST(Ring, IsFirstInFirstOut) {
  Ring<int> ring;
  EXPECT_TRUE(ring.empty());
  for (int i = 0; i < 3; ++i) ring.push_back(i);
  EXPECT_EQ(ring.front(), 0);
  EXPECT_EQ(ring.back(), 2);
  ring.pop_front();
  EXPECT_EQ(Elements(ring), (std::vector<int>{1, 2}));
  ring.pop_back();
  EXPECT_EQ(Elements(ring), (std::vector<int>{1}));
  ring.back() = 7;
  EXPECT_EQ(ring[0], 7);
}

// Every length and every place of the front in the array, against the standard library's queue.
TEST(Ring, AgreesWithADeque) {
  Rng rng(1);
  Ring<std::string> ring;
  std::deque<std::string> model;
  for (int step = 0; step < 20000; ++step) {
    // Grows and drains in turn, so that the array both doubles and wraps around.
    const bool grows = step / 100 % 2 == 0;
    if (model.empty() || rng.Below(10) < (grows ? 7u : 3u)) {
      // Long enough to have memory of its own, which a wrong move or copy would show.
      ring.push_back("element number " + std::to_string(step));
      model.push_back("element number " + std::to_string(step));
    } else if (rng.Below(4) == 0) {
      ring.pop_back();
      model.pop_back();
    } else {
      ring.pop_front();
      model.pop_front();
    }
    if (rng.Below(500) == 0) {
      ring.clear();
      model.clear();
    }
    ASSERT_EQ(ring.size(), model.size());
    ASSERT_EQ(Elements(ring), std::vector<std::string>(model.begin(), model.end()));
    if (!model.empty()) {
      const size_t position = rng.Below(model.size());
      ASSERT_EQ(ring[position], model[position]);
      ASSERT_EQ(ring.front(), model.front());
      ASSERT_EQ(ring.back(), model.back());
    }
  }
}

TEST(Ring, CopiesAreIndependent) {
  Ring<std::string> ring;
  for (int i = 0; i < 6; ++i) ring.push_back(std::to_string(i));
  for (int i = 0; i < 3; ++i) ring.pop_front();
  for (int i = 6; i < 10; ++i) ring.push_back(std::to_string(i));  // Wraps around.
  const Ring<std::string> copy = ring;
  ring.front() = "changed";
  ring.pop_back();
  EXPECT_EQ(Elements(copy), (std::vector<std::string>{"3", "4", "5", "6", "7", "8", "9"}));
  ring = copy;
  EXPECT_EQ(Elements(ring), Elements(copy));
  ring.push_back("10");
  EXPECT_EQ(copy.size(), 7u);
}

TEST(Ring, WhatWasMovedFromIsEmptyAndUsable) {
  Ring<std::unique_ptr<int>> ring;
  ring.push_back(std::make_unique<int>(1));
  Ring<std::unique_ptr<int>> other = std::move(ring);
  EXPECT_EQ(*other.front(), 1);
  EXPECT_TRUE(ring.empty());
  ring.push_back(std::make_unique<int>(2));
  other = std::move(ring);
  EXPECT_EQ(*other.front(), 2);
  EXPECT_TRUE(ring.empty());
}

// An element must not outlive its place in the queue: it may hold megabytes.
TEST(Ring, ElementsEndWhenTheyLeave) {
  const auto token = std::make_shared<int>();
  Ring<std::shared_ptr<int>> ring;
  for (int i = 0; i < 9; ++i) ring.push_back(token);
  EXPECT_EQ(token.use_count(), 10);
  ring.pop_front();
  EXPECT_EQ(token.use_count(), 9);
  ring.pop_back();
  EXPECT_EQ(token.use_count(), 8);
  {
    const Ring<std::shared_ptr<int>> copy = ring;
    EXPECT_EQ(token.use_count(), 15);
  }
  ring.clear();
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Ring, AnElementOfItsOwnMayBePushed) {
  Ring<std::string> ring;
  for (int i = 0; i < 4; ++i)
    ring.push_back("a string with memory of its own, " + std::to_string(i));
  ring.push_back(ring.front());  // Doubles the array.
  EXPECT_EQ(ring.back(), "a string with memory of its own, 0");
}

// The array stays where it is however many elements pass through.
TEST(Ring, KeepsItsArray) {
  Ring<int> ring;
  for (int i = 0; i < 4; ++i) ring.push_back(i);
  const int* const place = &ring.front();
  for (int i = 0; i < 100; ++i) {
    for (int n = 0; n < 4; ++n) ring.pop_front();
    for (int n = 0; n < 4; ++n) ring.push_back(n);
  }
  EXPECT_EQ(&ring.front(), place);
  ring.clear();
  ring.push_back(1);
  EXPECT_EQ(&ring.front(), place);
}

}  // namespace
}  // namespace flaredb
