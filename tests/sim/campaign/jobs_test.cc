// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign/jobs.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

RunResult FakeRun(uint64_t seed) {
  RunResult run;
  run.hash = seed * 17;
  run.counts.events = seed;
  run.counts.probes.hit[3] = seed + 1;
  if (seed % 5 == 0) {
    run.failure = {FailureKind::kSafety, "SMS", std::string(seed % 100 * 100, 'x')};
  }
  return run;
}

TEST(Jobs, ResultsComeInTheOrderOfSeedsWhateverTheirNumber) {
  for (const uint32_t jobs : {1, 2, 3, 7, 50}) {
    Jobs pool(10, 40, jobs, FakeRun);
    for (uint64_t seed = 10; seed <= 40; ++seed) {
      const RunResult expected = FakeRun(seed);
      const RunResult run = pool.Take(seed);
      ASSERT_EQ(run.hash, expected.hash);
      ASSERT_EQ(run.counts.events, expected.counts.events);
      ASSERT_EQ(run.counts.probes.hit[3], expected.counts.probes.hit[3]);
      ASSERT_EQ(run.failure.kind, expected.failure.kind);
      ASSERT_EQ(run.failure.invariant, expected.failure.invariant);
      ASSERT_EQ(run.failure.sentence, expected.failure.sentence);
    }
  }
}

TEST(Jobs, AChildThatDiesIsAFailureOfItsSeedAndTheOthersGoOn) {
  Jobs pool(1, 9, 2, [](uint64_t seed) {
    if (seed == 4) kill(getpid(), SIGKILL);
    if (seed == 5) _exit(3);
    if (seed == 7) throw InvariantViolation("nobody catches this");
    RunResult run;
    run.hash = seed;
    return run;
  });
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    const RunResult run = pool.Take(seed);
    if (seed == 4 || seed == 5 || seed == 7) {
      EXPECT_EQ(run.failure.kind, FailureKind::kDied);
      EXPECT_EQ(run.failure.sentence,
                seed == 4   ? "the process that ran this seed died of signal 9 (Killed)."
                : seed == 5 ? "the process that ran this seed ended with exit code 3."
                            : "the process that ran this seed died of signal 6 (Aborted).");
    } else {
      EXPECT_EQ(run.failure.kind, FailureKind::kNone) << seed;
      EXPECT_EQ(run.hash, seed);
    }
  }
}

TEST(Jobs, EndsChildrenThatWouldGoOnForEver) {
  Jobs pool(1, ~uint64_t{0}, 3, [](uint64_t seed) {
    if (seed > 3) sleep(1000);
    return RunResult();
  });
  for (uint64_t seed = 1; seed <= 3; ++seed) pool.Take(seed);
}

TEST(Jobs, TheLastSeedThatThereIs) {
  constexpr uint64_t kMax = ~uint64_t{0};
  Jobs pool(kMax - 2, kMax, 2, FakeRun);
  for (uint64_t seed = kMax - 2; seed != 0; ++seed) EXPECT_EQ(pool.Take(seed).hash, seed * 17);
}

}  // namespace
}  // namespace flaredb::sim
