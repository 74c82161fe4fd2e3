// SPDX-License-Identifier: Apache-2.0
// What must be durable before what: the contract of Effects, and crashes at every moment.
#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

// An append of the replica's leader in `term`, after the entry `prev`.
Message Append(const Group& group, uint64_t from, uint64_t to, uint64_t term, LogId prev,
               EntrySlices entries) {
  return group.From(from, to, term, AppendRequest{1, 0, prev, Index(), false, std::move(entries)});
}

// "The leader can write to its disk in parallel with replicating to the followers" (10.2.1).
TEST(RaftPersistence, ALeaderSendsBeforeItsOwnWrite) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  EXPECT_EQ(group.writes_waiting(1), 1u);
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 2).size(), 1u);
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 3).size(), 1u);
}

// "The leader may even commit an entry before it has been written to its own disk, if a majority of
// followers have written it to their disks" (10.2.1).
TEST(RaftPersistence, AQuorumOfOthersCommitsWithoutTheLeadersDisk) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.applied(1), std::vector<std::string>{"x"});
  EXPECT_EQ(group.writes_waiting(1), 1u);
}

TEST(RaftPersistence, TheLeadersOwnCopyCountsOnlyWhenDurable) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.HoldDisk(1);
  const Index before = group.commit(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.commit(1), before) << "one durable copy of three";
  group.PersistAll(1);
  EXPECT_EQ(group.commit(1), before.next());
}

// "Updated on stable storage before responding to RPCs" (figure 3.1).
TEST(RaftPersistence, AFollowerAcceptsOnlyWhatIsDurable) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.HoldDisk(2);
  const Index before = group.commit(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.commit(1), before);
  EXPECT_EQ(group.view(2).last_log.index, before.next());
  EXPECT_TRUE(group.link(2, 1).empty());
  group.PersistAll(2);
  group.Settle();
  EXPECT_EQ(group.commit(1), before.next());
}

// The same append again is no reason to promise earlier.
TEST(RaftPersistence, ADuplicatedAppendIsNotAcceptedEarlier) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(2);
  group.Propose(1, "x");
  const Message append = group.link(1, 2).front();
  group.Give(append);
  group.Give(append);
  EXPECT_TRUE(group.link(2, 1).empty());
  EXPECT_EQ(group.writes_waiting(2), 1u) << "nothing new to write";
  group.PersistAll(2);
  EXPECT_EQ(group.Waiting<AppendReply>(2, 1).size(), 1u) << "both would say the same";
}

TEST(RaftPersistence, AHeartbeatIsAnsweredWithoutWaitingForEntries) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(2);
  group.Propose(1, "x");
  group.Wait(Config().heartbeat_interval);
  group.Deliver(1, 2);
  EXPECT_EQ(group.Waiting<HeartbeatReply>(2, 1).size(), 1u);
  EXPECT_EQ(group.Waiting<AppendReply>(2, 1).size(), 0u);
}

// The etcd ABA race: an entry is written, replaced, and written again with the same index and term
// (an entry keeps the term of its writer while later leaders carry it on). Only the completion of
// the last write says that the disk holds it.
TEST(RaftPersistence, AnOldWriteOfTheSameEntryPromisesNothing) {
  Group group(Voters(5));
  group.Restart(2, DiskWithTerms({1}));
  group.HoldDisk(2);
  const LogId first{Term(1), Index(1)};
  group.Give(Append(group, 1, 2, 2, first, EntriesOfTerms(2, {2})));     // Writes (2, term 2).
  group.Give(Append(group, 3, 2, 3, first, EntriesOfTerms(2, {3})));     // Replaces it.
  group.Give(Append(group, 4, 2, 4, first, EntriesOfTerms(2, {2, 4})));  // And back again.
  ASSERT_EQ(group.writes_waiting(2), 3u);
  group.PersistNext(2);
  EXPECT_TRUE(group.link(2, 4).empty());
  EXPECT_EQ(group.view(2).durable_index, Index(1));
  group.PersistNext(2);
  EXPECT_TRUE(group.link(2, 4).empty());
  group.PersistNext(2);
  const auto replies = group.Waiting<AppendReply>(2, 4);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(std::get<AppendAccept>(replies[0].result).match_index, Index(3));
  EXPECT_EQ(group.disk(2).terms(), (std::vector<uint64_t>{1, 2, 4}));
}

TEST(RaftPersistence, OneEventIsOneAtomicWrite) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1, 1, 1}));
  group.HoldDisk(2);
  group.Give(Append(group, 1, 2, 2, {Term(1), Index(1)}, EntriesOfTerms(2, {2, 2})));
  EXPECT_EQ(group.writes_waiting(2), 1u);
  group.PersistNext(2);
  EXPECT_EQ(group.disk(2).terms(), (std::vector<uint64_t>{1, 2, 2}));
  EXPECT_EQ(group.disk(2).hard_state.term, Term(2));
}

TEST(RaftPersistence, CompletionIsAWatermark) {
  Recovered recovered;
  recovered.incarnation = FirstLife(1);
  recovered.conf = Pinned(Voters(1));
  const Config config;
  Raft raft(config, PeerId(1), recovered, Rng(1), Instant());
  Effects effects;
  raft.OnDeadline(Instant(), &effects);
  raft.OnPersisted(Instant(), IoToken(1), &effects);
  ASSERT_TRUE(raft.is_leader());
  for (const char* payload : {"a", "b"}) {
    const NewEntry entry{EntryKind::kCommand, payload};
    raft.Propose(Instant(), EntryBlock::Create({&entry, 1}), &effects);
  }
  ASSERT_EQ(effects.persists.size(), 4u);
  effects.Clear();
  raft.OnPersisted(Instant(), IoToken(4), &effects);
  EXPECT_EQ(raft.view().commit_index, Index(3));
  effects.Clear();
  raft.OnPersisted(Instant(), IoToken(2), &effects);
  EXPECT_TRUE(effects.applies.empty()) << "an older completion is no news";
  EXPECT_EQ(raft.poison(), "");
  raft.OnPersisted(Instant(), IoToken(5), &effects);
  EXPECT_NE(raft.poison(), "") << "no such write was issued";
}

TEST(RaftPersistence, TheNewTermIsDurableBeforeItIsShown) {
  Group group(Voters(3));
  group.Wait(Config().election_timeout);
  group.DropAll();
  group.HoldDisk(2);
  group.Give(group.From(1, 2, 7, HeartbeatRequest{1, 1, LogId()}));
  group.Give(group.From(3, 2, 5, HeartbeatRequest{1, 1, LogId()}));
  EXPECT_TRUE(group.link(2, 1).empty());
  EXPECT_TRUE(group.link(2, 3).empty());
  group.PersistAll(2);
  EXPECT_EQ(group.link(2, 1).size(), 1u);
  EXPECT_EQ(group.link(2, 3).size(), 1u);
}

// State machine safety across a crash of everybody, at a moment when leader and one follower have
// lost what was never promised.
TEST(RaftPersistence, WhatWasCommittedSurvivesTheCrashOfAll) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "kept");
  group.Settle();
  for (uint64_t id = 1; id <= 3; ++id) group.HoldDisk(id);
  group.Propose(1, "lost");
  group.Settle();
  for (uint64_t id = 1; id <= 3; ++id) group.Crash(id);
  for (uint64_t id = 1; id <= 3; ++id) {
    group.FreeDisk(id);
    group.Restart(id);
  }
  group.Elect(2);
  group.Propose(2, "after");
  group.Settle();
  group.Pass(Config().heartbeat_interval * 2);
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(group.applied(id), (std::vector<std::string>{"kept", "after"})) << id;
  }
}

// An entry may be applied here before it is durable here, because it is on a quorum of other disks.
TEST(RaftPersistence, AnAppliedEntryLostInACrashComesBack) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  group.Settle();
  ASSERT_EQ(group.applied(1), std::vector<std::string>{"x"});
  group.Crash(1);
  EXPECT_TRUE(group.applied(1).empty());
  group.FreeDisk(1);
  group.Restart(1);
  group.Elect(2);
  group.Pass(Config().heartbeat_interval * 2);
  EXPECT_EQ(group.applied(1), std::vector<std::string>{"x"});
}

// What is applied is never applied again: the state machine's durable position decides.
TEST(RaftPersistence, ARestartContinuesAfterTheAppliedIndex) {
  Group group(Voters(1));
  group.Pass(Duration::Seconds(1));
  for (const char* payload : {"a", "b", "c"}) group.Propose(1, payload);
  group.Settle();
  Disk disk = group.disk(1);
  ASSERT_EQ(disk.applied_index, Index(4));
  disk.applied_index = Index(2);
  group.Restart(1, disk);
  EXPECT_EQ(group.view(1).commit_index, Index(2));
  group.HoldFetches(1);
  group.Pass(Duration::Seconds(1));
  ASSERT_EQ(group.fetches(1).size(), 1u) << "old entries are on the disk only";
  EXPECT_EQ(group.fetches(1)[0].first, Index(3));
  EXPECT_EQ(group.fetches(1)[0].last, Index(4));
  EXPECT_EQ(group.disk(1).applied_index, Index(2)) << "newer ones wait for their turn";
  group.fetch_entries_max = 1;
  group.AnswerFetches(1);
  EXPECT_EQ(group.disk(1).applied_index, Index(3));
  group.AnswerFetches(1);
  EXPECT_EQ(group.disk(1).applied_index, Index(5));
}

}  // namespace
}  // namespace flaredb::raft
