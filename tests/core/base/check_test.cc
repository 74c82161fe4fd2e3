// SPDX-License-Identifier: Apache-2.0
#include "core/base/check.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flaredb {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Invariant, WhatHoldsCostsNothing) {
  int evaluated = 0;
  const auto text = [&evaluated] { return ++evaluated; };
  EXPECT_NO_THROW(INVARIANT(1 + 1 == 2) << text());
  EXPECT_EQ(evaluated, 0);
}

TEST(Invariant, WhatIsBrokenThrowsPlaceConditionAndText) {
  const int commit = 9;
  const int last = 7;
  std::string what;
  try {
    INVARIANT(commit <= last) << "commit " << commit << " last " << last;
  } catch (const InvariantViolation& violation) {
    what = violation.what();
  }
  EXPECT_THAT(what, AllOf(HasSubstr("check_test.cc:"), HasSubstr("commit <= last"),
                          HasSubstr("commit 9 last 7")));
}

TEST(Invariant, IsOneStatement) {
  const auto check = [](bool guarded, bool holds) {
    if (guarded)
      INVARIANT(holds);
    else
      return false;
    return true;
  };
  EXPECT_FALSE(check(false, false));
  EXPECT_TRUE(check(true, true));
  EXPECT_THROW(check(true, false), InvariantViolation);
}

#ifdef NDEBUG
TEST(Invariant, IsKeptInOptimisedBuilds) { EXPECT_THROW(INVARIANT(false), InvariantViolation); }
#endif

}  // namespace
}  // namespace flaredb
