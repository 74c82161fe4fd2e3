// SPDX-License-Identifier: Apache-2.0
// Runs that are not the same twice, on purpose.
#include "sim/campaign/self_check.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::sim {
namespace {

constexpr uint64_t kSeed = 3;

// How often `word` stands in `text`.
size_t Count(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST(SelfCheck, ARunThatRepeatsItselfPasses) {
  int runs = 0;
  const RunResult result = RunAndCompare({}, true, [&](const RunOptions& options) {
    ++runs;
    return RunSeed(kSeed, options);
  });
  EXPECT_EQ(result.failure.kind, FailureKind::kNone) << result.failure.sentence;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(result.hash, RunSeed(kSeed, {}).hash);
  EXPECT_EQ(result.counts.repeated, 1u);
}

TEST(SelfCheck, OnlyFailuresAreRepeatedUnlessTold) {
  int runs = 0;
  const auto pass = [&](const RunOptions&) {
    ++runs;
    return RunResult();
  };
  EXPECT_EQ(RunAndCompare({}, false, pass).counts.repeated, 0u);
  EXPECT_EQ(runs, 1);
  const RunResult failed = RunAndCompare({}, false, [&](const RunOptions&) {
    ++runs;
    RunResult result;
    result.failure = {FailureKind::kSafety, "SMS", "two facts"};
    return result;
  });
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(failed.failure.invariant, "SMS");
}

// What a static counter does that leaks into the runs: one message is lost in every other one.
class LeakyRun {
 public:
  RunResult operator()(const RunOptions& options) {
    RunOptions leaky = options;
    if (counter_++ % 2 == 1) leaky.reduction.faults_max = kFaultsBefore;
    return RunSeed(kSeed, leaky);
  }
  static constexpr uint32_t kFaultsBefore = 20;

 private:
  int counter_ = 0;
};

TEST(SelfCheck, NamesTheFirstEventThatDiffersAsBothRunsHadIt) {
  LeakyRun run;
  const RunResult result =
      RunAndCompare({}, true, [&](const RunOptions& options) { return run(options); });
  EXPECT_EQ(result.failure.kind, FailureKind::kNondeterminism);
  EXPECT_EQ(result.failure.invariant, "DET");
  const std::string& text = result.failure.sentence;
  EXPECT_EQ(text.rfind("two runs of this seed part at event ", 0), 0u) << text;
  EXPECT_EQ(Count(text, "\n  one run:   at "), 1u) << text;
  EXPECT_EQ(Count(text, "\n  the other: at "), 1u) << text;
  EXPECT_EQ(Count(text, "no further run"), 0u) << text;
}

// The runs are equal up to the event, and differ after it.
TEST(SelfCheck, TheEventIsTheFirstOne) {
  LeakyRun run;
  const RunResult result =
      RunAndCompare({}, true, [&](const RunOptions& options) { return run(options); });
  const std::string& text = result.failure.sentence;
  const size_t named = std::stoul(text.substr(text.find("event ") + 6));
  EventLog logs[2];
  for (int i = 0; i < 2; ++i) {
    RunOptions options;
    options.event_log = &logs[i];
    if (i == 1) options.reduction.faults_max = LeakyRun::kFaultsBefore;
    RunSeed(kSeed, options);
  }
  for (size_t i = 0; i + 1 < named; ++i) {
    ASSERT_EQ(logs[0].entries[i].hash, logs[1].entries[i].hash) << i;
  }
  EXPECT_NE(logs[0].entries[named - 1].hash, logs[1].entries[named - 1].hash);
}

TEST(SelfCheck, ADifferenceThatNobodyRepeatsIsReportedAllTheSame) {
  int runs = 0;
  const RunResult result = RunAndCompare({}, true, [&](const RunOptions& options) {
    RunOptions leaky = options;
    leaky.reduction.faults_max = 10 + 10 * runs++;
    return RunSeed(kSeed, leaky);
  });
  EXPECT_EQ(result.failure.kind, FailureKind::kNondeterminism);
  EXPECT_EQ(Count(result.failure.sentence, "(no further run repeated this one)"), 1u)
      << result.failure.sentence;
}

TEST(SelfCheck, DifferentVerdictsOnTheSameEventsAreADifference) {
  int runs = 0;
  const RunResult result = RunAndCompare({}, true, [&](const RunOptions& options) {
    RunResult once = RunSeed(kSeed, options);
    if (runs++ == 0) once.failure = {FailureKind::kSafety, "LIN", "no order explains it"};
    return once;
  });
  EXPECT_EQ(result.failure.kind, FailureKind::kNondeterminism);
  EXPECT_NE(result.failure.sentence.find("no order explains it"), std::string::npos);
}

}  // namespace
}  // namespace flaredb::sim
