// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/placement.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace flaredb::cluster {
namespace {

using Kind = raft::MemberChange::Kind;

// Peer 10 + n lives on store n.
class PlacementTest : public ::testing::Test {
 protected:
  PlacementTest() {
    report_.info.region.id = RegionId(1);
    report_.info.term = Term(5);
    for (uint64_t id = 1; id <= 5; ++id) sites_[StoreId(id)] = {true, true, 1};
  }

  void Voters(const std::vector<uint64_t>& stores) { Members(stores, &report_.conf.voters); }
  void Learners(const std::vector<uint64_t>& stores) { Members(stores, &report_.conf.learners); }
  void Leader(uint64_t store) { report_.info.leader = PeerId(10 + store); }
  void Behind(const std::vector<uint64_t>& stores) {
    for (const uint64_t store : stores) report_.behind.emplace_back(10 + store);
  }
  void Only(const std::vector<uint64_t>& stores) {
    std::erase_if(sites_, [&](const auto& site) {
      return std::find(stores.begin(), stores.end(), site.first.value()) == stores.end();
    });
  }
  void Drain(uint64_t store) { sites_.at(StoreId(store)).up = false; }
  Site& S(uint64_t store) { return sites_.at(StoreId(store)); }

  // The step, in short.
  std::string Plan() const {
    const Placement placement = Place(report_, sites_, 3);
    if (const auto* move = std::get_if<MoveLeader>(&placement.step)) {
      return absl::StrCat("lead ", move->target.value() - 10);
    }
    const auto* change = std::get_if<ChangeMembers>(&placement.step);
    if (change == nullptr) {
      EXPECT_FALSE(placement.grows_onto);
      return placement.waits_for.empty() ? "done" : absl::StrCat("waits for ", placement.waits_for);
    }
    std::string text;
    for (const raft::MemberChange& one : change->changes) {
      if (!text.empty()) text += ", ";
      if (one.kind == Kind::kAddLearner) {
        EXPECT_EQ(one.store, placement.grows_onto);
        absl::StrAppend(&text, "learner on ", one.store.value());
      } else {
        absl::StrAppend(&text, one.kind == Kind::kPromote ? "promote " : "remove ",
                        one.id.value() - 10);
      }
    }
    return text;
  }

  RegionReport report_;
  Sites sites_;

 private:
  void Members(const std::vector<uint64_t>& stores, std::vector<PeerId>* list) {
    for (const uint64_t store : stores) {
      list->emplace_back(10 + store);
      report_.info.region.peers.push_back({PeerId(10 + store), StoreId(store)});
    }
    if (!report_.info.leader) Leader(stores.front());
  }
};

TEST_F(PlacementTest, ThreeVotersOnStoresThatAreUpAreAllThatIsWanted) {
  Voters({1, 2, 3});
  EXPECT_EQ(Plan(), "done");
  Behind({2, 3});
  EXPECT_EQ(Plan(), "done") << "they are not replaced for being slow";
}

TEST_F(PlacementTest, NewReplicasGoWhereThereAreFewestAndSomebodyAnswers) {
  Voters({1});
  S(2).replicas = 4;
  S(3).answers = false;
  S(3).replicas = 0;
  S(5).replicas = 0;
  EXPECT_EQ(Plan(), "learner on 5");
  S(5).replicas = 1;
  EXPECT_EQ(Plan(), "learner on 4") << "of equals the first";
  Drain(4);
  EXPECT_EQ(Plan(), "learner on 5");
  Drain(5);
  EXPECT_EQ(Plan(), "learner on 2");
  S(2).answers = false;
  EXPECT_EQ(Plan(), "waits for store 3, which does not answer");
}

TEST_F(PlacementTest, OneChangeAtATime) {
  Voters({1});
  report_.changing = true;
  EXPECT_EQ(Plan(), "waits for a change that is under way");
  report_.changing = false;
  report_.conf.voters_outgoing = {PeerId(11)};
  EXPECT_EQ(Plan(), "waits for a change that is under way");
}

TEST_F(PlacementTest, ALearnerIsPromotedWhenItHasCaughtUp) {
  Voters({1});
  Learners({2});
  Behind({2});
  EXPECT_EQ(Plan(), "waits for store 2 to catch up");
  report_.behind.clear();
  EXPECT_EQ(Plan(), "promote 2");
}

TEST_F(PlacementTest, ALearnerThatNobodyWaitsForGoes) {
  Voters({1, 2, 3});
  Learners({4});
  EXPECT_EQ(Plan(), "remove 4") << "there are enough voters";
  Drain(3);
  EXPECT_EQ(Plan(), "promote 4, remove 3");
  Drain(4);
  EXPECT_EQ(Plan(), "remove 4") << "its store is drained";
}

TEST_F(PlacementTest, ALearnerOnASilentStoreGoesIfThereIsABetterPlace) {
  Voters({1});
  Learners({2});
  Behind({2});
  S(2).answers = false;
  EXPECT_EQ(Plan(), "remove 2");
  Only({1, 2});
  EXPECT_EQ(Plan(), "waits for store 2 to catch up");
}

TEST_F(PlacementTest, AVoterIsReplacedInOneStep) {
  Voters({1, 2, 3});
  Drain(2);
  EXPECT_EQ(Plan(), "learner on 4");
  Learners({4});
  EXPECT_EQ(Plan(), "promote 4, remove 2");
  Leader(2);
  EXPECT_EQ(Plan(), "lead 1");
  Behind({1});
  EXPECT_EQ(Plan(), "lead 3") << "who lags can't lead at once";
}

TEST_F(PlacementTest, OfTwoThatAreToGoTheLostOneGoesFirst) {
  Voters({1, 2, 3});
  Drain(1);
  Only({1, 2, 4, 5});
  Learners({4});
  Leader(2);
  Behind({3});
  EXPECT_EQ(Plan(), "promote 4, remove 3");
}

TEST_F(PlacementTest, ALeaderAloneHandsOverToTheOneThatReplacesIt) {
  Voters({1});
  Learners({2});
  Only({1, 2});
  Drain(1);
  EXPECT_EQ(Plan(), "promote 2");
  report_.conf = {};
  report_.info.region.peers.clear();
  Voters({1, 2});
  EXPECT_EQ(Plan(), "lead 2");
  Behind({2});
  EXPECT_EQ(Plan(), "waits for a voter on another store to catch up");
  report_.behind.clear();
  Leader(2);
  EXPECT_EQ(Plan(), "remove 1");
}

TEST_F(PlacementTest, NobodyGoesWithoutAQuorumOfTheOthers) {
  Voters({1, 2, 3});
  Only({1, 2, 3});
  Drain(3);
  EXPECT_EQ(Plan(), "remove 3") << "there is no store for a third";
  Behind({2});
  EXPECT_EQ(Plan(), "waits for store 2 to catch up");
  Behind({3});
  EXPECT_EQ(Plan(), "waits for store 2 to catch up");
}

TEST_F(PlacementTest, VotersBeyondWhatIsWantedGo) {
  Voters({1, 2, 3, 4});
  S(1).replicas = 9;
  S(3).replicas = 8;
  EXPECT_EQ(Plan(), "remove 3") << "the fullest, except for the leader's";
  Behind({4});
  EXPECT_EQ(Plan(), "remove 4") << "who lags first";
}

TEST_F(PlacementTest, WithoutAStoreThatIsUpNothingMoves) {
  Voters({1, 2});
  Only({1, 2});
  Drain(1);
  Drain(2);
  EXPECT_EQ(Plan(), "waits for a store that is up");
}

}  // namespace
}  // namespace flaredb::cluster
