// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/flags.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>
#include <string>

namespace flaredb::sim {
namespace {

TEST(Flags, HelpIsAsked) {
  EXPECT_TRUE(ParseFlags({"--help"})->help);
  EXPECT_FALSE(ParseFlags({})->help);
}

TEST(Flags, ASeedIsARangeOfOne) {
  const auto flags = ParseFlags({"--seed=42"});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->seeds.first, 42u);
  EXPECT_EQ(flags->seeds.last, 42u);
}

TEST(Flags, ARangeIncludesBothEnds) {
  const auto flags =
      ParseFlags({"--seeds=7..19", "--ops=30", "--trace-out=-", "--keep-going", "--twice"});
  ASSERT_TRUE(flags.ok());
  EXPECT_EQ(flags->seeds.first, 7u);
  EXPECT_EQ(flags->seeds.last, 19u);
  EXPECT_EQ(flags->operations_max, 30u);
  EXPECT_EQ(flags->trace_out, "-");
  EXPECT_TRUE(flags->keep_going);
  EXPECT_TRUE(flags->twice);
  EXPECT_FALSE(ParseFlags({"--seed=42"})->twice);
}

TEST(Flags, WhatMakesNoSenseIsNamedInOneSentence) {
  for (const std::string argument : {"--seed",
                                     "--seed=",
                                     "--seed=x",
                                     "--seed=-1",
                                     "--seeds=5",
                                     "--seeds=9..3",
                                     "--seeds=1..",
                                     "--seeds=0..18446744073709551615",
                                     "--ops=0",
                                     "--ops=many",
                                     "--trace-out=",
                                     "--html=",
                                     "--html=run.html",
                                     "--sed=1",
                                     "42",
                                     "--minutes",
                                     "--minutes=0",
                                     "--minutes=-1",
                                     "--minutes=nan",
                                     "--minutes=inf",
                                     "--minutes=1h",
                                     "--jobs=0",
                                     "--jobs=257",
                                     "--jobs=two",
                                     "--json=",
                                     "--only=",
                                     "--only=split,",
                                     "--without=splat",
                                     "--without=split;transfer"}) {
    const auto flags = ParseFlags({argument});
    ASSERT_FALSE(flags.ok()) << argument;
    const std::string text(flags.status().message());
    EXPECT_EQ(text.rfind(argument + ": ", 0), 0u) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(Flags, ATimeWithoutSeedsHasNoLastSeed) {
  const auto open = ParseFlags({"--minutes=0.5"});
  ASSERT_TRUE(open.ok());
  EXPECT_EQ(open->minutes, 0.5);
  EXPECT_EQ(open->seeds.first, 1u);
  EXPECT_EQ(open->seeds.last, std::numeric_limits<uint64_t>::max());
  const auto both = ParseFlags({"--minutes=30", "--seeds=5..9", "--jobs=2", "--json=r.json"});
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(both->seeds.last, 9u);
  EXPECT_EQ(both->jobs, 2u);
  EXPECT_EQ(both->json, "r.json");
}

TEST(Flags, SeedsAreSaidOnce) {
  for (const std::string second : {"--seed=2", "--seeds=1..5"}) {
    const auto flags = ParseFlags({"--seed=1", second});
    ASSERT_FALSE(flags.ok()) << second;
    EXPECT_EQ(flags.status().message(),
              second + ": the seeds were said before; say them once (--help shows all flags).");
  }
}

FaultSet Kinds(std::initializer_list<Fault> faults) {
  FaultSet kinds;
  for (const Fault fault : faults) kinds.set(static_cast<size_t>(fault));
  return kinds;
}

TEST(Flags, KindsOfFaultAreChosenByName) {
  EXPECT_EQ(ParseFlags({})->without, FaultSet());
  EXPECT_EQ(ParseFlags({"--only=split,crash-leader"})->without,
            ~Kinds({Fault::kSplit, Fault::kCrashLeader}));
  EXPECT_EQ(ParseFlags({"--without=transfer"})->without, Kinds({Fault::kTransfer}));
  EXPECT_EQ(ParseFlags({"--only=split,transfer", "--without=transfer"})->without,
            ~Kinds({Fault::kSplit}));
  EXPECT_EQ(ParseFlags({"--only=none"})->without, FaultSet().set());
}

TEST(Flags, AnUnknownKindIsAnsweredWithTheList) {
  const auto flags = ParseFlags({"--only=splat"});
  ASSERT_FALSE(flags.ok());
  const std::string text(flags.status().message());
  EXPECT_NE(text.find("\"splat\""), std::string::npos) << text;
  for (size_t i = 0; i < kFaults; ++i) {
    EXPECT_NE(text.find(NameOf(static_cast<Fault>(i))), std::string::npos) << i;
  }
}

TEST(Flags, WhatIsLeftOutCanBeSaidAgain) {
  const FaultSet sets[] = {Kinds({Fault::kSplit}), Kinds({Fault::kSplit, Fault::kTransfer}),
                           ~Kinds({Fault::kAbandon}), FaultSet().set()};
  for (const FaultSet& without : sets) {
    EXPECT_EQ(ParseFlags({FaultFlag(without)})->without, without) << FaultFlag(without);
  }
  EXPECT_EQ(FaultFlag(~Kinds({Fault::kAbandon})), "--only=abandon");
}

TEST(Flags, ATraceIsWrittenByOneProcess) {
  EXPECT_FALSE(ParseFlags({"--jobs=2", "--trace-out=-"}).ok());
  EXPECT_TRUE(ParseFlags({"--jobs=1", "--trace-out=-"}).ok());
}

TEST(Flags, ASavedRunStandsAlone) {
  EXPECT_EQ(ParseFlags({"--trace=a.trace"})->trace, "a.trace");
  EXPECT_EQ(ParseFlags({"--trace=a.trace", "--html=a.html"})->html, "a.html");
  for (const char* other : {"--seed=1", "--seeds=1..2", "--minutes=1", "--jobs=2", "--ops=3",
                            "--without=split", "--only=none", "--seconds=3", "--minimise=3",
                            "--save=b.trace", "--json=a.json", "--twice", "--keep-going"}) {
    EXPECT_FALSE(ParseFlags({"--trace=a.trace", other}).ok()) << other;
    EXPECT_FALSE(ParseFlags({other, "--trace=a.trace"}).ok()) << other;
  }
  EXPECT_TRUE(ParseFlags({"--trace=a.trace", "--trace-out=-", "--help"}).ok());
  EXPECT_FALSE(ParseFlags({"--trace="}).ok());
  EXPECT_FALSE(ParseFlags({"--trace"}).ok());
}

TEST(Flags, LengthsAreNumbersOfSeconds) {
  EXPECT_EQ(ParseFlags({})->seconds, 10u);
  EXPECT_EQ(ParseFlags({"--seconds=60"})->seconds, 60u);
  EXPECT_EQ(ParseFlags({"--minimise=0"})->minimise, 0u);
  EXPECT_EQ(ParseFlags({"--save=x"})->save, "x");
  for (const char* wrong : {"--seconds=0", "--seconds=3601", "--seconds=x", "--minimise=-1",
                            "--minimise=", "--save="}) {
    EXPECT_FALSE(ParseFlags({wrong}).ok()) << wrong;
  }
}

}  // namespace
}  // namespace flaredb::sim
