// SPDX-License-Identifier: Apache-2.0
// The lock service under the simulator, and proof that the simulator would see if it were wrong.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "examples/locks/lock_spec.h"
#include "sim/campaign/campaign.h"

namespace flaredb::examples {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(LockServiceSim, HoldsUnderFaults) {
  const LockService locks;
  EXPECT_EQ(sim::FirstFailure(AboutLocks(&locks), 1, 200), "");
}

class ReusesTokens : public LockService {
  bool OnAcquire(const std::string& owner, uint64_t seen_token, Lock* lock) const override {
    if (lock->held || seen_token == 0) return LockService::OnAcquire(owner, seen_token, lock);
    *lock = {true, seen_token, owner, 0};
    return true;
  }
};
TEST(LockServiceSim, FindsATokenThatIsGivenTwice) {
  const ReusesTokens locks;
  const std::string failure = sim::FirstFailure(AboutLocks(&locks), 1, 200);
  EXPECT_THAT(failure, StartsWith("MODEL: the command \"acquire client"));
  EXPECT_THAT(failure, HasSubstr("replay: ./bazelw run //examples/locks:sim -- --seed="));
}

class LetsAnybodyRelease : public LockService {
  bool OnRelease(const std::string&, uint64_t token, Lock* lock) const override {
    return LockService::OnRelease(lock->owner, token, lock);
  }
};
TEST(LockServiceSim, FindsAReleaseByAStranger) {
  const LetsAnybodyRelease locks;
  EXPECT_THAT(sim::FirstFailure(AboutLocks(&locks), 1, 200),
              StartsWith("MODEL: the command \"release client"));
}

// What every replica counts for itself is not replicated.
class CountsInMemory : public LockService {
  bool OnAcquire(const std::string& owner, uint64_t seen_token, Lock* lock) const override {
    if (!LockService::OnAcquire(owner, seen_token, lock)) return false;
    lock->renewals = ++grants_;
    return true;
  }
  mutable uint64_t grants_ = 0;
};
TEST(LockServiceSim, FindsStateOutsideOfTheRows) {
  const CountsInMemory locks;
  EXPECT_NE(sim::FirstFailure(AboutLocks(&locks), 1, 200), "");
}

}  // namespace
}  // namespace flaredb::examples
