// SPDX-License-Identifier: Apache-2.0
// Groups that rest, and what wakes them.
#include <set>
#include <string>
#include <vector>

#include "core/store/store_beats.h"
#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

class StoreRest : public MembersTest {
 protected:
  static Options Resting() {
    Options options;
    options.raft.rest_after = Duration::Seconds(1);
    options.follower_reads = true;
    return options;
  }
  StoreRest() : MembersTest(Resting()) {
    Fill(1);
    AwaitRest();
  }

  bool Rests(uint64_t store) { return stores_.peer(store).raft.resting; }
  bool AllRest() { return Rests(1) && Rests(2) && Rests(3); }
  void AwaitRest() {
    Await([&] { return AllRest(); });
  }
  // Somebody who is not the leader claims to be, in its term.
  void Poison(uint64_t store) {
    const uint64_t liar = store == follower_ ? other_ : follower_;
    stores_.Turn(store, {Message(liar, store, stores_.peer(store).raft.term,
                                 raft::HeartbeatRequest{1, 1, {}})});
    EXPECT_TRUE(stores_.peer(store).poisoned);
  }
};

TEST_F(StoreRest, ARestingGroupIsSilent) {
  stores_.Pass(Duration::Seconds(1));
  const size_t before = stores_.sent<RaftEnvelope>();
  const size_t beats = stores_.sent<StoreBeat>();
  const Duration interval = raft::Config().heartbeat_interval;
  for (int i = 0; i < 100; ++i) {
    for (const uint64_t store : {1, 2, 3}) {
      EXPECT_GT(stores_.store(store).next_deadline(), stores_.now());
      EXPECT_LE(stores_.store(store).next_deadline(), stores_.now() + interval);
    }
    EXPECT_EQ(stores_.store(4).next_deadline(), Instant::Max());
    stores_.Pass(interval);
  }
  EXPECT_EQ(stores_.sent<RaftEnvelope>(), before);
  EXPECT_EQ(stores_.sent<StoreBeat>(), beats + 100 * 3 * 2) << "one from each to each";
  EXPECT_TRUE(AllRest());
}

TEST_F(StoreRest, EnteringRestCostsNoMoreBeatsThanResting) {
  const CallId call = stores_.Call(leader_, Get("k0"));
  stores_.Settle();
  ASSERT_NE(stores_.reply(call), nullptr);
  Await([&] { return !Rests(1) && !Rests(2) && !Rests(3); });
  stores_.Pass(Duration::Milliseconds(200));
  const size_t beats = stores_.sent<StoreBeat>();
  while (!Rests(leader_)) stores_.Pass(Duration::Milliseconds(1));
  EXPECT_LE(stores_.sent<StoreBeat>(), beats + 6);
}

TEST(StoreThatRests, OnlyIfItIsToldTo) {
  Stores stores(3);
  const uint64_t leader = stores.AwaitLeader();
  const size_t before = stores.sent<raft::HeartbeatRequest>();
  stores.Pass(Duration::Seconds(100));
  EXPECT_FALSE(stores.peer(leader).raft.resting);
  EXPECT_GE(stores.sent<raft::HeartbeatRequest>(), before + 2 * 990);
  EXPECT_EQ(stores.sent<StoreBeat>(), 0u);
}

TEST_F(StoreRest, AWriteWakesTheGroupAndIsAnsweredAtOnce) {
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("a", "v")))).version, kv::Version(1));
  EXPECT_FALSE(Rests(leader_) || Rests(follower_) || Rests(other_));
  AwaitRest();
  EXPECT_EQ(stores_.UserRows(follower_), stores_.UserRows(leader_)) << "nobody rests behind";
  EXPECT_EQ(WriteOf(stores_.Ask(follower_, Make(Swap("b", "v")))).version, kv::Version(1));
  AwaitRest();
}

TEST_F(StoreRest, AReadWakesTheGroupAndIsAnsweredAtOnce) {
  for (const uint64_t store : {leader_, follower_, other_}) {
    EXPECT_EQ(ValueOf(stores_.Ask(store, Get("k0"))), "v");
    EXPECT_FALSE(Rests(leader_));
    AwaitRest();
  }
}

TEST_F(StoreRest, AnOrderWakesTheGroup) {
  EXPECT_EQ(Transfer(follower_), "");
  stores_.Settle();
  EXPECT_TRUE(stores_.leads(follower_));
  leader_ = follower_;
  AwaitRest();
  EXPECT_EQ(AddLearner(4, 4), "");
  Await([&] { return stores_.hosts(4) && Rests(4) && AllRest(); });
  EXPECT_EQ(stores_.UserRows(4), stores_.UserRows(leader_));
}

TEST_F(StoreRest, TheSilenceOfTheLeadersStoreWakesTheOthers) {
  stores_.Isolate(leader_);
  Await([&] { return stores_.leads(follower_) || stores_.leads(other_); });
  EXPECT_EQ(ValueOf(stores_.Ask(follower_, Get("k0"))), "v");
}

TEST_F(StoreRest, SilenceIsNoticedAfterAnElectionTimeout) {
  const raft::Config config;
  stores_.Isolate(leader_);
  stores_.Pass(config.election_timeout - config.heartbeat_interval);
  EXPECT_TRUE(Rests(follower_));
  stores_.Pass(config.heartbeat_interval * 2);
  EXPECT_FALSE(Rests(follower_));
}

// Groups may have come to rest with it since it was told first, and nobody else wakes them.
TEST(StoreBeatsTest, AStoreThatStaysSilentIsToldAgain) {
  const raft::Config config;
  StoreBeats beats(config);
  Instant now = Instant::FromNanoseconds(1);
  beats.Arm(now);
  int told = 0;
  for (int i = 0; i <= 3 * 5; ++i) {
    told += static_cast<int>(beats.Beat(now, {StoreId(2)}).size());
    now = now + config.election_timeout / 5;
  }
  EXPECT_EQ(told, 3);
}

TEST_F(StoreRest, TheSilenceOfAFollowersStoreWakesTheLeaderAndEndsTheBeats) {
  stores_.Isolate(follower_);
  Await([&] { return !Rests(leader_) && !Rests(other_) && !Rests(follower_); });
  stores_.Pass(Duration::Seconds(1));
  const size_t beats = stores_.sent<StoreBeat>();
  stores_.Pass(Duration::Seconds(5));
  EXPECT_FALSE(Rests(leader_)) << "somebody is missing";
  EXPECT_EQ(stores_.sent<StoreBeat>(), beats);
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k0"))), "v");
  stores_.Heal();
  AwaitRest();
}

TEST_F(StoreRest, ARestartedStoreIsTakenInAgain) {
  for (const uint64_t store : {leader_, follower_}) {
    AwaitRest();
    stores_.Restart(store);
    AwaitRest();
    AwaitNewLeader();
    EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k0"))), "v");
  }
}

TEST_F(StoreRest, ABeatFromAnotherLifeOfAStoreWakesItsGroups) {
  stores_.Pass(Duration::Seconds(1));
  stores_.Turn(follower_, {MessageReceived{StoreId(leader_), StoreBeat{12345, {}}}});
  EXPECT_FALSE(Rests(follower_));
  EXPECT_TRUE(Rests(other_));
  stores_.Turn(other_, {MessageReceived{StoreId(5), StoreBeat{1, {}}},
                        MessageReceived{StoreId(5), StoreBeat{2, {}}}});
  EXPECT_TRUE(Rests(other_)) << "it has no part in the group";
}

TEST_F(StoreRest, OneWhoseReplicaIsDeadSaysSo) {
  Poison(follower_);
  EXPECT_TRUE(Rests(leader_));
  stores_.Pass(raft::Config().heartbeat_interval * 2);
  EXPECT_FALSE(Rests(leader_));
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k0"))), "v");
}

TEST_F(StoreRest, ADeadLeaderIsReplaced) {
  Poison(leader_);
  Await([&] { return stores_.leads(follower_) || stores_.leads(other_); });
  EXPECT_EQ(ValueOf(stores_.Ask(follower_, Get("k0"))), "v");
}

// Each tells the other that it is dead; neither has anything to do about it.
TEST_F(StoreRest, TwoDeadReplicasLeaveEachOtherAlone) {
  Poison(follower_);
  Poison(other_);
  stores_.Pass(Duration::Seconds(2));
  const size_t beats = stores_.sent<StoreBeat>();
  stores_.Pass(Duration::Seconds(1));
  EXPECT_LE(stores_.sent<StoreBeat>(), beats + 3 * 2 * 10);
}

TEST_F(StoreRest, ABeatThatNobodyWaitedForDoesNotDisturbTheNextRest) {
  stores_.Ask(leader_, Get("k0"));
  stores_.Pass(Duration::Milliseconds(500));
  ASSERT_FALSE(Rests(leader_));
  // Late: the beats have stopped.
  stores_.Turn(leader_, {MessageReceived{StoreId(follower_), StoreBeat{7, {}}}});
  AwaitRest();
  const size_t before = stores_.sent<RaftEnvelope>();
  stores_.Pass(Duration::Seconds(3));
  EXPECT_EQ(stores_.sent<RaftEnvelope>(), before);
}

}  // namespace
}  // namespace flaredb::store
