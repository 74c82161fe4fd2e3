// SPDX-License-Identifier: Apache-2.0
#include "net/server/start_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::net {
namespace {

const Members kThree = {{StoreId(1), "a:1"}, {StoreId(2), "b:2"}, {StoreId(3), "c:3"}};
const Members kThreeMoved = {{StoreId(1), "a:1"}, {StoreId(2), "b:2"}, {StoreId(3), "d:4"}};
constexpr uint64_t kRandom = 4242;

StartFlags FlagsOfStore2() {
  return {.store = StoreId(2),
          .address = "b:2",
          .data_dir = "/data",
          .cluster_id = {},
          .initial_cluster = kThree};
}

FoundStore FolderOfStore2() {
  return {.identity = {DeriveClusterId(kThree), StoreId(2)},
          .members = {StoreId(1), StoreId(2), StoreId(3)},
          .remembered = kThree};
}

std::string Sentence(const absl::StatusOr<StartPlan>& plan) {
  return std::string(plan.status().message().data(), plan.status().message().size());
}

TEST(StartPlan, TheSameListFoundsTheSameCluster) {
  StartFlags other = FlagsOfStore2();
  other.store = StoreId(3);
  const auto plan2 = PlanStart(FlagsOfStore2(), std::nullopt, kRandom);
  const auto plan3 = PlanStart(other, std::nullopt, kRandom + 1);
  EXPECT_EQ(plan2->identity.cluster_id, plan3->identity.cluster_id);
  EXPECT_EQ(plan2->identity.store, StoreId(2));
  EXPECT_EQ(plan2->members, kThree);
  EXPECT_NE(DeriveClusterId(kThree), DeriveClusterId(kThreeMoved));
}

TEST(StartPlan, WithoutAListOneStoreIsACluster) {
  StartFlags flags = FlagsOfStore2();
  flags.initial_cluster.reset();
  const auto plan = PlanStart(flags, std::nullopt, kRandom);
  EXPECT_EQ(plan->identity.cluster_id, kRandom);
  EXPECT_EQ(plan->members, (Members{{StoreId(2), "b:2"}}));
}

TEST(StartPlan, AnExplicitClusterIdDecides) {
  StartFlags flags = FlagsOfStore2();
  flags.cluster_id = 9;
  EXPECT_EQ(PlanStart(flags, std::nullopt, kRandom)->identity.cluster_id, 9u);
}

TEST(StartPlan, TheListNamesTheStoreItself) {
  StartFlags flags = FlagsOfStore2();
  EXPECT_TRUE(CheckFlags(flags).ok());
  flags.store = StoreId(4);
  EXPECT_EQ(CheckFlags(flags),
            absl::InvalidArgumentError("--initial-cluster does not name store 4, the one to start: "
                                       "list all stores, this one included"));
}

TEST(StartPlan, AStoreNeedsAnAddressThatOthersCanKnow) {
  StartFlags flags = FlagsOfStore2();
  for (const char* address : {"b:0", "b", ":2", ""}) {
    flags.address = address;
    EXPECT_TRUE(absl::IsInvalidArgument(CheckFlags(flags))) << address;
  }
}

TEST(StartPlan, ALaterStartNeedsNoList) {
  StartFlags flags = FlagsOfStore2();
  flags.initial_cluster.reset();
  const auto plan = PlanStart(flags, FolderOfStore2(), kRandom);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->identity, FolderOfStore2().identity);
  EXPECT_EQ(plan->members, kThree);
}

TEST(StartPlan, ALaterStartMayRepeatTheList) {
  EXPECT_EQ(PlanStart(FlagsOfStore2(), FolderOfStore2(), kRandom)->members, kThree);
}

TEST(StartPlan, ALostListMustBeGivenAgain) {
  StartFlags flags = FlagsOfStore2();
  flags.initial_cluster.reset();
  FoundStore found = FolderOfStore2();
  found.remembered.reset();
  EXPECT_TRUE(absl::IsInvalidArgument(PlanStart(flags, found, kRandom).status()));
  flags.initial_cluster = kThree;
  EXPECT_EQ(PlanStart(flags, found, kRandom)->members, kThree);
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
  flags.cluster_id = 9;
  EXPECT_TRUE(absl::IsFailedPrecondition(PlanStart(flags, FolderOfStore2(), kRandom).status()));

  // Other addresses are another cluster, unless the caller says that it is the same one.
  flags.cluster_id.reset();
  flags.initial_cluster = kThreeMoved;
  const auto plan = PlanStart(flags, FolderOfStore2(), kRandom);
  EXPECT_TRUE(absl::IsFailedPrecondition(plan.status()));
  EXPECT_NE(Sentence(plan).find("--cluster-id " + std::to_string(DeriveClusterId(kThree))),
            std::string::npos);
  flags.cluster_id = DeriveClusterId(kThree);
  EXPECT_EQ(PlanStart(flags, FolderOfStore2(), kRandom)->members, kThreeMoved);
}

TEST(StartPlan, RefusesOtherMembers) {
  StartFlags flags = FlagsOfStore2();
  flags.cluster_id = DeriveClusterId(kThree);
  flags.initial_cluster->erase(StoreId(3));
  EXPECT_TRUE(absl::IsFailedPrecondition(PlanStart(flags, FolderOfStore2(), kRandom).status()));
}

TEST(StartPlan, ASingleStoreMayMove) {
  const StartFlags flags{.store = StoreId(1),
                         .address = "x:9",
                         .data_dir = "/data",
                         .cluster_id = {},
                         .initial_cluster = {}};
  const FoundStore found{.identity = {kRandom, StoreId(1)},
                         .members = {StoreId(1)},
                         .remembered = Members{{StoreId(1), "a:1"}}};
  EXPECT_EQ(PlanStart(flags, found, 1)->members, (Members{{StoreId(1), "x:9"}}));
}

TEST(StartPlan, TheFirstRegionHasAReplicaEverywhere) {
  const Region region = FirstRegion(kThree);
  EXPECT_EQ(region.id, RegionId(1));
  EXPECT_TRUE(region.Contains(""));
  EXPECT_TRUE(region.Contains("\xff\xff"));
  EXPECT_EQ(region.peers,
            (std::vector<Peer>{
                {PeerId(1), StoreId(1)}, {PeerId(2), StoreId(2)}, {PeerId(3), StoreId(3)}}));
}

// ---- A cluster that knows by itself who is in it.

StartFlags FlagsOfJoiner() {
  StartFlags flags = FlagsOfStore2();
  flags.initial_cluster.reset();
  flags.peers = {{StoreId(1), "a:1"}};
  return flags;
}

TEST(StartPlan, WithoutAnythingElseAStoreFounds) {
  StartFlags flags = FlagsOfJoiner();
  flags.peers.clear();
  const auto plan = PlanStart(flags, std::nullopt, kRandom);
  EXPECT_TRUE(plan->self_managed);
  EXPECT_FALSE(plan->joins);
}

TEST(StartPlan, WithAPeerItJoins) {
  EXPECT_TRUE(CheckFlags(FlagsOfJoiner()).ok());
  const auto plan = PlanStart(FlagsOfJoiner(), std::nullopt, kRandom);
  EXPECT_TRUE(plan->self_managed);
  EXPECT_TRUE(plan->joins);
}

TEST(StartPlan, ItComesBackAsWhatItIs) {
  FoundStore found{.identity = {kRandom, StoreId(2), {1, 2}}, .members = {}, .remembered = {}};
  auto plan = PlanStart(FlagsOfJoiner(), found, kRandom + 1);
  EXPECT_FALSE(plan->joins);
  EXPECT_EQ(plan->identity.cluster_id, kRandom);
  EXPECT_EQ(plan->members, (Members{{StoreId(1), "a:1"}, {StoreId(2), "b:2"}}));
  found.known = {{StoreId(2), "old:1"}, {StoreId(3), "c:3"}};
  plan = PlanStart(FlagsOfJoiner(), found, kRandom + 1);
  EXPECT_EQ(plan->members, (Members{{StoreId(2), "b:2"}, {StoreId(3), "c:3"}}));
}

TEST(StartPlan, AListIsForClustersThatWereFoundedByOne) {
  const FoundStore found{
      .identity = {kRandom, StoreId(2), {1, 2}}, .members = {}, .remembered = {}};
  const auto plan = PlanStart(FlagsOfStore2(), found, kRandom);
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kFailedPrecondition);
  StartFlags both = FlagsOfStore2();
  both.peers = {{StoreId(1), "a:1"}};
  EXPECT_EQ(CheckFlags(both).code(), absl::StatusCode::kInvalidArgument);
}

TEST(StartPlan, APeerIsAnotherStore) {
  StartFlags flags = FlagsOfJoiner();
  flags.peers = {{StoreId(2), "b:2"}};
  EXPECT_EQ(CheckFlags(flags).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace flaredb::net
