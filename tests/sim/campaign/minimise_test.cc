// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/minimise.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace flaredb::sim {
namespace {

// A system of which everything is known: it fails by `CODE` if all that `needs` says comes
// together.
class Fake {
 public:
  Fake(std::set<FaultName> faults, std::set<uint32_t> operations)
      : faults_(std::move(faults)), operations_(std::move(operations)) {}

  RunResult operator()(const SavedRun& run, const RunOptions&) const {
    ++runs_;
    RunResult result;
    for (const Fault kind : {Fault::kSplit, Fault::kCrashLeader, Fault::kLoseMessage}) {
      for (uint32_t number = 1; number <= 100; ++number) {
        const FaultName name{kind, number};
        const Reduction& left_out = run.reduction;
        if (left_out.without[static_cast<size_t>(kind)]) continue;
        if (left_out.faults && left_out.faults->count(name) == 0) continue;
        if (left_out.faults_max && result.faults.size() >= *left_out.faults_max) continue;
        result.faults.push_back(name);
      }
    }
    const uint32_t most = run.operations_max == 0 ? 300 : run.operations_max;
    for (uint32_t operation = 1; operation <= most; ++operation) {
      if (run.reduction.Makes(operation)) result.operations.push_back(operation);
    }
    const bool fails =
        std::includes(result.faults.begin(), result.faults.end(), faults_.begin(), faults_.end()) &&
        std::includes(result.operations.begin(), result.operations.end(), operations_.begin(),
                      operations_.end());
    if (fails) result.failure = {FailureKind::kSafety, "CODE", "It fails."};
    return result;
  }
  uint64_t runs() const { return runs_; }

 private:
  const std::set<FaultName> faults_;  // In the order in which a run makes them.
  const std::set<uint32_t> operations_;
  mutable uint64_t runs_ = 0;
};

SavedRun Failing() {
  SavedRun run;
  run.invariant = "CODE";
  return run;
}

TEST(Minimise, KeepsExactlyWhatTheFailureNeeds) {
  Fake fake({{Fault::kSplit, 40}, {Fault::kCrashLeader, 3}, {Fault::kCrashLeader, 77}}, {17, 290});
  const Minimised least = Minimise(
      Failing(), [] { return true; }, fake);
  EXPECT_EQ(*least.run.reduction.faults,
            (std::set<FaultName>{
                {Fault::kSplit, 40}, {Fault::kCrashLeader, 3}, {Fault::kCrashLeader, 77}}));
  EXPECT_EQ(*least.run.reduction.operations, (std::set<uint32_t>{17, 290}));
  EXPECT_EQ(least.faults, 3u);
  EXPECT_EQ(least.operations, 2u);
  EXPECT_TRUE(least.run.reduction.without[static_cast<size_t>(Fault::kLoseMessage)]);
  EXPECT_EQ(least.runs, fake.runs());
  EXPECT_LT(least.runs, 200u);
}

TEST(Minimise, NeedsNothingIfNothingIsNeeded) {
  Fake fake({}, {});
  const Minimised least = Minimise(
      Failing(), [] { return true; }, fake);
  EXPECT_EQ(least.faults + least.operations, 0u);
}

// What is left fails, too, but it is another failure.
TEST(Minimise, KeepsTheInvariantThatWasBroken) {
  const Fake fake({{Fault::kSplit, 40}}, {17});
  const Minimised least = Minimise(
      Failing(), [] { return true; },
      [&](const SavedRun& run, const RunOptions& options) {
        RunResult result = fake(run, options);
        if (result.failure.invariant.empty()) {
          result.failure = {FailureKind::kSafety, "OTHER", "It fails otherwise."};
        }
        return result;
      });
  EXPECT_EQ(*least.run.reduction.faults, (std::set<FaultName>{{Fault::kSplit, 40}}));
  EXPECT_EQ(*least.run.reduction.operations, (std::set<uint32_t>{17}));
}

TEST(Minimise, ForgetsWhatTheRunDoesNotComeTo) {
  const Fake fake({{Fault::kSplit, 40}}, {});
  SavedRun run = Failing();
  run.reduction.faults = {{Fault::kSplit, 40}, {Fault::kSplit, 1000}};
  int left = 1;
  const Minimised least = Minimise(
      run, [&] { return left-- > 0; }, fake);
  EXPECT_EQ(*least.run.reduction.faults, (std::set<FaultName>{{Fault::kSplit, 40}}));
}

// Every other fault and operation is needed, so that nothing goes but one by one.
TEST(Minimise, GoesOnAsLongAsSomethingComesOfIt) {
  std::set<FaultName> faults;
  std::set<uint32_t> operations;
  for (const Fault kind : {Fault::kSplit, Fault::kCrashLeader, Fault::kLoseMessage}) {
    for (uint32_t number = 2; number <= 100; number += 2) faults.insert({kind, number});
  }
  for (uint32_t operation = 2; operation <= 300; operation += 2) operations.insert(operation);
  const Fake fake(faults, operations);
  int left = 6000;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; }, fake);
  EXPECT_EQ(*least.run.reduction.faults, faults);
  EXPECT_EQ(*least.run.reduction.operations, operations);
}

// Neither less of the run nor a restricted one ever fails; others of the campaign do, of less.
TEST(Minimise, GoesOnWithAnyRunThatTheCampaignMightMake) {
  std::set<FaultName> many;
  for (uint32_t number = 1; number <= 100; ++number) many.insert({Fault::kSplit, number});
  const Fake here(many, {});
  const Fake elsewhere({{Fault::kSplit, 40}}, {});
  SavedRun first = Failing();
  first.operations_max = 50;
  first.reduction.without.set(static_cast<size_t>(Fault::kLoseMessage));
  std::set<uint64_t> whole;  // Seeds of which nothing was left out at first.
  bool told = true;
  int left = 3000;
  const Minimised least = Minimise(
      first, [&] { return left-- > 0; },
      [&](const SavedRun& run, const RunOptions& options) {
        told &= run.reduction.without[static_cast<size_t>(Fault::kLoseMessage)] &&
                run.operations_max <= 50;
        const uint64_t seed = run.tape.seed;
        if (seed == first.tape.seed) return here(run, options);
        if (!run.reduction.faults && !run.reduction.faults_max) whole.insert(seed);
        return whole.count(seed) != 0 ? elsewhere(run, options) : RunResult();
      });
  EXPECT_EQ(least.faults, 1u);
  EXPECT_TRUE(told) << "what the campaign leaves out stays out";
}

TEST(Minimise, GivesShrinkingUpWhenNothingComesOfIt) {
  std::set<FaultName> faults;
  std::set<uint32_t> operations;
  for (const Fault kind : {Fault::kSplit, Fault::kCrashLeader, Fault::kLoseMessage}) {
    for (uint32_t number = 1; number <= 100; ++number) faults.insert({kind, number});
  }
  for (uint32_t operation = 1; operation <= 300; ++operation) operations.insert(operation);
  const Fake fake(faults, operations);
  uint64_t runs_before_the_search = 0;
  bool searches = false;
  int left = 3000;
  Minimise(
      Failing(), [&] { return left-- > 0; },
      [&](const SavedRun& run, const RunOptions& options) {
        searches |= run.reduction.faults_max.has_value();
        if (!searches) ++runs_before_the_search;
        return fake(run, options);
      });
  EXPECT_TRUE(searches);
  EXPECT_GT(runs_before_the_search, 200u);
  EXPECT_LT(runs_before_the_search, 300u);
}

TEST(Minimise, LongRunsUsePatienceUpSooner) {
  std::set<FaultName> all;
  for (const Fault kind : {Fault::kSplit, Fault::kCrashLeader, Fault::kLoseMessage}) {
    for (uint32_t number = 1; number <= 100; ++number) all.insert({kind, number});
  }
  const Fake fake(all, {});
  uint64_t runs_before_the_search = 0;
  bool searches = false;
  int left = 300;
  Minimise(
      Failing(), [&] { return left-- > 0; },
      [&](const SavedRun& run, const RunOptions& options) {
        searches |= run.reduction.faults_max.has_value();
        if (!searches) ++runs_before_the_search;
        RunResult result = fake(run, options);
        result.counts.events = 200000;
        return result;
      });
  EXPECT_TRUE(searches);
  EXPECT_LT(runs_before_the_search, 60u);
}

TEST(Minimise, StopsWhenTimeIsOverWithWhatItHas) {
  Fake fake({{Fault::kSplit, 40}}, {17});
  int left = 5;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; }, fake);
  EXPECT_EQ(fake.runs(), 6u);  // One for the choices of what it has.
  EXPECT_GT(least.faults, 1u);
  EXPECT_EQ(least.run.sentence, "It fails.");
  EXPECT_EQ(fake(least.run, {}).failure.invariant, "CODE");
}

TEST(Minimise, AFailureThatDoesNotComeAgainStaysAsItWas) {
  Fake fake({{Fault::kSplit, 1000}}, {});
  const Minimised least = Minimise(
      Failing(), [] { return true; }, fake);
  EXPECT_EQ(least.runs, 1u);
  EXPECT_FALSE(least.run.reduction.faults);
}

// Its six faults are one more than a small run has: nothing smaller is there to be found, and the
// search for it ends with the time.
TEST(Minimise, LooksForASmallerOneWhileTimeAllows) {
  std::set<FaultName> six;
  for (uint32_t number = 1; number <= 6; ++number) six.insert({Fault::kSplit, number});
  Fake fake(six, {});
  int left = 500;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; }, fake);
  EXPECT_EQ(*least.run.reduction.faults, six);
  EXPECT_EQ(left, -1);
}

// Needs six faults, or only a few if it has no more.
class TwoWays {
 public:
  explicit TwoWays(Fake few) : few_(std::move(few)) {}

  RunResult operator()(const SavedRun& run, const RunOptions& options) const {
    if (options.record_on != nullptr) {
      options.record_on->streams[{Choice::kProfile, 0}] = {run.tape.seed};
    }
    return run.reduction.faults_max ? few_(run, options) : six_(run, options);
  }
  static std::set<FaultName> Six() {
    std::set<FaultName> six;
    for (uint32_t number = 1; number <= 6; ++number) six.insert({Fault::kSplit, number});
    return six;
  }

 private:
  const Fake few_;
  const Fake six_{Six(), {}};
};

TEST(Minimise, TakesASmallRunInThePlaceOfALongOne) {
  const TwoWays fake(Fake({{Fault::kSplit, 1}}, {}));
  int left = 500;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; }, fake);
  EXPECT_EQ(*least.run.reduction.faults, (std::set<FaultName>{{Fault::kSplit, 1}}));
  EXPECT_EQ(least.operations, 0u);
  // With its choices, so that it needs no seed.
  EXPECT_EQ(least.run.tape.streams.at({Choice::kProfile, 0}),
            std::vector<uint64_t>{least.run.tape.seed});
}

TEST(Minimise, ARunOfMoreInAllIsNoSmallerOne) {
  std::set<FaultName> six;
  for (uint32_t number = 1; number <= 6; ++number) six.insert({Fault::kCrashLeader, number});
  const TwoWays fake(Fake(six, {1}));
  int left = 500;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; }, fake);
  EXPECT_EQ(*least.run.reduction.faults, TwoWays::Six());
}

TEST(Minimise, ARunWithinTheGoalIsSmallerThanOneBeyondIt) {
  const TwoWays fake(Fake({{Fault::kSplit, 1}, {Fault::kSplit, 2}}, {1, 2, 3, 4, 5}));
  int left = 500;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; }, fake);
  EXPECT_EQ(least.faults, 2u);
  EXPECT_EQ(least.operations, 5u);
}

// Needs six faults, but one alone when some of the choices are others. A run of a few faults does
// not fail.
TEST(Minimise, MakesChoicesAnew) {
  const Fake one({{Fault::kSplit, 4}}, {});
  const Fake six(TwoWays::Six(), {});
  int left = 5000;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; },
      [&](const SavedRun& run, const RunOptions& options) {
        const Tape::Stream kDelays{Choice::kMessageDelay, 1};
        const auto delays = run.tape.streams.find(kDelays);
        const bool anew = delays != run.tape.streams.end() && delays->second.size() < 100;
        if (options.record_on != nullptr) {
          options.record_on->streams[{Choice::kProfile, 0}] = {1};
          options.record_on->streams[kDelays].resize(anew ? 99 : 100);
        }
        RunResult result = anew ? one(run, options) : six(run, options);
        if (run.reduction.faults_max) result.failure = {};
        return result;
      });
  EXPECT_EQ(*least.run.reduction.faults, (std::set<FaultName>{{Fault::kSplit, 4}}));
  EXPECT_EQ(least.run.tape.streams.at({Choice::kProfile, 0}), std::vector<uint64_t>{1});
}

// Needs twelve in all, of whatever sort.
TEST(Minimise, OperationsStandInForFaults) {
  const Fake anything({}, {});
  int left = 5000;
  const Minimised least = Minimise(
      Failing(), [&] { return left-- > 0; },
      [&](const SavedRun& run, const RunOptions& options) {
        RunResult result = anything(run, options);
        const bool fails = result.faults.size() + result.operations.size() >= 12;
        if (!fails || run.reduction.faults_max) result.failure = {};
        return result;
      });
  EXPECT_LE(least.faults, kFaultsGoal);
  EXPECT_EQ(least.faults + least.operations, 12u);
}

// The first faults of every kind are needed: in the order of time they are one chunk.
TEST(Minimise, DropsFaultsInTheOrderOfTime) {
  std::set<FaultName> early;
  for (uint32_t number = 1; number <= 5; ++number) {
    for (const Fault kind : {Fault::kSplit, Fault::kCrashLeader, Fault::kLoseMessage}) {
      early.insert({kind, number});
    }
  }
  const Fake by_kind(early, {});
  std::vector<size_t> faults_left;
  int left = 400;
  Minimise(
      Failing(), [&] { return left-- > 0; },
      [&](const SavedRun& run, const RunOptions& options) {
        RunResult result = by_kind(run, options);
        std::sort(result.faults.begin(), result.faults.end(),
                  [](const FaultName& a, const FaultName& b) {
                    return std::pair(a.number, a.kind) < std::pair(b.number, b.kind);
                  });
        if (!result.failure.invariant.empty()) faults_left.push_back(result.faults.size());
        return result;
      });
  std::erase(faults_left, 300);  // While kinds and operations go.
  faults_left.resize(5);
  EXPECT_EQ(faults_left, (std::vector<size_t>{150, 75, 38, 20, 16}));
}

}  // namespace
}  // namespace flaredb::sim
