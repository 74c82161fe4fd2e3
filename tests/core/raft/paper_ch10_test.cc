// SPDX-License-Identifier: Apache-2.0
// The thesis, section 10.2: writing to the leader's disk in parallel, batching and pipelining.
#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

// Section 10.2.1: the leader writes to its disk in parallel with replicating to the followers.
TEST(PaperDisk, TheLeaderWritesInParallelWithReplicating) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  EXPECT_EQ(group.writes_waiting(1), 1u);
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 2).size(), 1u);
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 3).size(), 1u);
}

// Section 10.2.1: the leader's own match index is what its disk holds durably.
TEST(PaperDisk, TheLeadersOwnMatchIsItsDurableIndex) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.HoldDisk(1);
  const Index before = group.commit(1);
  for (const char* payload : {"a", "b"}) group.Propose(1, payload);
  group.Settle();
  EXPECT_EQ(group.commit(1), before) << "one of three: 2";
  group.PersistNext(1);
  EXPECT_EQ(group.commit(1), before.next());
  group.PersistNext(1);
  EXPECT_EQ(group.commit(1), before + 2);
}

// Section 10.2.1: it may even commit an entry before its own disk has it, once a majority of
// followers does.
TEST(PaperDisk, TheLeaderMayCommitWhatItsDiskLacks) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.applied(1), Payloads{"x"});
  EXPECT_EQ(group.writes_waiting(1), 1u);
}

// Section 10.2.1: and this is safe: if the leader forgets that entry in a crash, the others have
// it.
TEST(PaperDisk, ACommittedEntryThatTheLeaderForgotIsNotLost) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(1);
  group.Propose(1, "x");
  group.Settle();
  ASSERT_EQ(group.applied(1), Payloads{"x"});
  group.Crash(1);
  group.FreeDisk(1);
  ASSERT_TRUE(group.disk(1).log.size() < group.disk(2).log.size());
  group.Restart(1);
  group.Pass(kTimeout * 6);
  ASSERT_EQ(Leaders(group, 3), 1u);
  LetSpread(&group);
  EXPECT_EQ(group.applied(1), Payloads{"x"});
}

// Section 10.2.1: only an entry of the leader's current term lets its commit index advance.
TEST(PaperDisk, TheOwnDiskDoesNotCommitEntriesOfEarlierTerms) {
  Group group(Voters(1));
  group.Restart(1, DiskWithTerms({1, 2}));
  group.HoldDisk(1);
  group.Pass(kTimeout);
  while (!group.leads(1) && group.PersistNext(1)) {
  }
  ASSERT_TRUE(group.leads(1));
  EXPECT_EQ(group.commit(1), Index()) << "both are durable, but not of this term";
  group.FreeDisk(1);
  group.Settle();
  EXPECT_EQ(group.commit(1), Index(3));
}

// Section 10.2.2: the entries between a follower's next index and the end of the log travel in one
// request.
TEST(PaperBatching, ManyEntriesTravelInOneRequest) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  for (int i = 0; i < 100; ++i) group.Propose(1, "x");
  group.Settle();
  group.Heal();
  group.Wait(kHeartbeat);
  for (int i = 0; i < 2; ++i) {
    group.Deliver(1, 3);
    group.PersistAll(3);
    group.Deliver(3, 1);
  }
  size_t most = 0;
  for (const AppendRequest& append : group.Waiting<AppendRequest>(1, 3)) {
    most = std::max(most, Entries(append));
  }
  EXPECT_EQ(most, 100u);
}

// Section 10.2.2: up to a limit in size, so that one request does not hold the heartbeats up.
TEST(PaperBatching, ARequestIsLimitedInSize) {
  Config config;
  config.append_bytes_max = 64;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Isolate(3);
  for (int i = 0; i < 40; ++i) group.Propose(1, std::string(10, 'x'));
  group.Settle();
  group.Heal();
  group.Wait(kHeartbeat);
  size_t appends_with_entries = 0;
  for (int i = 0; i < 20; ++i) {
    for (const AppendRequest& append : group.Waiting<AppendRequest>(1, 3)) {
      size_t bytes = 0;
      for (const EntrySlice& slice : append.entries) bytes += slice.bytes();
      EXPECT_LE(bytes, 64u);
      appends_with_entries += append.entries.empty() ? 0 : 1;
    }
    group.Deliver(1, 3);
    group.PersistAll(3);
    group.Deliver(3, 1);
  }
  EXPECT_GE(appends_with_entries, 7u);
  EXPECT_EQ(group.disk(3).log, group.disk(1).log);
}

// Section 10.2.2: a follower writes all new entries of one request at once.
TEST(PaperBatching, AFollowerWritesARequestAtOnce) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1}));
  group.HoldDisk(2);
  group.Give(Append(group, 1, 2, 2, {Term(1), Index(1)}, EntriesOfTerms(2, {1, 1, 2, 2})));
  EXPECT_EQ(group.writes_waiting(2), 1u);
  group.PersistNext(2);
  EXPECT_EQ(group.disk(2).terms(), (std::vector<uint64_t>{1, 1, 1, 2, 2}));
}

// Section 10.2.2: proposals that a client collects are one entry run, one write, one request.
TEST(PaperBatching, ABatchOfProposalsIsOneWriteAndOneRequest) {
  Group group(Voters(3));
  group.Elect(1);
  const std::vector<NewEntry> entries(64, {EntryKind::kCommand, "x"});
  Effects effects;
  group.raft(1).Propose(group.now(), EntryBlock::Create(entries), &effects);
  EXPECT_EQ(effects.persists.size(), 1u);
  ASSERT_EQ(effects.sends.size(), 2u);
  EXPECT_EQ(Entries(std::get<AppendRequest>(effects.sends[0].body)), 64u);
}

// Section 10.2.2: the next index moves on right after sending, so the next entry follows without
// waiting; also while the follower is still writing the one before.
TEST(PaperPipelining, EntriesFollowEachOtherWithoutWaiting) {
  Group group(Voters(3));
  group.Elect(1);
  group.HoldDisk(2);
  const Index next = ProgressOf(group, 1, 2).next_index;
  group.Propose(1, "a");
  EXPECT_EQ(ProgressOf(group, 1, 2).next_index, next.next());
  group.Deliver(1, 2);
  ASSERT_EQ(group.writes_waiting(2), 1u);
  group.Propose(1, "b");
  EXPECT_EQ(ProgressOf(group, 1, 2).next_index, next + 2);
  group.Deliver(1, 2);
  EXPECT_EQ(group.writes_waiting(2), 2u);
}

// Section 10.2.2: the consistency check makes pipelining safe in any order of delivery.
TEST(PaperPipelining, AnyOrderOfDeliveryIsSafe) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    Group group(Voters(3), Config(), seed);
    group.Elect(1);
    Payloads expected;
    for (int i = 0; i < 8; ++i) {
      expected.push_back("p" + std::to_string(i));
      group.Propose(1, expected.back());
    }
    std::deque<Message>& link = group.link(1, 2);
    for (size_t i = link.size(); i > 1; --i) std::swap(link[i - 1], link[rng.Below(i)]);
    group.Settle();
    group.Pass(kHeartbeat * 4);
    EXPECT_EQ(group.applied(2), expected) << "seed " << seed;
    EXPECT_TRUE(group.leads(1));
  }
}

// Section 10.2.2: if requests get lost, the leader takes its next index back and sends again.
TEST(PaperPipelining, LostRequestsAreSentAgain) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  const Index next = ProgressOf(group, 1, 2).next_index;
  for (const char* payload : {"a", "b", "c"}) group.Propose(1, payload);
  group.link(1, 2).pop_front();  // The first is lost, the others arrive.
  group.Deliver(1, 2);
  EXPECT_FALSE(Accepted(&group, 2, 1));
  group.Deliver(2, 1);
  const auto again = group.Waiting<AppendRequest>(1, 2);
  ASSERT_GE(again.size(), 1u);
  EXPECT_EQ(again[0].prev.index, next.prev());
  group.Settle();
  EXPECT_EQ(group.applied(1), (Payloads{"a", "b", "c"}));
}

// Section 10.2.2, with the bound that its bookkeeping implies: a follower that does not answer gets
// a limited number of requests, in number and in bytes.
TEST(PaperPipelining, UnansweredRequestsAreLimited) {
  Config config;
  config.inflight_appends_max = 4;
  config.inflight_bytes_max = 1000;
  Group group(Voters(3), config);
  group.Elect(1);
  for (int i = 0; i < 10; ++i) group.Propose(1, "x");
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 2).size(), 4u);
  group.Settle();
  group.Propose(1, std::string(999, 'x'));
  group.Propose(1, "xx");
  group.Propose(1, "xx");
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 2).size(), 2u) << "the limit was passed by the second";
  group.Settle();
  LetSpread(&group);
  EXPECT_EQ(group.applied(2).size(), 13u);
}

}  // namespace
}  // namespace flaredb::raft
