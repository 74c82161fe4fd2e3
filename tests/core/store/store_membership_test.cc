// SPDX-License-Identifier: Apache-2.0
// Replicas come, change their part, and go.
#include <memory>
#include <utility>
#include <vector>

#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

class StoreMembership : public MembersTest {
 protected:
  // The removed peer's store hears nothing of it.
  void RemoveUnheard(uint64_t peer) {
    stores_.Isolate(peer);
    EXPECT_EQ(Remove(peer), "");
    stores_.Settle();
    EXPECT_FALSE(conf(leader_).IsMember(PeerId(peer)));
    stores_.Heal();
    stores_.DropAll();
    EXPECT_TRUE(stores_.hosts(peer));
  }
};

// --- Joining.

TEST_F(StoreMembership, ALearnerOnAnEmptyStoreGetsTheRegionBySnapshot) {
  Fill(5);
  EXPECT_EQ(AddLearner(4, 4), "");
  Await([&] { return stores_.hosts(4) && stores_.UserRows(4) == stores_.UserRows(leader_); });
  EXPECT_GT(stores_.sent<raft::SnapshotRequest>(), 0u);
  EXPECT_EQ(stores_.UserRows(4).size(), 5u);
  EXPECT_EQ(conf(4).learners, std::vector<PeerId>{PeerId(4)});
  EXPECT_EQ(ValueOf(stores_.Ask(4, Get("k4"))), "v");
  EXPECT_EQ(WriteOf(stores_.Ask(4, Make(Swap("k5", "w")))).version, kv::Version(1));
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_EQ(stores_.UserRows(4), stores_.UserRows(leader_));
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreMembership, AnUninitializedReplicaServesNobody) {
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Deliver(leader_, 4);
  ASSERT_TRUE(stores_.hosts(4));
  EXPECT_EQ(ErrorOf(stores_.Ask(4, In(1, {1, 1}, Get("k")))).code, ErrorCode::kRegionNotFound);
}

TEST_F(StoreMembership, ACaughtUpLearnerIsPromotedAndCounts) {
  EXPECT_EQ(AddLearner(4, 4), "");
  EXPECT_NE(Promote(4), "") << "nobody has met it yet";
  Await([&] { return Promote(4).empty(); });
  Await([&] { return !conf(leader_).joint(); });
  EXPECT_EQ(conf(leader_).voters.size(), 4u);
  stores_.Isolate(follower_);
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k", "v")))).version, kv::Version(1));
  stores_.Isolate(4);
  const CallId call = stores_.Call(leader_, Make(Swap("l", "v")));
  stores_.Settle();
  EXPECT_EQ(stores_.reply(call), nullptr) << "two of four are no quorum";
}

TEST_F(StoreMembership, CreationThatWasNotDurableIsForgottenAndRepeated) {
  Fill(3);
  stores_.HoldDisk(4);
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Settle();
  EXPECT_TRUE(stores_.hosts(4));
  stores_.Restart(4);
  EXPECT_FALSE(stores_.hosts(4));
  stores_.FreeDisk(4);
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
}

TEST_F(StoreMembership, ALearnerSurvivesARestartBeforeItsSnapshot) {
  Fill(3);
  stores_.HoldDisk(4);
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Deliver(leader_, 4);
  stores_.FreeDisk(4);
  stores_.DropAll();
  stores_.Restart(4);
  ASSERT_TRUE(stores_.hosts(4));
  EXPECT_EQ(stores_.peer(4).peer, PeerId(4));
  EXPECT_EQ(stores_.peer(4).applied_index, Index());
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
}

TEST_F(StoreMembership, ALearnerSurvivesARestartBeforeItsSnapshotIsInstalled) {
  Fill(3);
  EXPECT_EQ(AddLearner(4, 4), "");
  while (stores_.sent<raft::SnapshotRequest>() == 0) ASSERT_TRUE(stores_.Step());
  stores_.HoldDisk(4);
  stores_.Settle();
  EXPECT_GT(stores_.peer(4).applied_index, Index()) << "in memory it is installed";
  stores_.Restart(4);
  stores_.FreeDisk(4);
  EXPECT_EQ(stores_.peer(4).applied_index, Index());
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
}

TEST_F(StoreMembership, ALearnerThatWasInstalledNeedsNoSecondSnapshotAfterARestart) {
  Fill(3);
  EXPECT_EQ(AddLearner(4, 4), "");
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
  stores_.Pass(Duration::Milliseconds(300));
  const size_t sent = stores_.sent<raft::SnapshotRequest>();
  stores_.Restart(4);
  EXPECT_EQ(stores_.peer(4).raft.conf.learners, std::vector<PeerId>{PeerId(4)});
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("late", "v")))).version, kv::Version(1));
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
  EXPECT_EQ(stores_.sent<raft::SnapshotRequest>(), sent);
}

// The leader's disk is behind, so the snapshot is older than the configuration with the learner.
// The ones in between leave the learner out, and one of them even removes somebody.
TEST_F(StoreMembership, OlderConfigurationsDoNotDestroyALearner) {
  Fill(3);
  stores_.Pass(Duration::Milliseconds(300));
  stores_.HoldDisk(leader_);
  for (const raft::MemberChange& change :
       std::vector<raft::MemberChange>{{Kind::kAddLearner, PeerId(5), StoreId(5)},
                                       {Kind::kRemove, PeerId(5), {}},
                                       {Kind::kAddLearner, PeerId(4), StoreId(4)}}) {
    stores_.Isolate(5);
    EXPECT_EQ(Change({change}), "");
    stores_.Settle();
  }
  Await([&] { return stores_.peer(4).applied_index >= stores_.peer(leader_).raft.conf_index; });
  EXPECT_LT(stores_.peer(4).raft.base.index, stores_.peer(leader_).raft.conf_index);
  EXPECT_EQ(conf(4), conf(leader_));
  stores_.FreeDisk(leader_);
  stores_.Pass(Duration::Seconds(1));
  EXPECT_EQ(stores_.UserRows(4), stores_.UserRows(leader_));
  stores_.Restart(4);
  EXPECT_TRUE(stores_.hosts(4));
}

// --- Leaving.

TEST_F(StoreMembership, ARemovedFollowerIsToldByTheLeaderAtOnce) {
  Fill(3);
  EXPECT_EQ(Remove(follower_), "");
  stores_.Settle();
  ExpectGone(follower_, follower_);
  EXPECT_GT(stores_.sent<PeerRemoved>(), 0u);
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k0"))), "v");
  EXPECT_EQ(conf(leader_).voters.size(), 2u);
}

TEST_F(StoreMembership, ALeaderThatRemovesItselfGoesWhenItAppliesThat) {
  Fill(3);
  EXPECT_EQ(Remove(leader_), "");
  while (stores_.Step()) {
    for (const uint64_t store : {follower_, other_}) {
      std::erase_if(stores_.link(store, leader_), [](const StoreMessage& message) {
        return std::holds_alternative<PeerRemoved>(message);
      });
    }
  }
  ExpectGone(leader_, leader_);
  const uint64_t leader = stores_.AwaitLeader();
  EXPECT_NE(leader, leader_);
  EXPECT_EQ(ValueOf(stores_.Ask(leader, Get("k2"))), "v");
}

// It has no one to ask, and nobody follows it any more.
TEST_F(StoreMembership, ALeaderThatDiesBetweenItsRemovalAndItsEndGoesWhenItStarts) {
  Fill(1);
  stores_.HoldDisk(leader_);
  EXPECT_EQ(Remove(leader_), "");
  stores_.Settle();
  ASSERT_FALSE(stores_.hosts(leader_));
  while (stores_.writes_pending(leader_) > 1) stores_.WriteNext(leader_);
  stores_.DropAll();
  stores_.Restart(leader_);
  ASSERT_TRUE(stores_.hosts(leader_)) << "its end was the last write";
  stores_.FreeDisk(leader_);
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_FALSE(stores_.hosts(leader_));
  EXPECT_TRUE(stores_.UserRows(leader_).empty());
}

TEST_F(StoreMembership, APeerThatMissedItsRemovalIsToldByThoseItAsks) {
  Fill(3);
  RemoveUnheard(follower_);
  const Term term = stores_.peer(leader_).raft.term;
  Await([&] { return !stores_.hosts(follower_); });
  ExpectGone(follower_, follower_);
  EXPECT_EQ(stores_.peer(leader_).raft.term, term) << "it disturbed nobody";
}

// It has the change in its log, and nobody is left to tell it that this is committed.
TEST_F(StoreMembership, SoIsOneThatHeardOfTheChangeAndNotThatItIsCommitted) {
  Fill(3);
  EXPECT_EQ(Remove(follower_), "");
  stores_.Deliver(leader_, follower_);
  stores_.Isolate(follower_);
  stores_.Settle();
  EXPECT_FALSE(conf(leader_).IsMember(PeerId(follower_)));
  ASSERT_TRUE(conf(follower_).joint());
  stores_.Heal();
  stores_.DropAll();
  Await([&] { return !stores_.hosts(follower_); });
  ExpectGone(follower_, follower_);
}

TEST_F(StoreMembership, LateMessagesDoNotBringARemovedPeerBack) {
  Fill(3);
  EXPECT_EQ(Remove(follower_), "");
  stores_.Settle();
  const Term term = stores_.peer(leader_).raft.term;
  const auto chunk = std::make_shared<raft::SnapshotChunk>();
  for (const bool restarted : {false, true}) {
    if (restarted) stores_.Restart(follower_);
    for (const uint64_t peer : {follower_, follower_ - 1}) {
      stores_.Turn(follower_, {Message(leader_, peer, term, raft::HeartbeatRequest{1, 1, {}}),
                               Message(leader_, peer, term, raft::AppendRequest{}),
                               Message(leader_, peer, term, raft::SnapshotRequest{1, 1, chunk}),
                               Message(other_, peer, term, raft::VoteRequest{})});
      EXPECT_FALSE(stores_.hosts(follower_)) << "peer " << peer << " restarted " << restarted;
    }
    stores_.Pass(Duration::Seconds(1));
    ExpectGone(follower_, follower_);
  }
}

TEST_F(StoreMembership, OnlyALeadersMessagesCreateAReplica) {
  const Term term = stores_.peer(leader_).raft.term;
  stores_.Turn(4, {Message(leader_, 4, term, raft::VoteRequest{}),
                   Message(leader_, 4, term, raft::PreVoteRequest{}),
                   Message(leader_, 4, term, raft::HeartbeatReply{}),
                   Message(leader_, 4, term, raft::TimeoutNow{})});
  EXPECT_FALSE(stores_.hosts(4));
  stores_.Turn(4, {Message(leader_, 4, term, raft::HeartbeatRequest{1, 1, {}})});
  EXPECT_TRUE(stores_.hosts(4));
}

// Or a voter whose rows lag behind its log could be kept from being elected for ever.
TEST_F(StoreMembership, AStrangerOfAnEarlierVersionIsToldAndHeard) {
  Fill(3);
  ASSERT_EQ(AddLearner(4, 4), "");
  Await([&] { return stores_.peer(follower_).raft.conf.IsMember(PeerId(4)); });
  stores_.Settle();
  const size_t told = stores_.sent<PeerRemoved>();
  const Term later = stores_.peer(follower_).raft.term.next();
  stores_.Turn(follower_, {Message(9, follower_, later, raft::HeartbeatRequest{1, 1, {}})});
  EXPECT_EQ(stores_.sent<PeerRemoved>(), told + 1);
  EXPECT_EQ(stores_.peer(follower_).raft.term, later);
}

TEST_F(StoreMembership, ALaterPeerOnTheSameStoreReplacesOneThatDoesNotKnow) {
  Fill(3);
  RemoveUnheard(follower_);
  EXPECT_EQ(AddLearner(7, follower_), "");
  // Sooner than it could miss its leader and ask.
  stores_.Pass(Duration::Milliseconds(250));
  ASSERT_TRUE(stores_.hosts(follower_));
  EXPECT_EQ(stores_.peer(follower_).peer, PeerId(7));
  Await([&] { return stores_.UserRows(follower_) == stores_.UserRows(leader_); });
  Await([&] { return Promote(7).empty(); });
  stores_.Pass(Duration::Seconds(1));
  stores_.Restart(follower_);
  EXPECT_EQ(stores_.peer(follower_).peer, PeerId(7));
  EXPECT_TRUE(conf(follower_).IsVoter(PeerId(7)));
  // What is late for the first one does not touch the second.
  stores_.Turn(follower_,
               {MessageReceived{StoreId(leader_), PeerRemoved{RegionId(1), PeerId(follower_), 9}}});
  EXPECT_TRUE(stores_.hosts(follower_));
}

TEST_F(StoreMembership, AStoreMayTakeUpTheRegionAgainUnderANewPeer) {
  Fill(3);
  EXPECT_EQ(Remove(follower_), "");
  stores_.Settle();
  stores_.Restart(follower_);
  EXPECT_EQ(AddLearner(7, follower_), "");
  Await([&] { return stores_.UserRows(follower_) == stores_.UserRows(leader_); });
  EXPECT_EQ(stores_.peer(follower_).peer, PeerId(7));
  ASSERT_TRUE(stores_.Recovered(follower_).ok());
  EXPECT_TRUE(stores_.Recovered(follower_)->tombstones.empty());
}

TEST_F(StoreMembership, SeveralChangesAreOneStep) {
  Fill(3);
  EXPECT_EQ(AddLearner(4, 4), "");
  Await([&] {
    return Change({{Kind::kPromote, PeerId(4), {}}, {Kind::kRemove, PeerId(follower_), {}}})
        .empty();
  });
  Await([&] { return !conf(leader_).joint(); });
  ExpectGone(follower_, follower_);
  EXPECT_EQ(conf(leader_).voters.size(), 3u);
  EXPECT_TRUE(conf(leader_).IsVoter(PeerId(4)));
}

TEST_F(StoreMembership, WordOfARemovalCountsOnlyForMembersOfAnEarlierVersion) {
  const auto told = [&](uint64_t store, uint64_t peer, uint64_t conf_version) {
    stores_.Turn(store, {MessageReceived{StoreId(leader_),
                                         PeerRemoved{RegionId(1), PeerId(peer), conf_version}}});
    stores_.Settle();
    return !stores_.hosts(store);
  };
  // A learner that knows nothing yet may only be about to learn that it joined.
  EXPECT_EQ(AddLearner(4, 4), "");
  stores_.Deliver(leader_, 4);
  EXPECT_FALSE(told(4, 4, 1));
  Await([&] { return stores_.UserRows(4) == stores_.UserRows(leader_); });
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_FALSE(told(4, 4, 1)) << "it joined at version 2";
  EXPECT_FALSE(told(follower_, other_, 9)) << "that is somebody else";
  EXPECT_TRUE(told(follower_, follower_, 9));
}

// --- Calls.

TEST_F(StoreMembership, CallsAtADestroyedReplicaAreAnsweredOnce) {
  stores_.Isolate(leader_);
  const std::vector<CallId> calls = {
      stores_.Call(leader_, Make(Swap("a", "v"))),
      stores_.Call(leader_, Make(Named(Swap("b", "v"), 1))),
      stores_.Call(leader_, Get("a")),
      stores_.Call(leader_, Make(Swap("c", "v"), Duration::Seconds(60))),
  };
  for (const CallId call : calls) EXPECT_EQ(stores_.reply(call), nullptr);
  Event removed = MessageReceived{StoreId(other_), PeerRemoved{RegionId(1), PeerId(leader_), 9}};
  Event late = ClientCall{CallId(900), Make(Swap("d", "v"))};
  stores_.Turn(leader_, {std::move(removed), std::move(late)});
  stores_.Settle();
  EXPECT_FALSE(stores_.hosts(leader_));
  stores_.Pass(Duration::Seconds(1));
  for (const CallId call : calls) {
    ASSERT_NE(stores_.reply(call), nullptr) << call;
    const bool read = call == calls[2];
    EXPECT_EQ(ErrorOf(*stores_.reply(call)).outcome,
              read ? Outcome::kNotApplied : Outcome::kUnknown);
  }
  EXPECT_NE(stores_.reply(CallId(900)), nullptr);
  EXPECT_EQ(ErrorOf(stores_.Ask(leader_, Get("a"))).code, ErrorCode::kRegionNotFound);
  EXPECT_EQ(stores_.store(leader_).waiting_calls(), 0u);
}

// A parked call is at no replica when its replica goes.
TEST_F(StoreMembership, ParkedCallsOfADestroyedReplicaAreAnsweredOnce) {
  stores_.Isolate(follower_);
  stores_.Pass(Duration::Seconds(3));
  const CallId call = stores_.Call(follower_, Make(Swap("a", "v")));
  EXPECT_EQ(stores_.reply(call), nullptr);
  stores_.Turn(follower_,
               {MessageReceived{StoreId(leader_), PeerRemoved{RegionId(1), PeerId(follower_), 9}}});
  stores_.Pass(Duration::Seconds(1));
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(ErrorOf(*stores_.reply(call)).code, ErrorCode::kRegionNotFound);
  EXPECT_EQ(stores_.store(follower_).waiting_calls(), 0u);
}

}  // namespace
}  // namespace flaredb::store
