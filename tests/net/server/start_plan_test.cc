// SPDX-License-Identifier: Apache-2.0
#include "net/server/start_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::net {
namespace {

constexpr uint64_t kRandom = 4242;

StartFlags FlagsOfStore2() {
  return {.store = StoreId(2),
          .address = "b:2",
          .data_dir = "/data",
          .cluster_id = {},
          .peers = {{StoreId(1), "a:1"}}};
}

FoundStore FolderOfStore2() { return {.identity = {kRandom, StoreId(2), {1, 2}}, .known = {}}; }

std::string Sentence(const absl::StatusOr<StartPlan>& plan) {
  return std::string(plan.status().message().data(), plan.status().message().size());
}

TEST(StartPlan, WithoutAPeerAStoreFounds) {
  StartFlags flags = FlagsOfStore2();
  flags.peers.clear();
  const auto plan = PlanStart(flags, std::nullopt, kRandom);
  EXPECT_FALSE(plan->joins);
  EXPECT_EQ(plan->identity.store, StoreId(2));
  EXPECT_EQ(plan->identity.cluster_id, kRandom);
  EXPECT_EQ(plan->members, (Members{{StoreId(2), "b:2"}}));
  EXPECT_NE(PlanStart(flags, std::nullopt, 0)->identity.cluster_id, 0u);
}

TEST(StartPlan, AFounderMayChooseTheIdOfTheCluster) {
  StartFlags flags = FlagsOfStore2();
  flags.peers.clear();
  flags.cluster_id = 9;
  EXPECT_EQ(PlanStart(flags, std::nullopt, kRandom)->identity.cluster_id, 9u);
}

TEST(StartPlan, WithAPeerItJoins) {
  EXPECT_TRUE(CheckFlags(FlagsOfStore2()).ok());
  EXPECT_TRUE(PlanStart(FlagsOfStore2(), std::nullopt, kRandom)->joins);
}

TEST(StartPlan, APeerIsAnotherStore) {
  StartFlags flags = FlagsOfStore2();
  flags.peers = {{StoreId(2), "b:2"}};
  EXPECT_EQ(CheckFlags(flags),
            absl::InvalidArgumentError("--peer names store 2, the one to start: name another store "
                                       "of the cluster"));
}

TEST(StartPlan, AStoreNeedsAnAddressThatOthersCanKnow) {
  StartFlags flags = FlagsOfStore2();
  for (const char* address : {"b:0", "b", ":2", ""}) {
    flags.address = address;
    EXPECT_TRUE(absl::IsInvalidArgument(CheckFlags(flags))) << address;
  }
}

TEST(StartPlan, ItComesBackAsWhatItIs) {
  FoundStore found = FolderOfStore2();
  auto plan = PlanStart(FlagsOfStore2(), found, kRandom + 1);
  EXPECT_FALSE(plan->joins);
  EXPECT_EQ(plan->identity, found.identity);
  // Until the cluster has called it, it knows nobody but its peers.
  EXPECT_EQ(plan->members, (Members{{StoreId(1), "a:1"}, {StoreId(2), "b:2"}}));
  found.known = {{StoreId(2), "old:1"}, {StoreId(3), "c:3"}};
  plan = PlanStart(FlagsOfStore2(), found, kRandom + 1);
  EXPECT_EQ(plan->members, (Members{{StoreId(2), "b:2"}, {StoreId(3), "c:3"}}));
}

TEST(StartPlan, RefusesTheFolderOfAnotherStore) {
  StartFlags flags = FlagsOfStore2();
  flags.store = StoreId(3);
  const auto plan = PlanStart(flags, FolderOfStore2(), kRandom);
  EXPECT_TRUE(absl::IsFailedPrecondition(plan.status()));
  EXPECT_EQ(Sentence(plan),
            "the data folder /data belongs to store 2, not to store 3: give store 3's folder to "
            "--data-dir, or --store-id 2");
}

TEST(StartPlan, RefusesTheFolderOfAnotherCluster) {
  StartFlags flags = FlagsOfStore2();
  flags.cluster_id = kRandom;
  EXPECT_TRUE(PlanStart(flags, FolderOfStore2(), kRandom).ok());
  flags.cluster_id = 9;
  const auto plan = PlanStart(flags, FolderOfStore2(), kRandom);
  EXPECT_TRUE(absl::IsFailedPrecondition(plan.status()));
  EXPECT_EQ(Sentence(plan),
            "the data folder /data belongs to cluster 4242, not to cluster 9: give the folder of "
            "that cluster to --data-dir");
}

TEST(StartPlan, RefusesAFolderWhoseClusterDoesNotKnowItsMembers) {
  FoundStore found = FolderOfStore2();
  found.identity.instance = {};
  EXPECT_TRUE(absl::IsFailedPrecondition(PlanStart(FlagsOfStore2(), found, kRandom).status()));
}

}  // namespace
}  // namespace flaredb::net
