// SPDX-License-Identifier: Apache-2.0
// The storage layer under simulation, and that the simulation would tell.
#include "storage/sim/campaign.h"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/sim/crash_sweep.h"

namespace flaredb::storage {
namespace {

using testing::HasSubstr;

Flags Seeds(uint64_t first, uint64_t last) {
  Flags flags;
  flags.seeds.first = first;
  flags.seeds.last = last;
  return flags;
}

TEST(StorageCampaign, KeepsWhatItPromisesAndMeetsEveryFault) {
  std::ostringstream out;
  const CampaignResult campaign = RunCampaign(Seeds(1, 150), out);
  EXPECT_EQ(campaign.failed, 0u) << out.str();
  for (size_t i = 0; i < kFaults; ++i) {
    const Fault fault = static_cast<Fault>(i);
    EXPECT_GT(campaign.total.faults.fired[i], 0u) << FaultName(fault);
    EXPECT_GT(campaign.total.faults.mattered[i], 0u) << FaultName(fault);
  }
  EXPECT_GT(campaign.total.refusals, 0u);
}

TEST(StorageCampaign, DoesTheSameAgain) {
  std::ostringstream out;
  const CampaignResult once = RunCampaign(Seeds(1, 10), out);
  EXPECT_EQ(RunCampaign(Seeds(1, 10), out).total.hash, once.total.hash);
  EXPECT_NE(RunCampaign(Seeds(2, 11), out).total.hash, once.total.hash);
}

TEST(StorageCampaign, FindsADiskThatLiesAboutSyncs) {
  std::ostringstream out;
  EXPECT_EQ(RunCampaign(Seeds(1, 50), out, {.syncs_lie = true}).failed, 1u);
  EXPECT_THAT(out.str(), HasSubstr("replay: ./bazelw run //storage/sim:campaign -- --seed="));
}

TEST(StorageCampaign, FindsADiskThatLiesAboutSyncsOfDirectories) {
  std::ostringstream out;
  EXPECT_EQ(RunCampaign(Seeds(1, 50), out, {.directory_syncs_lie = true}).failed, 1u);
}

TEST(StorageSweep, SurvivesALossOfPowerAnywhere) {
  const RunResult sweep = SweepCrashes(1, /*stride=*/23);
  EXPECT_FALSE(sweep.failure) << *sweep.failure;
  EXPECT_GT(sweep.crashes, 50u);
}

TEST(StorageSweep, IsReplayedAsItWas) {
  std::ostringstream out;
  Flags flags = Seeds(1, 1);
  flags.sweep = 23;
  EXPECT_EQ(RunCampaign(flags, out, {.syncs_lie = true}).failed, 1u);
  EXPECT_THAT(out.str(), HasSubstr("//storage/sim:campaign -- --sweep=23 --seed=1\n"));
}

TEST(StorageSweep, FindsADiskThatLies) {
  EXPECT_TRUE(SweepCrashes(1, 23, {.syncs_lie = true}).failure);
  EXPECT_TRUE(SweepCrashes(1, 23, {.directory_syncs_lie = true}).failure);
}

TEST(StorageFlags, AreReadOrRefusedWithASentence) {
  EXPECT_EQ(ParseFlags({"--seed=42"})->seeds.last, 42u);
  EXPECT_EQ(ParseFlags({"--seeds=5..9"})->seeds.first, 5u);
  EXPECT_TRUE(ParseFlags({"--sweep", "--keep-going"})->keep_going);
  EXPECT_EQ(ParseFlags({"--seed=42"})->sweep, 0u);
  EXPECT_EQ(ParseFlags({"--sweep"})->sweep, 1u);
  EXPECT_EQ(ParseFlags({"--sweep=20"})->sweep, 20u);
  for (const std::string wrong :
       {"--seed=", "--seeds=9..5", "--seeds=3", "--sweep=0", "--sweep=all", "--speed=1", "x"}) {
    EXPECT_THAT(std::string(ParseFlags({wrong}).status().message()), HasSubstr(wrong + ": "));
  }
}

}  // namespace
}  // namespace flaredb::storage
