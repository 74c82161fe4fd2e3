// SPDX-License-Identifier: Apache-2.0
// ORDER: which orders make sense.
#include "sim/invariants/orders.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

using raft::MemberChange;
using Kind = MemberChange::Kind;

// Given to replica 101, which leads voters 102 and 103 and learner 104, and may change them.
class OrdersTest : public testing::Test {
 protected:
  OrdersTest() {
    leader_.id = PeerId(101);
    leader_.role = raft::Role::kLeader;
    leader_.conf = Conf({101, 102, 103}, {}, {104});
    leader_.conf_index = leader_.commit_index = Index(5);
  }

  // What is said of an order that was begun, and of one that was refused.
  std::string Begun(store::Order order) const { return Told(std::move(order), ""); }
  std::string Refused(store::Order order) const { return Told(std::move(order), "no"); }
  std::string Told(store::Order order, const std::string& refusal) const {
    return BrokenOrder("store 1", leader_, own_entry_, order, refusal).value_or("");
  }

  static MemberChange Wish(Kind kind, uint64_t peer, uint64_t store = 0) {
    return {kind, PeerId(peer), StoreId(store)};
  }
  static store::Order Change(std::vector<MemberChange> changes) {
    store::Order order;
    order.what = store::ChangePeers{std::move(changes)};
    return order;
  }
  static store::Order Transfer(uint64_t target) {
    store::Order order;
    order.what = store::TransferLeader{PeerId(target)};
    return order;
  }

  raft::View leader_;
  bool own_entry_ = true;
};

TEST_F(OrdersTest, ARecoveryIsForTheOneThatWasChosenAsItWasThen) {
  leader_.role = raft::Role::kFollower;
  leader_.term = Term(4);
  leader_.last_log = {Term(3), Index(7)};
  raft::RecoveryPlan plan;
  plan.chosen = leader_.id;
  plan.chosen_log = leader_.last_log;
  plan.term = Term(5);
  const auto order = [&plan] {
    store::Order order;
    order.what = plan;
    return order;
  };
  EXPECT_NE(Refused(order()), "");
  EXPECT_EQ(Begun(order()), "");
  leader_.term = Term(5);
  EXPECT_NE(Begun(order()), "");
  leader_.term = Term(4);
  leader_.last_log.index = Index(8);
  EXPECT_NE(Begun(order()), "");
  leader_.last_log.index = Index(7);
  plan.chosen = PeerId(102);
  EXPECT_NE(Begun(order()), "");
  EXPECT_EQ(Refused(order()), "");
}

TEST_F(OrdersTest, WhatMakesSenseMayNotBeRefused) {
  const store::Order sound[] = {
      Change({Wish(Kind::kRemove, 102)}),
      Change({Wish(Kind::kDemote, 101), Wish(Kind::kRemove, 104)}),
      Change({Wish(Kind::kAddLearner, 105, 5), Wish(Kind::kRemove, 103)}),
      Transfer(102),
  };
  for (const store::Order& order : sound) {
    EXPECT_EQ(Begun(order), "");
    EXPECT_EQ(Refused(order), "store 1 refuses an order that nothing is wrong with: 'no'.");
  }
}

TEST_F(OrdersTest, ALearnerMayBeTooLate) {
  EXPECT_EQ(Begun(Change({Wish(Kind::kPromote, 104)})), "");
  EXPECT_EQ(Refused(Change({Wish(Kind::kPromote, 104)})), "");
}

TEST_F(OrdersTest, NonsenseHasToBeRefused) {
  const std::pair<store::Order, std::string> cases[] = {
      {Change({}), "it changes nothing"},
      {Change({Wish(Kind::kRemove, 102), Wish(Kind::kDemote, 102)}), "it names a peer twice"},
      {Change({Wish(Kind::kPromote, 105)}), "it names a stranger"},
      {Change({Wish(Kind::kPromote, 102)}), "it gives a peer the place that it has"},
      {Change({Wish(Kind::kDemote, 104)}), "it gives a peer the place that it has"},
      {Change({Wish(Kind::kRemove, 101), Wish(Kind::kRemove, 102), Wish(Kind::kDemote, 103)}),
       "it leaves no voter"},
      {Change({Wish(Kind::kAddLearner, 105)}), "a new peer needs a store"},
      {Change({Wish(Kind::kAddLearner, 104, 5)}), "a new peer's id is not above all others"},
      {Change({Wish(Kind::kAddLearner, 105, 4)}), "the new peer's store has one"},
      {Change({Wish(Kind::kAddLearner, 105, 5), Wish(Kind::kAddLearner, 106, 5)}),
       "a store gets two new peers"},
      {Transfer(101), "the target leads"},
      {Transfer(104), "the target is no voter"},
      {Transfer(105), "the target is no voter"},
  };
  for (const auto& [order, why] : cases) {
    EXPECT_EQ(Begun(order),
              "store 1 begins to carry out an order that makes no sense: " + why + ".");
    EXPECT_EQ(Refused(order), "");
  }
}

TEST_F(OrdersTest, AChangeHasItsTime) {
  const store::Order change = Change({Wish(Kind::kRemove, 102)});
  const auto wrong_now = [&] { return !Begun(change).empty() && Refused(change).empty(); };
  EXPECT_FALSE(wrong_now());
  leader_.conf_index = Index(6);
  EXPECT_TRUE(wrong_now());
  leader_.conf_index = Index(5);
  leader_.conf.voters_outgoing = {PeerId(101)};
  EXPECT_TRUE(wrong_now());
  leader_.conf.voters_outgoing.clear();
  leader_.transferee = PeerId(103);
  EXPECT_TRUE(wrong_now());
  leader_.transferee = PeerId();
  own_entry_ = false;
  EXPECT_TRUE(wrong_now());
  own_entry_ = true;
  leader_.role = raft::Role::kFollower;
  EXPECT_TRUE(wrong_now());
}

TEST_F(OrdersTest, OneTransferAtATime) {
  leader_.transferee = PeerId(103);
  EXPECT_NE(Begun(Transfer(102)), "");
  EXPECT_EQ(Refused(Transfer(102)), "");
  EXPECT_EQ(Begun(Transfer(103)), "");
  own_entry_ = false;  // For a transfer that does not matter.
  EXPECT_EQ(Begun(Transfer(103)), "");
}

TEST_F(OrdersTest, AChangeDoesWhatItSays) {
  const store::ChangePeers order{
      {Wish(Kind::kDemote, 102), Wish(Kind::kPromote, 104), Wish(Kind::kRemove, 103)}};
  raft::View after = leader_;
  const auto done = [&](raft::ConfState conf) {
    after.conf = std::move(conf);
    return BrokenChange("store 1", leader_, after, order) == std::nullopt;
  };
  EXPECT_TRUE(done(Conf({101, 104}, {101, 102, 103}, {102})));
  EXPECT_TRUE(done(Conf({101, 104}, {}, {102})));
  EXPECT_FALSE(done(leader_.conf));
  EXPECT_FALSE(done(Conf({101, 104}, {101, 102, 103}, {})));  // 102 was removed.
  EXPECT_FALSE(done(Conf({101, 104}, {101, 102, 103}, {102, 103})));
  EXPECT_FALSE(done(Conf({101, 102, 104}, {101, 102, 103}, {})));
}

}  // namespace
}  // namespace flaredb::sim
