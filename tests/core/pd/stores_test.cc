// SPDX-License-Identifier: Apache-2.0
// The store table, and the founding of the cluster.
#include "core/pd/stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/pd/ids.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::pd {
namespace {

using ::testing::HasSubstr;

class Stores : public MachineOfRows {
 protected:
  void SetUp() override { Must(Founding()); }
  StoreInfo Join(uint64_t id) { return Must<StoreInfo>(PutStore{StoreOf(id), Revision()}); }
};

using Founded = Stores;
class Unfounded : public MachineOfRows {};

TEST_F(Unfounded, KnowsNothingAndDoesNothing) {
  EXPECT_EQ(Not(PutStore{StoreOf(2), Revision()}), Refused{Refusal::kNotBootstrapped});
  EXPECT_EQ(Not(AllocateIds{1}), Refused{Refusal::kNotBootstrapped});
  EXPECT_EQ(Get<Refused>(GetCluster{}), Refused{Refusal::kNotBootstrapped});
  EXPECT_EQ(Get<Refused>(GetRegion{"a"}), Refused{Refusal::kNotBootstrapped});
  EXPECT_TRUE(data_.rows.empty());
}

TEST_F(Unfounded, BytesThatAreNoRequestAreAnsweredAndChangeNothing) {
  MutableObjectRows rows(kObject, data_);
  for (const char* bytes : {"", "x", "\x01", "\x01\xff"}) {
    EXPECT_EQ(*DecodeReply(machine_.Apply(bytes, &rows)), Reply(Refused{Refusal::kNotUnderstood}));
    EXPECT_EQ(*DecodeReply(machine_.Query(bytes, rows)), Reply(Refused{Refusal::kNotUnderstood}));
  }
  EXPECT_TRUE(rows.changes().empty());
}

TEST_F(Unfounded, AFoundingThatMakesNoSenseIsRefused) {
  Bootstrap founding = Founding();
  founding.store.address = "here";
  EXPECT_EQ(Not(founding), Refused{Refusal::kBadAddress});
  founding = Founding();
  founding.store.id = StoreId(kChosenIdMax + 1);
  EXPECT_EQ(Not(founding), Refused{Refusal::kBadStoreId});
}

TEST_F(Unfounded, TheFirstRegionsHoldEveryKeyOnceAndAreOnTheFounder) {
  const auto with = [](std::vector<Region> regions) {
    return Bootstrap{ClusterId(100), StoreOf(1), std::move(regions)};
  };
  const Refused bad{Refusal::kBadRegions};
  EXPECT_EQ(Not(with({})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "m", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "b", "", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "m", 1), RegionOf(2, "n", "", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "n", 1), RegionOf(2, "m", "", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "", 1), RegionOf(2, "", "", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "", 1), RegionOf(2, "m", "", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "m", 1), RegionOf(1, "m", "", 1)})), bad);
  EXPECT_EQ(Not(with({RegionOf(1, "", "", 1, {2})})), bad);
  EXPECT_EQ(Not(with({RegionOf(kChosenIdMax + 1, "", "", 1)})), bad);
  Region same_peer = RegionOf(2, "m", "", 1);
  same_peer.peers = RegionOf(1, "", "m", 1).peers;
  EXPECT_EQ(Not(with({RegionOf(1, "", "m", 1), same_peer})), bad);
  Region large_peer = RegionOf(1, "", "", 1);
  large_peer.peers.front().id = PeerId(kChosenIdMax + 1);
  EXPECT_EQ(Not(with({large_peer})), bad);
  // In any order.
  Must(with({RegionOf(2, "m", "", 1), RegionOf(1, "", "m", 1, {3, 1})}));
}

TEST_F(Unfounded, TheFirstIdIsAboveAllOfTheFounding) {
  const auto first_id = [this](uint64_t store, uint64_t region, uint64_t peer) {
    data_.rows.clear();
    Region all = RegionOf(region, "", "", 1, {store});
    all.peers.front().id = PeerId(peer);
    Must(Bootstrap{ClusterId(100), StoreOf(store), {all}});
    return Must<IdRange>(AllocateIds{1}).first;
  };
  EXPECT_EQ(first_id(9, 2, 3), 10u);
  EXPECT_EQ(first_id(1, 9, 3), 10u);
  EXPECT_EQ(first_id(1, 2, 9), 10u);
  EXPECT_EQ(first_id(kChosenIdMax, 2, 3), kChosenIdMax + 1);
}

TEST_F(Founded, HasAStoreARegionAndANamespace) {
  const ClusterView view = Get<ClusterView>(GetCluster{});
  EXPECT_EQ(view.cluster, ClusterId(100));
  EXPECT_EQ(view.revision, Revision(2));
  ASSERT_EQ(view.stores.size(), 1u);
  EXPECT_EQ(view.stores[0], (StoreInfo{StoreOf(1), StoreState::kUp, Revision(1)}));
  ASSERT_EQ(view.namespaces.size(), 1u);
  EXPECT_EQ(view.namespaces[0], (Namespace{kv::NamespaceId::kDefault, "default", ModeState::kStrong,
                                           ModeEpoch(1), true, Revision(2)}));
  EXPECT_EQ(Get<RegionInfo>(GetRegion{"k"}),
            (RegionInfo{RegionOf(1, "", "", 1), Term(), PeerId()}));
}

TEST_F(Founded, IsNotFoundedTwice) {
  const Refused refused{Refusal::kBootstrapped, 100};
  Bootstrap other = Founding();
  other.cluster = ClusterId(101);
  EXPECT_EQ(Not(other), refused);
  other = Founding();
  other.store = StoreOf(2);
  EXPECT_EQ(Not(other), refused);
  other.store.instance = StoreOf(1).instance;
  EXPECT_EQ(Not(other), refused);
  other = Founding();
  other.store.instance = {9, 2};
  EXPECT_EQ(Not(other), refused);
  EXPECT_THAT(Explain(other, refused), HasSubstr("cluster 100 was founded by another store"));
}

TEST_F(Founded, KnowsItsFoundingWhateverBecameOfTheStore) {
  StoreDescriptor moved = StoreOf(1);
  moved.address = "elsewhere:1";
  Must<StoreInfo>(PutStore{moved, revision()});
  Must(Founding());
  EXPECT_EQ(Store(1).address, "elsewhere:1");
}

TEST_F(Founded, AllocatesIdsAboveAllThatAreInUse) {
  // The founding's largest id is that of peer 10.
  EXPECT_EQ(Must<IdRange>(AllocateIds{3}), (IdRange{11, 3}));
  EXPECT_EQ(Must<IdRange>(AllocateIds{kIdsMax}), (IdRange{14, kIdsMax}));
  Join(2000);
  EXPECT_EQ(Must<IdRange>(AllocateIds{1}), (IdRange{2001, 1}));
  // Below what was allocated already.
  Join(3);
  EXPECT_EQ(Must<IdRange>(AllocateIds{1}), (IdRange{2002, 1}));
  EXPECT_EQ(Not(AllocateIds{0}), Refused{Refusal::kTooManyIds});
  EXPECT_EQ(Not(AllocateIds{kIdsMax + 1}), Refused{Refusal::kTooManyIds});
}

TEST_F(Stores, AStoreJoinsAndMoves) {
  EXPECT_EQ(Join(2), (StoreInfo{StoreOf(2), StoreState::kUp, Revision(3)}));
  StoreDescriptor moved = StoreOf(2);
  moved.address = "elsewhere:1";
  moved.feature_level = 2;
  EXPECT_EQ(Must<StoreInfo>(PutStore{moved, Revision(3)}),
            (StoreInfo{moved, StoreState::kUp, Revision(4)}));
  // What it says already is no change, whenever it was said.
  EXPECT_EQ(Must<StoreInfo>(PutStore{moved, Revision()}).changed, Revision(4));
  EXPECT_EQ(revision(), Revision(4));
}

TEST_F(Stores, AnOldCopyOfAnAddressComesTooLate) {
  Join(2);
  StoreDescriptor moved = StoreOf(2);
  moved.address = "elsewhere:1";
  const PutStore first{moved, revision()};
  Must<StoreInfo>(first);
  moved.address = "third:1";
  Must<StoreInfo>(PutStore{moved, revision()});
  EXPECT_EQ(Not(first), (Refused{Refusal::kStoreChanged, 5}));
  EXPECT_EQ(Store(2).address, "third:1");
}

TEST_F(Stores, AMovedStoreKeepsItsState) {
  Join(2);
  Must<StoreInfo>(SetTo(2, StoreState::kDraining));
  StoreDescriptor moved = StoreOf(2);
  moved.address = "elsewhere:1";
  EXPECT_EQ(Must<StoreInfo>(PutStore{moved, revision()}).state, StoreState::kDraining);
}

TEST_F(Stores, AnEmptiedOrCopiedDiskIsToldApart) {
  StoreDescriptor emptied = StoreOf(1);
  emptied.instance = {9, 99};
  const PutStore put{emptied, revision()};
  EXPECT_EQ(Not(put), Refused{Refusal::kOtherInstance});
  EXPECT_THAT(Explain(put, Not(put)), HasSubstr("flaredb store replace 1 --with N"));
}

// R-GC5: the same machine with an empty disk joins as a new store.
TEST_F(Stores, AnAddressIsFreedByTheCommandThatTheRefusalNames) {
  Join(2);
  StoreDescriptor taker = StoreOf(7);
  taker.address = StoreOf(1).address;
  const PutStore put{taker, revision()};
  EXPECT_EQ(Not(put), (Refused{Refusal::kAddressTaken, 1}));
  EXPECT_THAT(Explain(put, Not(put)), HasSubstr("flaredb store replace 1 --with 7"));
  // A store that is drained still lives there.
  Must<StoreInfo>(SetTo(1, StoreState::kDraining));
  EXPECT_EQ(Not(put), (Refused{Refusal::kAddressTaken, 1}));
  Must<StoreInfo>(SetTo(1, StoreState::kLost));
  EXPECT_EQ(Must<StoreInfo>(put).address, StoreOf(1).address);
}

TEST_F(Stores, AKnownStoreDoesNotTakeTheAddressOfAnother) {
  Join(2);
  StoreDescriptor moved = StoreOf(2);
  moved.address = StoreOf(1).address;
  EXPECT_EQ(Not(PutStore{moved, revision()}), (Refused{Refusal::kAddressTaken, 1}));
}

TEST_F(Stores, WhoIsLostOrRemovedNeverReturns) {
  Join(2);
  for (const StoreState state : {StoreState::kLost, StoreState::kRemoved}) {
    Must<StoreInfo>(SetTo(2, state));
    const PutStore put{StoreOf(2), revision()};
    EXPECT_EQ(Not(put), Refused{Refusal::kNoLongerMember});
    EXPECT_THAT(Explain(put, Not(put)), HasSubstr("a --store-id that was never used"));
    EXPECT_EQ(Not(SetTo(2, StoreState::kUp)),
              (Refused{Refusal::kIllegalStep, static_cast<uint64_t>(state)}));
  }
}

TEST_F(Stores, IdsThatAreChosenStaySmall) {
  StoreDescriptor store = StoreOf(kChosenIdMax + 1);
  EXPECT_EQ(Not(PutStore{store, Revision()}), Refused{Refusal::kBadStoreId});
  Join(kChosenIdMax);
  // It was allocated by now.
  const IdRange ids = Must<IdRange>(AllocateIds{2});
  EXPECT_EQ(ids.first, kChosenIdMax + 1);
  Join(kChosenIdMax + 1);
  EXPECT_EQ(Not(PutStore{StoreOf(kChosenIdMax + 3), Revision()}), Refused{Refusal::kBadStoreId});
}

TEST_F(Stores, AddressesAreHostAndPort) {
  for (const char* good : {"a:1", "10.0.0.1:50051", "[::1]:65535", "store-1.example:8080"}) {
    EXPECT_TRUE(IsAddress(good)) << good;
  }
  for (const char* bad : {"", ":", ":1", "a", "a:", "a:0", "a:01", "a:65536", "a:1x", "a:-1",
                          "a b:1", "a\n:1", "\x7f:1", "\xc3\xa9:1", "a:100000"}) {
    EXPECT_FALSE(IsAddress(bad)) << bad;
  }
  EXPECT_TRUE(IsAddress(std::string(255, 'h') + ":1"));
  EXPECT_FALSE(IsAddress(std::string(256, 'h') + ":1"));
  StoreDescriptor store = StoreOf(2);
  store.address = "a";
  EXPECT_EQ(Not(PutStore{store, Revision()}), Refused{Refusal::kBadAddress});
}

TEST_F(Stores, EveryStepOfAStoreIsLegalOrRefused) {
  using enum StoreState;
  const StoreState all[] = {kUp, kDraining, kLost, kRemoved, kDrained};
  // How a store that has no replicas gets into each state.
  const std::vector<StoreState> way[] = {
      {}, {kDraining}, {kLost}, {kLost, kRemoved}, {kDraining, kDrained}};
  const bool legal[5][5] = {{true, true, true, false, false},
                            {true, true, true, false, true},
                            {false, false, true, true, false},
                            {false, false, false, true, false},
                            {true, true, true, true, true}};
  uint64_t id = 1;
  for (int from = 0; from < 5; ++from) {
    for (int to = 0; to < 5; ++to) {
      Join(++id);
      for (const StoreState step : way[from]) Must<StoreInfo>(SetTo(id, step));
      const SetStoreState set = SetTo(id, all[to]);
      if (legal[from][to]) {
        // What is drained already needs no draining.
        const StoreState becomes = from == 4 && to == 1 ? kDrained : all[to];
        EXPECT_EQ(Must<StoreInfo>(set).state, becomes);
        EXPECT_EQ(Store(id).state, becomes);
      } else {
        EXPECT_EQ(Not(set), (Refused{Refusal::kIllegalStep, static_cast<uint64_t>(all[from])}));
        EXPECT_EQ(Store(id).state, all[from]);
      }
    }
  }
  EXPECT_EQ(Not(SetTo(999, kDraining)), Refused{Refusal::kNoSuchStore});
}

TEST_F(Stores, TheLastStoreThatTakesReplicasStays) {
  const Refused last{Refusal::kLastStore};
  EXPECT_EQ(Not(SetTo(1, StoreState::kDraining)), last);
  EXPECT_EQ(Not(SetTo(1, StoreState::kLost)), last);
  Join(2);
  Must<StoreInfo>(SetTo(2, StoreState::kDraining));
  EXPECT_EQ(Not(SetTo(1, StoreState::kDraining)), last);
  // One that takes none may go.
  Must<StoreInfo>(SetTo(2, StoreState::kLost));
  EXPECT_EQ(Not(SetTo(1, StoreState::kLost)), last);
}

TEST_F(Stores, AnOldCopyOfADrainComesTooLate) {
  Join(2);
  const SetStoreState drain = SetTo(2, StoreState::kDraining);
  Must<StoreInfo>(drain);
  Must<StoreInfo>(SetTo(2, StoreState::kUp));
  EXPECT_EQ(Not(drain), (Refused{Refusal::kStoreChanged, 5}));
  EXPECT_EQ(Store(2).state, StoreState::kUp);
}

TEST_F(Stores, OneWithReplicasIsNotRemoved) {
  Join(2);
  Must(PutRegion{ReportOf(RegionOf(1, "", "m", 2))});
  Must(PutRegion{ReportOf(RegionOf(2, "m", "", 2, {1, 2}))});
  Must<StoreInfo>(SetTo(2, StoreState::kDraining));
  EXPECT_EQ(Not(SetTo(2, StoreState::kDrained)), (Refused{Refusal::kHasReplicas, 2}));
  // Region 2 is split further, and the right half has not reported yet.
  Must(PutRegion{ReportOf(RegionOf(3, "m", "n", 3))});
  EXPECT_EQ(Not(SetTo(2, StoreState::kDrained)), Refused{Refusal::kRegionsUnknown});
  Must(PutRegion{ReportOf(RegionOf(2, "n", "", 3))});
  Must<StoreInfo>(SetTo(2, StoreState::kDrained));
  Must(PutRegion{ReportOf(RegionOf(2, "n", "", 3, {1, 2}))});
  EXPECT_EQ(Not(SetTo(2, StoreState::kRemoved)), (Refused{Refusal::kHasReplicas, 2}));
  Must(PutRegion{ReportOf(RegionOf(2, "n", "", 4))});
  Must<StoreInfo>(SetTo(2, StoreState::kRemoved));
}

TEST_F(Stores, TheClusterIsToldSinceARevision) {
  Join(2);
  Join(3);
  Must<StoreInfo>(SetTo(2, StoreState::kDraining));
  const ClusterView news = Get<ClusterView>(GetCluster{Revision(3)});
  EXPECT_EQ(news.since, Revision(3));
  EXPECT_EQ(news.revision, Revision(5));
  ASSERT_EQ(news.stores.size(), 2u);
  EXPECT_EQ(news.stores[0], Store(2));
  EXPECT_EQ(news.stores[1], Store(3));
  EXPECT_TRUE(news.namespaces.empty());

  EXPECT_EQ(Get<ClusterView>(GetCluster{Revision(4)}).stores.size(), 1u);
  EXPECT_EQ(Get<ClusterView>(GetCluster{Revision(5)}),
            (ClusterView{ClusterId(100), Revision(5), Revision(5), {}, {}}));
  // A revision that is not there yet was seen before a backup was restored.
  EXPECT_EQ(Get<ClusterView>(GetCluster{Revision(6)}), Get<ClusterView>(GetCluster{}));
}

}  // namespace
}  // namespace flaredb::pd
