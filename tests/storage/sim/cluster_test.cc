// SPDX-License-Identifier: Apache-2.0
// Simulated clusters whose stores are on the production storage layer.
#include <memory>
#include <string>

#include "core/store/recovery.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/campaign/campaign.h"
#include "sim/simulation.h"
#include "storage/sim/store_disk.h"

namespace flaredb::storage {
namespace {

using ::testing::HasSubstr;

sim::Subject OnRocks() {
  sim::Subject subject;
  subject.new_real_disk = [](uint64_t seed) { return std::make_unique<StoreDisk>(seed); };
  return subject;
}

// What a store begins with.
env::GroupCommit First() {
  Region region;
  region.id = RegionId(1);
  region.epoch = {1, 1};
  region.peers = {{PeerId(101), StoreId(1)}};
  return store::Bootstrap({77, StoreId(1)}, region, Incarnation(7));
}

env::GroupCommit Vote(Term term) {
  env::GroupCommit commit;
  commit.token = IoToken(term.value());
  env::LogWrite& write = commit.log.emplace_back();
  write.region = RegionId(1);
  write.persist.hard_state = raft::HardState{term, PeerId(101)};
  return commit;
}

TEST(ClusterOnRocksTest, RunsPass) { EXPECT_EQ(sim::FirstFailure(OnRocks(), 1, 25), ""); }

TEST(ClusterOnRocksTest, ARunRepeatsItself) {
  sim::RunOptions options;
  options.subject = OnRocks();
  EXPECT_EQ(sim::RunSeed(3, options).hash, sim::RunSeed(3, options).hash);
}

TEST(ClusterOnRocksTest, ADiskThatForgetsWhatWasSyncedIsFound) {
  sim::Subject subject;
  subject.new_real_disk = [](uint64_t seed) {
    auto disk = std::make_unique<StoreDisk>(seed);
    disk->machine().syncs_lie = true;
    return disk;
  };
  EXPECT_THAT(sim::FirstFailure(subject, 1, 20), HasSubstr("STORE: the storage layer of store "));
}

// With other entries than it was told, the store's own checks and the invariants see it.
TEST(ClusterOnRocksTest, ADiskThatLosesRowsIsFound) {
  class Forgetful : public StoreDisk {
   public:
    using StoreDisk::StoreDisk;
    absl::Status Write(const env::GroupCommit& commit) override {
      env::GroupCommit less = commit;
      if (++commits_ % 16 == 0) less.data = WriteBatch();
      return StoreDisk::Write(less);
    }

   private:
    int commits_ = 0;
  };
  sim::Subject subject;
  subject.new_real_disk = [](uint64_t seed) { return std::make_unique<Forgetful>(seed); };
  EXPECT_THAT(sim::FirstFailure(subject, 1, 20), HasSubstr("replay: "));
}

TEST(StoreDiskTest, TheLastCommitOfAProcessIsThereOrNot) {
  int there = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    StoreDisk disk(seed);
    sim::DiskImage image;
    ASSERT_TRUE(disk.Write(First()).ok());
    ASSERT_EQ(image.Apply(First()), std::nullopt);
    const env::GroupCommit next = Vote(Term(9));
    const absl::StatusOr<bool> kept = disk.Crash(image, &next);
    ASSERT_TRUE(kept.ok()) << kept.status();
    there += *kept ? 1 : 0;
    const auto logs = disk.LogStates();
    ASSERT_TRUE(logs.ok()) << logs.status();
    ASSERT_EQ(logs->size(), 1U);
    EXPECT_EQ((*logs)[0].hard_state.term == Term(9), *kept);
  }
  EXPECT_GT(there, 3);
  EXPECT_LT(there, 37);
}

TEST(StoreDiskTest, ACrashTellsWhatIsMissing) {
  StoreDisk disk(1);
  sim::DiskImage image;
  ASSERT_TRUE(disk.Write(First()).ok());
  ASSERT_EQ(image.Apply(First()), std::nullopt);
  ASSERT_EQ(image.Apply(Vote(Term(9))), std::nullopt);
  const absl::StatusOr<bool> kept = disk.Crash(image, nullptr);
  EXPECT_EQ(std::string(kept.status().message()),
            "after a crash it holds something else than what was synced: region 1: the term is 1 "
            "and should be 9");
}

}  // namespace
}  // namespace flaredb::storage
