// SPDX-License-Identifier: Apache-2.0
// What hardly ever happens: calls too early, too late, twice or to the wrong replica, and states
// that the network brings about once in a year.
#include <optional>
#include <string>
#include <variant>

#include "core/base/check.h"
#include "core/raft/log.h"
#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

const Duration kTimeout = Config().election_timeout;
const Duration kHeartbeat = Config().heartbeat_interval;

// `call` changes nothing in the replica, not even a deadline, and nothing leaves.
template <typename Call>
void ExpectIgnored(Group* group, uint64_t id, Call call) {
  Raft& raft = group->raft(id);
  const uint64_t hash = raft.state_hash();
  const Instant deadline = raft.next_deadline();
  Effects effects;
  call(&raft, group->now(id), &effects);
  EXPECT_TRUE(effects.empty());
  EXPECT_EQ(raft.state_hash(), hash);
  EXPECT_EQ(raft.next_deadline(), deadline);
}

void ExpectIgnored(Group* group, uint64_t id, const Message& message) {
  ExpectIgnored(group, id, [&](Raft* raft, Instant now, Effects* effects) {
    raft->OnMessage(now, Message(message), effects);
  });
}

// --- Calls that do nothing.

TEST(Effects, AreEmptyUntilAnythingIsInThem) {
  Effects effects;
  EXPECT_TRUE(effects.empty());
  const auto expect_full = [&] {
    EXPECT_FALSE(effects.empty());
    effects.Clear();
    EXPECT_TRUE(effects.empty());
  };
  effects.sends.emplace_back();
  expect_full();
  effects.persists.emplace_back();
  expect_full();
  effects.applies.emplace_back();
  expect_full();
  effects.reads.emplace_back();
  expect_full();
  effects.fetches.emplace_back();
  expect_full();
  effects.snapshots.push_back(UnstageSnapshot{});
  expect_full();
  effects.role_change = RoleChange();
  expect_full();
}

// Its store looks who a message is for.
TEST(RaftCorners, AMessageToAnotherReplicaIsNoMessage) {
  Group group(Voters(3));
  group.Elect(1);
  group.MayBePoisoned(2);
  Effects effects;
  group.raft(2).OnMessage(group.now(2), group.From(1, 3, 99, HeartbeatRequest{}), &effects);
  EXPECT_NE(group.raft(2).poison(), "");
  EXPECT_TRUE(effects.empty());
}

TEST(RaftCorners, ADeadlineThatHasNotComeIsHarmless) {
  Group group(Voters(3));
  group.Elect(1);
  group.Settle();
  for (const uint64_t id : {1, 2}) {
    ExpectIgnored(&group, id, [](Raft* raft, Instant now, Effects* effects) {
      raft->OnDeadline(now, effects);
    });
  }
}

TEST(RaftCorners, WakeDoesNothingInAGroupThatDoesNotRest) {
  Group group(Voters(3));
  const auto wake = [](Raft* raft, Instant now, Effects* effects) { raft->Wake(now, effects); };
  group.Elect(1);
  group.Settle();
  ExpectIgnored(&group, 1, wake);
  ExpectIgnored(&group, 2, wake);
  group.Isolate(3);
  group.Wait(kTimeout * 2);
  ASSERT_EQ(group.view(3).role, Role::kPreCandidate);
  ExpectIgnored(&group, 3, wake);
}

// --- Rest.

Config Restful() {
  Config config;
  config.rest_after = kHeartbeat * 2;
  return config;
}

TEST(RaftRest, AStrangerDoesNotWakeTheLeader) {
  Group group(Voters(3), Restful());
  group.Elect(1);
  group.Pass(Duration::Seconds(1));
  ASSERT_TRUE(group.view(1).resting);
  Message message = group.From(2, 1, group.view(1).term.value(), ReadReply{});
  message.from = PeerId(9);
  ExpectIgnored(&group, 1, message);
  message.from = PeerId(2);
  group.Give(message);
  EXPECT_FALSE(group.view(1).resting) << "a member does";
}

TEST(RaftRest, ALeaderRestsOnlyWhenItsOwnDiskHasEverything) {
  Group group(Voters(3), Restful());
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  group.Pass(Duration::Seconds(1));
  ASSERT_EQ(group.commit(1), group.view(1).last_log.index) << "the others have it";
  EXPECT_FALSE(group.view(1).resting);
  group.FreeDisk(1);
  group.Pass(Duration::Seconds(1));
  EXPECT_TRUE(group.view(1).resting);
}

TEST(RaftRest, ALeaderDoesNotRestWhileItHandsLeadershipOver) {
  Group group(Voters(3), Restful());
  group.Elect(1);
  group.Settle();
  ASSERT_EQ(group.TransferLeadership(1, 2), std::nullopt);
  group.link(1, 2).clear();  // It is not told.
  group.Pass(kTimeout - kHeartbeat);
  EXPECT_FALSE(group.view(1).resting);
  group.Pass(Duration::Seconds(1));
  EXPECT_TRUE(group.view(1).resting) << "the attempt was given up";
}

TEST(RaftRest, WakingALeaderThatIsAwakeDoesNotKeepItFromResting) {
  Group group(Voters(3), Restful());
  group.Elect(1);
  for (int i = 0; i < 10 && !group.view(1).resting; ++i) {
    group.Wake(1);
    group.Pass(kHeartbeat);
  }
  EXPECT_TRUE(group.view(1).resting);
}

TEST(RaftRest, ALeaderDoesNotRestWhileAReadWaits) {
  Group group(Voters(3), Restful());
  group.Elect(1);
  group.Pass(Duration::Seconds(1));
  group.DropAll();
  ASSERT_TRUE(std::holds_alternative<ReadId>(group.Read(1)));
  group.DropAll();
  group.Wait(kHeartbeat * 3);  // Nobody answers, but nobody has been silent for long either.
  ASSERT_TRUE(group.leads(1));
  ASSERT_TRUE(group.reads(1).empty());
  EXPECT_FALSE(group.view(1).resting);
}

// A heartbeat that invites to rest reaches replica 2.
class RaftRestInvitation : public testing::Test {
 protected:
  RaftRestInvitation() : group_(Voters(3)) {
    group_.Elect(1);
    group_.Propose(1, "x");
    group_.Pass(kHeartbeat * 2);
    group_.DropAll();
  }
  bool RestsAt(LogId position) {
    group_.Give(group_.From(1, 2, group_.view(1).term.value(), HeartbeatRequest{1, 0, position}));
    return group_.view(2).resting;
  }
  Group group_;
};

TEST_F(RaftRestInvitation, IsAcceptedByWhoHasEverything) {
  EXPECT_TRUE(RestsAt(group_.view(2).last_log));
  EXPECT_EQ(group_.raft(2).next_deadline(), Instant::Max());
}

TEST_F(RaftRestInvitation, IsRefusedWithAnotherLog) {
  const LogId position = group_.view(2).last_log;
  group_.Propose(1, "y");
  group_.Deliver(1, 2);
  group_.PersistAll(2);
  ASSERT_EQ(group_.commit(2), position.index);
  EXPECT_FALSE(RestsAt(position)) << "one entry more";
}

TEST_F(RaftRestInvitation, IsRefusedWithoutTheNewsOfTheCommit) {
  group_.Propose(1, "y");
  group_.Deliver(1, 2);
  group_.PersistAll(2);
  group_.DropAll();
  ASSERT_LT(group_.commit(2), group_.view(2).last_log.index);
  EXPECT_FALSE(RestsAt(group_.view(2).last_log));
}

TEST_F(RaftRestInvitation, IsRefusedWhileTheDiskLacksSomething) {
  group_.HoldDisk(2);
  group_.Propose(1, "y");
  group_.DeliverTo(2);
  group_.DeliverTo(3);
  group_.PersistAll(1);
  group_.PersistAll(3);
  group_.DeliverTo(1);
  group_.DeliverTo(2);  // With the news of the commit.
  ASSERT_EQ(group_.commit(2), group_.view(2).last_log.index);
  EXPECT_FALSE(RestsAt(group_.view(2).last_log));
}

TEST_F(RaftRestInvitation, IsRefusedWhileAReadWaits) {
  ASSERT_TRUE(std::holds_alternative<ReadId>(group_.Read(2)));
  EXPECT_FALSE(RestsAt(group_.view(2).last_log));
}

// --- Elections.

// A peer that lags in its term asks about one that is over.
TEST(RaftCorners, APreVoteForATermThatIsOverIsRefused) {
  Group group(Voters(3));
  group.Wait(kTimeout);  // Nobody is loyal to a leader of an earlier life any more.
  const LogId log = group.view(2).last_log;
  group.Give(group.From(2, 1, 0, PreVoteRequest{Term(0), log}));
  group.Give(group.From(2, 1, 0, PreVoteRequest{Term(1), log}));
  const auto replies = group.Waiting<PreVoteReply>(1, 2);
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_FALSE(replies[0].granted);
  EXPECT_TRUE(replies[1].granted);
}

TEST(RaftCorners, TheOnlyVoterOfOneHalfDoesNotDecideAlone) {
  Group alone(Voters(1));
  EXPECT_EQ(alone.raft(1).next_deadline(), alone.now()) << "nobody else to wait for";
  ConfState conf = Voters(1);
  conf.voters_outgoing = Voters(2).voters;
  Group joint(conf);
  EXPECT_GE(joint.raft(1).next_deadline(), joint.now() + kTimeout);
}

class RaftTimeoutNow : public testing::Test {
 protected:
  RaftTimeoutNow() : group_(Voters(3)) {
    group_.Elect(1);
    group_.Propose(1, "x");
    group_.Pass(kHeartbeat * 2);
    group_.DropAll();
  }
  Message Ask(uint64_t from, LogId log) const {
    return group_.From(from, 2, group_.view(2).term.value(), TimeoutNow{log});
  }
  Group group_;
};

TEST_F(RaftTimeoutNow, IsTheLeadersToSay) {
  ExpectIgnored(&group_, 2, Ask(3, group_.view(2).last_log));
  group_.Give(Ask(1, group_.view(2).last_log));
  EXPECT_EQ(group_.view(2).role, Role::kCandidate);
}

TEST_F(RaftTimeoutNow, IsIgnoredByWhoCannotShowTheLog) {
  LogId position = group_.view(2).last_log;
  ++position.index;
  ExpectIgnored(&group_, 2, Ask(1, position));
  group_.Compact(2);
  position.index = Index(1);
  ASSERT_GT(group_.view(2).base.index, position.index);
  ExpectIgnored(&group_, 2, Ask(1, position));
}

TEST_F(RaftTimeoutNow, IsIgnoredWhileTheDiskHangs) {
  group_.HoldDisk(2);
  group_.Propose(1, "y");
  group_.Deliver(1, 2);
  group_.Pass(Config().disk_stall_timeout);
  ASSERT_TRUE(group_.leads(1));
  ExpectIgnored(&group_, 2, Ask(1, group_.view(2).last_log));
}

TEST(RaftTimeoutNowToALearner, IsIgnored) {
  ConfState conf = Voters(2);
  conf.learners = {PeerId(3)};
  Group group(conf);
  group.Elect(1);
  group.Pass(kHeartbeat * 2);
  const View learner = group.view(3);
  ASSERT_EQ(learner.leader, PeerId(1));
  ExpectIgnored(&group, 3, group.From(1, 3, learner.term.value(), TimeoutNow{learner.last_log}));
}

TEST_F(RaftTimeoutNow, IsIgnoredByACandidate) {
  group_.Isolate(2);
  group_.Wait(kTimeout * 2);
  ASSERT_EQ(group_.view(2).role, Role::kPreCandidate);
  ExpectIgnored(&group_, 2, Ask(1, group_.view(2).last_log));
}

// --- Disks.

TEST(RaftDiskFailure, EndsAnyRoleInSilence) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.Wait(kTimeout * 2);
  group.Heal();
  for (const uint64_t id : {1, 2, 3}) {
    group.MayBePoisoned(id);
    group.FailDisk(id);
    EXPECT_EQ(group.raft(id).poison(), "the disk failed");
    EXPECT_EQ(group.raft(id).next_deadline(), Instant::Max());
    EXPECT_FALSE(group.leads(id));
    ExpectIgnored(&group, id, group.From(id % 3 + 1, id, 99, HeartbeatRequest{}));
  }
}

TEST(RaftDiskFailure, IsNotTheReasonOfAnEarlierSilence) {
  Group group(Voters(3));
  group.Elect(1);
  group.MayBePoisoned(1);
  group.Give(group.From(2, 1, group.view(1).term.value(), HeartbeatRequest{}));
  const std::string reason = group.raft(1).poison();
  ASSERT_NE(reason.find("two leaders"), std::string::npos) << reason;
  group.FailDisk(1);
  EXPECT_EQ(group.raft(1).poison(), reason);
}

// A leader whose follower lacks entries that are on the disk only.
class RaftFetch : public testing::Test {
 protected:
  RaftFetch() : group_(Voters(3), WithLittleMemory()) {
    group_.Elect(1);
    group_.Isolate(3);
    for (int i = 0; i < 20; ++i) {
      group_.Propose(1, "payload");
      group_.Settle();
    }
    group_.HoldFetches(1);
    group_.Heal();
    group_.Pass(kHeartbeat * 3);
    EXPECT_EQ(group_.fetches(1).size(), 1u);
  }
  static Config WithLittleMemory() {
    Config config;
    config.window_bytes_max = 4;
    return config;
  }
  uint64_t fetch_id() const { return group_.fetches(1)[0].id; }
  Group group_;
};

TEST_F(RaftFetch, IsWantedWhileItsAskerLeads) {
  EXPECT_TRUE(group_.raft(1).Wants(fetch_id()));
  EXPECT_FALSE(group_.raft(1).Wants(0)) << "names no fetch";
  EXPECT_FALSE(group_.raft(1).Wants(fetch_id() + 1));
  group_.Elect(2);
  EXPECT_FALSE(group_.raft(1).Wants(fetch_id()));
}

TEST_F(RaftFetch, IsNotWantedByASilentReplica) {
  group_.MayBePoisoned(1);
  group_.Give(group_.From(2, 1, group_.view(1).term.value(), HeartbeatRequest{}));
  ASSERT_NE(group_.raft(1).poison(), "") << "two leaders of one term";
  EXPECT_FALSE(group_.raft(1).Wants(fetch_id()));
}

// --- Observation. What could make a difference later is another state now.

// The hash of the replica as it would be after `call`.
template <typename Call>
uint64_t HashAfter(Group* group, uint64_t id, Call call) {
  const auto raft = group->raft(id).Clone();
  Effects effects;
  call(raft.get(), group->now(id), &effects);
  EXPECT_EQ(raft->poison(), "");
  return raft->state_hash();
}

TEST(RaftStateHash, TellsPendingReadsOfALeaderApart) {
  Group group(Voters(3));
  group.Elect(1);
  group.Settle();
  const auto read = [](Raft* raft, Instant now, Effects* effects) { raft->Read(now, effects); };
  const auto read_for = [&](uint64_t peer, uint64_t request) {
    return [&group, peer, request](Raft* raft, Instant now, Effects* effects) {
      raft->OnMessage(now, group.From(peer, 1, raft->term().value(), ReadRequest{request}),
                      effects);
    };
  };
  const uint64_t own = HashAfter(&group, 1, read);
  const uint64_t others = HashAfter(&group, 1, read_for(2, 7));
  EXPECT_NE(own, group.raft(1).state_hash());
  EXPECT_NE(own, others);
  EXPECT_NE(others, HashAfter(&group, 1, read_for(2, 8)));
  EXPECT_NE(others, HashAfter(&group, 1, read_for(3, 7)));
  EXPECT_EQ(others, HashAfter(&group, 1, read_for(2, 7)));
}

TEST(RaftStateHash, TellsPendingReadsOfAFollowerApart) {
  Group group(Voters(3));
  group.Elect(1);
  group.Settle();
  const auto read = [](int times) {
    return [times](Raft* raft, Instant now, Effects* effects) {
      for (int i = 0; i < times; ++i) raft->Read(now, effects);
    };
  };
  const uint64_t one = HashAfter(&group, 2, read(1));  // Asked of the leader.
  const uint64_t two = HashAfter(&group, 2, read(2));  // The second waits for the first's answer.
  EXPECT_NE(one, group.raft(2).state_hash());
  EXPECT_NE(two, one);
}

// --- The log.

Log ThreeEntriesAfterFive() {
  return Log({Term(1), Index(5)}, {{Index(6), Term(1)}}, Index(8), Index(5));
}

TEST(LogCorners, HasNothingThatLiesBeforeItsBase) {
  const Log log = ThreeEntriesAfterFive();
  EXPECT_TRUE(log.Has({Term(1), Index(5)}));
  EXPECT_FALSE(log.Has({Term(1), Index(4)})) << "nobody knows any more";
}

TEST(LogCorners, ReadsOnlyWhatItHas) {
  const Log log = ThreeEntriesAfterFive();
  EXPECT_THROW(log.Read(Index(5), Index(8), 1), InvariantViolation) << "the base is no entry";
  EXPECT_THROW(log.Read(Index(8), Index(7), 1), InvariantViolation) << "an empty range";
  EXPECT_THROW(log.Read(Index(6), Index(9), 1), InvariantViolation) << "beyond the end";
}

TEST(LogCorners, WhatTheDiskLacksStaysInMemory) {
  Log log = ThreeEntriesAfterFive();
  const EntrySlices entries = EntriesOfTerms(9, {1, 1});
  log.Append(entries[0]);
  log.OnPersistIssued(IoToken(1));
  log.Append(entries[1]);
  log.OnPersistIssued(IoToken(2));
  log.OnPersisted(IoToken(1));
  log.ReleaseMemory();
  EXPECT_TRUE(log.Read(Index(9), Index(9), 100).empty());
  EXPECT_EQ(log.Read(Index(10), Index(10), 100).size(), 1u);
}

}  // namespace
}  // namespace flaredb::raft
