// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/saved_run.h"

#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace flaredb::sim {
namespace {

TEST(SavedRun, IsTheRunThatWasRecorded) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const RunResult original = RunSeed(seed, {});
    const SavedRun saved = Record(seed, {});
    EXPECT_EQ(Replay(saved, {}).hash, original.hash) << "seed " << seed;
  }
}

// The tape decides, not the seed beside it.
TEST(SavedRun, NeedsNoSeedWhereTheTapeHasAllChoices) {
  SavedRun saved = Record(3, {});
  saved.tape.seed = 99;
  EXPECT_EQ(Replay(saved, {}).hash, RunSeed(3, {}).hash);
  saved.tape.streams.clear();
  EXPECT_EQ(Replay(saved, {}).hash, RunSeed(99, {}).hash);
}

TEST(SavedRun, LeavesOutWhatItWasToldToLeaveOut) {
  RunOptions options;
  options.reduction.without.set(static_cast<size_t>(Fault::kLoseMessage));
  options.reduction.operations = {1, 2, 3};
  options.reduction.faults_max = 7;
  const RunResult reduced = RunSeed(5, options);
  EXPECT_EQ(reduced.operations, (std::vector<uint32_t>{1, 2, 3}));
  EXPECT_LE(reduced.faults.size(), 7u);
  EXPECT_EQ(reduced.counts.faults[Fault::kLoseMessage].fired, 0u);
  EXPECT_EQ(Replay(Record(5, options), {}).hash, reduced.hash);
}

TEST(SavedRun, LastsAsLongAsItDid) {
  RunOptions options;
  options.operations_max = 30;
  options.faults_max = Duration::Seconds(2);
  const RunResult original = RunSeed(5, options);
  EXPECT_LE(original.counts.operations, 40u);  // Those under way at the thirtieth included.
  EXPECT_EQ(Replay(Record(5, options), {}).hash, original.hash);
}

TEST(SavedRun, CanBeLookedAt) {
  const SavedRun saved = Record(3, {});
  Tape tape;
  std::ostringstream trace;
  struct Record page;
  RunOptions options;
  options.record_on = &tape;
  options.trace_out = &trace;
  options.record = &page;
  Replay(saved, options);
  EXPECT_EQ(tape.streams, saved.tape.streams);
  EXPECT_FALSE(trace.str().empty());
  EXPECT_FALSE(page.operations.empty());
}

TEST(SavedRun, FaultsThatAreNamedAreThoseThatHappen) {
  const RunResult whole = RunSeed(11, {});
  ASSERT_GT(whole.faults.size(), 3u);
  RunOptions options;
  options.reduction.faults.emplace();
  EXPECT_TRUE(RunSeed(11, options).faults.empty());
  options.reduction.faults->insert(whole.faults.begin(), whole.faults.end());
  EXPECT_EQ(RunSeed(11, options).hash, whole.hash);
  options.reduction.faults = {whole.faults.front()};
  EXPECT_EQ(RunSeed(11, options).faults, std::vector<FaultName>{whole.faults.front()});
}

SavedRun Rich() {
  SavedRun run;
  run.operations_max = 12;
  run.faults_max = Duration::Seconds(3);
  run.invariant = "LC";
  run.sentence = "One line.\nAnother one.";
  run.tape.seed = 18446744073709551615u;
  run.reduction.without.set(static_cast<size_t>(Fault::kSplit));
  run.reduction.faults_max = 3;
  run.reduction.faults = {{Fault::kCrashLeader, 2}, {Fault::kLoseMessage, 17}};
  run.reduction.operations = {4, 9};
  run.tape.streams[{Choice::kProfile, 0}] = {1, 1, 1, 0, 7};
  run.tape.streams[{Choice::kMessageDelay, 31}] = {};
  run.tape.streams[{Choice::kLimits, 2}] = {9223372036854775807u, 4, 4, 5};
  return run;
}

TEST(SavedRun, ItsTextSaysAll) {
  const std::string text = EncodeSavedRun(Rich());
  const absl::StatusOr<SavedRun> run = DecodeSavedRun(text);
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ(run->operations_max, 12u);
  EXPECT_EQ(run->faults_max, Duration::Seconds(3));
  EXPECT_EQ(run->invariant, "LC");
  EXPECT_EQ(run->tape.seed, Rich().tape.seed);
  EXPECT_EQ(run->tape.streams, Rich().tape.streams);
  EXPECT_EQ(run->reduction.without, Rich().reduction.without);
  EXPECT_EQ(run->reduction.faults, Rich().reduction.faults);
  EXPECT_EQ(run->reduction.faults_max, Rich().reduction.faults_max);
  EXPECT_EQ(run->reduction.operations, Rich().reduction.operations);
  EXPECT_NE(text.find("choices profile/0 1*3 0 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" 4*2 5\n"), std::string::npos) << text;
}

TEST(SavedRun, RefusesWhatIsNoneAndSaysWhere) {
  const std::string whole = EncodeSavedRun(Rich());
  const std::string text = whole.substr(0, whole.rfind("end\n"));
  const struct {
    std::string text;
    std::string said;
  } cases[] = {
      {"", "the saved run is empty"},
      {"flaredb-trace 2\n", "line 1 is not"},
      {text + "nonsense 1\n", "can't be understood; it begins with \"nonsense 1\""},
      {text + "choices\n", "can't be understood"},
      {text + "choices unknown/1 2\n", "can't be understood"},
      {text + "choices profile/32 2\n", "can't be understood"},
      {text + "choices profile/0 x\n", "can't be understood"},
      {text + "choices profile/0 1*99999999999\n", "can't be understood"},
      {text + "choices profile/0 " + "1*9000000 1*9000000\n", "can't be understood"},
      {text + "without flood\n", "can't be understood"},
      {text + "faults split\n", "can't be understood"},
      {text + "faults split:\n", "can't be understood"},
      {text + "operations 1 two\n", "can't be understood"},
      {text + "seed\n", "can't be understood"},
      {text + "ops -1\n", "can't be understood"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<SavedRun> run = DecodeSavedRun(c.text);
    ASSERT_FALSE(run.ok()) << c.said;
    EXPECT_NE(std::string(run.status().message()).find(c.said), std::string::npos)
        << run.status().message();
  }
}

// A part of a run would pass, and seem to say that a bug is gone.
TEST(SavedRun, APartOfAFileIsRefused) {
  const std::string whole = EncodeSavedRun(Record(3, {}));
  ASSERT_TRUE(DecodeSavedRun(whole).ok());
  for (size_t line = whole.find('\n'); line + 1 < whole.size(); line = whole.find('\n', line + 1)) {
    EXPECT_FALSE(DecodeSavedRun(whole.substr(0, line + 1)).ok()) << line;
  }
  EXPECT_FALSE(DecodeSavedRun(whole + whole).ok());
}

}  // namespace
}  // namespace flaredb::sim
