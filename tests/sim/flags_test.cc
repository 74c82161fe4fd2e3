// SPDX-License-Identifier: Apache-2.0
#include "sim/flags.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::sim {
namespace {

TEST(Flags, ASeedIsARangeOfOne) {
  const auto flags = ParseFlags({"--seed=42"});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->first_seed, 42u);
  EXPECT_EQ(flags->last_seed, 42u);
}

TEST(Flags, ARangeIncludesBothEnds) {
  const auto flags = ParseFlags({"--seeds=7..19", "--ops=30", "--trace-out=-", "--keep-going"});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->first_seed, 7u);
  EXPECT_EQ(flags->last_seed, 19u);
  EXPECT_EQ(flags->operations_max, 30u);
  EXPECT_EQ(flags->trace_out, "-");
  EXPECT_TRUE(flags->keep_going);
}

TEST(Flags, WhatMakesNoSenseIsNamedInOneSentence) {
  for (const std::string argument :
       {"--seed", "--seed=", "--seed=x", "--seed=-1", "--seeds=5", "--seeds=9..3", "--seeds=1..",
        "--seeds=0..18446744073709551615", "--ops=0", "--ops=many",
        "--trace-out=", "--html=", "--html=run.html", "--sed=1", "42"}) {
    const auto flags = ParseFlags({argument});
    ASSERT_FALSE(flags.ok()) << argument;
    const std::string text(flags.status().message());
    EXPECT_EQ(text.rfind(argument + ": ", 0), 0u) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace flaredb::sim
