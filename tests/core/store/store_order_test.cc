// SPDX-License-Identifier: Apache-2.0
// Orders: what they begin, and the sentences that refuse them.
#include <string>
#include <utility>
#include <vector>

#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

class StoreOrder : public MembersTest {};

TEST_F(StoreOrder, AStoreWithoutAReplicaRefuses) {
  EXPECT_EQ(stores_.Tell(4, TransferLeader{PeerId(1)}), "there is no replica of the region here");
  EXPECT_EQ(stores_.Tell(leader_, TransferLeader{PeerId(1)}, 9),
            "there is no replica of the region here");
}

TEST_F(StoreOrder, AReplicaThatDoesNotLeadRefuses) {
  const std::string sentence = "the replica here does not lead; send the order to the leader";
  EXPECT_EQ(stores_.Tell(follower_, TransferLeader{PeerId(follower_)}), sentence);
  EXPECT_EQ(stores_.Tell(follower_, ChangePeers{{{Kind::kRemove, PeerId(other_), {}}}}), sentence);
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Deliver(leader_, 4);
  ASSERT_TRUE(stores_.hosts(4));
  EXPECT_EQ(stores_.Tell(4, TransferLeader{PeerId(4)}), sentence) << "nor an uninitialized one";
}

TEST_F(StoreOrder, EveryRefusedChangeHasItsSentence) {
  const std::string on_follower = std::to_string(follower_);
  const std::vector<std::pair<std::vector<raft::MemberChange>, std::string>> cases = {
      {{{Kind::kAddLearner, PeerId(4), {}}}, "a new peer needs a store"},
      {{{Kind::kAddLearner, PeerId(4), StoreId(follower_)}},
       "store " + on_follower + " has peer " + on_follower +
           " of the region already; remove that first"},
      {{{Kind::kAddLearner, PeerId(4), StoreId(4)}, {Kind::kAddLearner, PeerId(5), StoreId(4)}},
       "two new peers cannot share store 4"},
      // The old one would have to be gone before the new one comes.
      {{{Kind::kRemove, PeerId(follower_), {}}, {Kind::kAddLearner, PeerId(4), StoreId(follower_)}},
       "store " + on_follower + " has peer " + on_follower +
           " of the region already; remove that first"},
      {{}, "the change names nobody, or somebody twice"},
      {{{Kind::kRemove, PeerId(1), {}}, {Kind::kDemote, PeerId(1), {}}},
       "the change names nobody, or somebody twice"},
      {{{Kind::kAddLearner, PeerId(3), StoreId(4)}},
       "peer ids ascend, and 3 is used already; take a larger one"},
      {{{Kind::kRemove, PeerId(9), {}}}, "the change names a peer that is no member"},
      {{{Kind::kPromote, PeerId(follower_), {}}}, "a voter cannot be promoted"},
      {{{Kind::kRemove, PeerId(1), {}},
        {Kind::kRemove, PeerId(2), {}},
        {Kind::kRemove, PeerId(3), {}}},
       "no voter would be left"},
  };
  const raft::ConfState before = conf(leader_);
  for (const auto& [changes, sentence] : cases) EXPECT_EQ(Change(changes), sentence);
  EXPECT_EQ(conf(leader_), before);
}

TEST_F(StoreOrder, OnlyACaughtUpLearnerIsPromotedAndNoneDemoted) {
  stores_.Isolate(4);
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Settle();
  EXPECT_EQ(Promote(4),
            "the learner does not have the recent log yet; wait until it has caught up");
  EXPECT_EQ(Change({{Kind::kDemote, PeerId(4), {}}}), "a learner cannot be demoted");
}

TEST_F(StoreOrder, OneChangeAtATime) {
  const std::string sentence =
      "an earlier change is not finished; wait until the configuration is no longer joint";
  EXPECT_EQ(Remove(follower_), "");
  EXPECT_EQ(AddLearner(4, 4), sentence);
  EXPECT_EQ(AddLearner(4, follower_), "store " + std::to_string(follower_) + " has peer " +
                                          std::to_string(follower_) +
                                          " of the region already; remove that first");
  stores_.Settle();
  EXPECT_EQ(AddLearner(4, 4), "");
  EXPECT_EQ(AddLearner(5, 5), sentence);
}

TEST_F(StoreOrder, ANewLeaderRefusesChangesUntilItHasCommitted) {
  EXPECT_EQ(Transfer(follower_), "");
  for (int i = 0; i < 100 && !stores_.leads(follower_); ++i) {
    for (const uint64_t id : {leader_, other_}) {
      stores_.Deliver(leader_, id);
      stores_.Deliver(follower_, id);
      stores_.Deliver(id, follower_);
      stores_.FreeDisk(id);
    }
    stores_.FreeDisk(follower_);
  }
  ASSERT_TRUE(stores_.leads(follower_));
  EXPECT_EQ(stores_.Tell(follower_, ChangePeers{{{Kind::kRemove, PeerId(other_), {}}}}),
            "the leader has not committed anything yet; try again in a moment");
}

TEST_F(StoreOrder, LeadershipIsHandedOver) {
  Fill(3);
  EXPECT_EQ(Transfer(follower_), "");
  stores_.Settle();
  EXPECT_TRUE(stores_.leads(follower_));
  EXPECT_FALSE(stores_.leads(leader_));
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k1"))), "v");
}

TEST_F(StoreOrder, ARefusedTransferHasItsSentence) {
  EXPECT_EQ(Transfer(leader_), "the target leads already");
  EXPECT_EQ(Transfer(9), "the target is no voter");
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Settle();
  EXPECT_EQ(Transfer(4), "the target is no voter");
  stores_.Isolate(follower_);
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k", "v")))).version, kv::Version(1));
  EXPECT_EQ(Transfer(follower_), "") << "it waits for the log";
  EXPECT_EQ(Transfer(other_), "leadership is being handed to another peer; try again in a moment");
  EXPECT_EQ(Remove(other_), "leadership is being handed over; try again at the new leader");
  stores_.Pass(Duration::Seconds(1));
  EXPECT_TRUE(stores_.leads(leader_)) << "the target did not take it";
  EXPECT_EQ(Transfer(other_), "");
  stores_.Settle();
  EXPECT_TRUE(stores_.leads(other_));
}

TEST_F(StoreOrder, TheSurvivorOfALostMajorityGoesOn) {
  Fill(2);
  stores_.Pass(Duration::Seconds(1));
  stores_.Isolate(follower_);
  stores_.Pass(Duration::Seconds(5));
  ASSERT_FALSE(stores_.leads(follower_));
  const raft::View report = stores_.peer(follower_).raft;
  const auto planned = raft::PlanRecovery({&report, 1});
  ASSERT_TRUE(std::holds_alternative<raft::RecoveryPlan>(planned));
  const auto& plan = std::get<raft::RecoveryPlan>(planned);
  const std::string refusal =
      "the plan did not choose this replica, or its log or term has moved since; make a new plan "
      "from what all survivors report now";
  EXPECT_EQ(stores_.Tell(other_, plan), refusal);
  EXPECT_EQ(stores_.Tell(follower_, plan), "");
  EXPECT_EQ(stores_.Tell(follower_, plan), refusal) << "it is carried out once";
  stores_.Pass(Duration::Seconds(1));
  EXPECT_TRUE(stores_.leads(follower_));
  EXPECT_EQ(conf(follower_).voters, std::vector<PeerId>{PeerId(follower_)});
  const Reply reply = stores_.Ask(follower_, Make(Swap("k0", "w", 1)));
  EXPECT_EQ(WriteOf(reply).result, kv::WriteResult::kApplied) << "what it had is still there";
}

TEST_F(StoreOrder, APoisonedReplicaTakesNoOrders) {
  stores_.Turn(leader_, {Message(follower_, leader_, stores_.peer(leader_).raft.term,
                                 raft::HeartbeatRequest{1, 1, {}})});
  ASSERT_TRUE(stores_.peer(leader_).poisoned);
  EXPECT_NE(Remove(follower_), "");
  EXPECT_NE(Transfer(follower_), "");
}

}  // namespace
}  // namespace flaredb::store
