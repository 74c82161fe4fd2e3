// SPDX-License-Identifier: Apache-2.0
// The thesis, sections 3.5 (log replication) and 3.6 (safety).
#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

Index MatchOf(const Group& group, uint64_t leader, uint64_t follower) {
  return ProgressOf(group, leader, follower).match_index;
}

// Section 3.5: the leader appends a client's command to its log and sends it to each of the other
// servers in parallel.
TEST(PaperLog, ACommandGoesToAllFollowersInParallel) {
  Group group(Voters(5));
  group.Elect(1);
  const auto proposed = std::get<Proposed>(group.Propose(1, "x"));
  EXPECT_EQ(group.view(1).last_log, (LogId{proposed.term, proposed.last_index}));
  for (uint64_t id = 2; id <= 5; ++id) {
    const auto appends = group.Waiting<AppendRequest>(1, id);
    ASSERT_EQ(appends.size(), 1u) << id;
    ASSERT_EQ(Entries(appends[0]), 1u);
    EXPECT_EQ(appends[0].entries[0].at(0).payload, "x");
  }
}

// Section 3.5: when the entry is safely replicated, the leader applies it (and can answer); not
// before.
TEST(PaperLog, TheLeaderAppliesAnEntryOnceItIsReplicated) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  group.PersistAll(1);
  EXPECT_TRUE(group.applied(1).empty());
  group.Deliver(1, 2);
  group.PersistAll(2);
  EXPECT_TRUE(group.applied(1).empty());
  group.Deliver(2, 1);
  EXPECT_EQ(group.applied(1), Payloads{"x"});
  EXPECT_TRUE(group.applied(2).empty()) << "it has yet to learn of the commit";
}

// Section 3.5: the leader retries, even after it has answered the client, until all followers store
// all entries.
TEST(PaperLog, TheLeaderRetriesUntilAllFollowersHaveEverything) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.Propose(1, "x");
  group.Settle();
  ASSERT_EQ(group.applied(1), Payloads{"x"}) << "answered";
  group.Pass(Duration::Seconds(60));
  ASSERT_TRUE(group.leads(1));
  group.Heal();
  LetSpread(&group);
  EXPECT_EQ(group.applied(3), Payloads{"x"});
}

// Section 3.5: each entry stores the term in which the leader received it, and its position.
TEST(PaperLog, AnEntryStoresItsTermAndPosition) {
  Group group(Voters(3));
  for (uint64_t id = 1; id <= 3; ++id) group.Restart(id, DiskWithTerms({1, 1, 4}));
  group.Elect(1);
  const auto proposed = std::get<Proposed>(group.Propose(1, "x"));
  EXPECT_EQ(proposed.term, group.view(1).term);
  EXPECT_EQ(proposed.last_index, Index(5)) << "after three old entries and the leader's no-op";
  group.Settle();
  EXPECT_EQ(group.disk(2).At(Index(5)), (StoredEntry{proposed.term, EntryKind::kCommand, "x"}));
  EXPECT_EQ(group.disk(2).At(Index(3)).term, Term(4)) << "old entries keep their term";
}

// Section 3.5: an entry is committed once the leader that created it has replicated it on a
// majority; this commits everything before it, too, also what earlier leaders created.
TEST(PaperLog, ACommitCoversAllPrecedingEntries) {
  Group group(Voters(5));
  for (const uint64_t id : {1, 2, 3}) group.Restart(id, DiskWithTerms({1, 2}, 2));
  ElectSilently(&group, 1, {2, 3});
  group.PersistAll(1);
  group.Deliver(1, 2);
  group.PersistAll(2);
  group.Deliver(2, 1);
  EXPECT_EQ(group.commit(1), Index()) << "two of five";
  group.Deliver(1, 3);
  group.PersistAll(3);
  group.Deliver(3, 1);
  EXPECT_EQ(group.commit(1), Index(3));
  group.Settle();
  EXPECT_EQ(group.applied(1), (Payloads{"t1", "t2"}));
}

// Section 3.5: the leader includes the highest index that it knows to be committed in its appends,
// so that the others find out.
TEST(PaperLog, AppendsCarryTheCommitIndex) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  group.Settle();
  group.Propose(1, "y");
  const auto appends = group.Waiting<AppendRequest>(1, 2);
  ASSERT_EQ(appends.size(), 1u);
  EXPECT_EQ(appends[0].commit_index, group.commit(1));
}

// Section 3.5: once a follower learns that an entry is committed, it applies it, in log order.
TEST(PaperLog, AFollowerAppliesWhatItLearnsToBeCommittedInOrder) {
  Group group(Voters(3));
  group.Elect(1);
  for (const char* payload : {"a", "b", "c", "d"}) {
    group.Propose(1, payload);
    group.Settle();
  }
  LetSpread(&group);
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(group.applied(id), (Payloads{"a", "b", "c", "d"})) << id;
  }
}

// Section 3.5, the Log Matching Property: a leader creates at most one entry with a given index in
// a given term.
TEST(PaperLog, ALeaderCreatesOneEntryForEachPosition) {
  Group group(Voters(3));
  group.Elect(1);
  Index last = group.view(1).last_log.index;
  for (int i = 0; i < 10; ++i) {
    const auto proposed = std::get<Proposed>(group.Propose(1, "x"));
    EXPECT_EQ(proposed.first_index, last.next());
    last = proposed.last_index;
  }
}

// Section 3.5: an append names the entry just before its own; a follower that lacks that entry
// refuses the append.
TEST(PaperLog, AnAppendIsRefusedWithoutTheEntryBeforeIt) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1, 1, 2}));
  group.Give(Append(group, 1, 2, 3, {Term(2), Index(4)}, EntriesOfTerms(5, {3})));
  EXPECT_FALSE(Accepted(&group, 2, 1)) << "no such entry";
  group.Give(Append(group, 1, 2, 3, {Term(1), Index(3)}, EntriesOfTerms(4, {3})));
  EXPECT_FALSE(Accepted(&group, 2, 1)) << "of another term";
  EXPECT_EQ(group.disk(2).terms(), (std::vector<uint64_t>{1, 1, 2}));
  group.Give(Append(group, 1, 2, 3, {Term(2), Index(3)}, EntriesOfTerms(4, {3})));
  EXPECT_TRUE(Accepted(&group, 2, 1));
  EXPECT_EQ(group.disk(2).terms(), (std::vector<uint64_t>{1, 1, 2, 3}));
}

// Section 3.5: when an append is accepted, the leader knows that the follower's log equals its own
// up to the new entries; and no further.
TEST(PaperLog, AnAcceptTellsHowFarTheLogsAgree) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "a");
  group.Deliver(1, 2);
  group.PersistAll(2);
  group.Propose(1, "b");
  EXPECT_EQ(MatchOf(group, 1, 2), Index(1));
  group.Deliver(2, 1);
  EXPECT_EQ(MatchOf(group, 1, 2), Index(2));
}

// Section 3.5: the leader forces the followers' logs to duplicate its own; conflicting entries are
// overwritten. (Figure 3.6's followers are in raft_replication_test.)
TEST(PaperLog, ConflictingEntriesAreOverwritten) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({1, 1, 5, 5}, 6));
  group.Restart(2, DiskWithTerms({1, 1, 5, 5}, 6));
  group.Restart(3, DiskWithTerms({1, 1, 2, 2, 2, 2, 2}, 6));
  group.Elect(1);
  LetSpread(&group);
  EXPECT_EQ(group.disk(3).terms(), group.disk(1).terms());
  EXPECT_EQ(group.disk(3).log, group.disk(1).log);
}

// Section 3.5: a follower deletes entries only where they conflict: what merely follows an append
// stays.
TEST(PaperLog, WhatAgreesIsNotDeleted) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1, 1, 1, 1}));
  group.Give(Append(group, 1, 2, 2, {Term(1), Index(1)}, EntriesOfTerms(2, {1})));
  EXPECT_TRUE(Accepted(&group, 2, 1));
  EXPECT_EQ(group.disk(2).terms().size(), 4u);
}

// Section 3.5: a new leader takes each follower's next entry to be the one after its own last.
TEST(PaperLog, ANewLeaderBeginsAfterItsOwnLastEntry) {
  Group group(Voters(3));
  for (uint64_t id = 1; id <= 3; ++id) group.Restart(id, DiskWithTerms({1, 1, 1}));
  ElectSilently(&group, 1, {2});
  for (const uint64_t id : {2, 3}) {
    const auto appends = group.Waiting<AppendRequest>(1, id);
    ASSERT_EQ(appends.size(), 1u);
    EXPECT_EQ(appends[0].prev, (LogId{Term(1), Index(3)}));
  }
}

// Section 3.5: after a refusal the leader goes back and tries again until the logs agree.
TEST(PaperLog, AfterARefusalTheLeaderGoesBack) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({1, 2, 3, 4}, 4));
  group.Restart(2, DiskWithTerms({1, 2, 3, 4}, 4));
  group.Restart(3, DiskWithTerms({1}, 4));
  ElectSilently(&group, 1, {2});
  Index before = ProgressOf(group, 1, 3).next_index;
  group.Deliver(1, 3);
  EXPECT_FALSE(Accepted(&group, 3, 1));
  group.Deliver(3, 1);
  EXPECT_LT(ProgressOf(group, 1, 3).next_index, before);
  group.Settle();
  LetSpread(&group);
  EXPECT_EQ(group.disk(3).terms(), group.disk(1).terms());
}

// Section 3.5: until the leader has found where the logs agree it sends one request at a time; once
// it knows, it sends entries in a stream.
TEST(PaperLog, AProbeIsAnsweredBeforeTheNextRequest) {
  Group group(Voters(3));
  ElectSilently(&group, 1, {2});
  group.link(1, 3).clear();
  for (int i = 0; i < 5; ++i) group.Propose(1, "x");
  EXPECT_EQ(ProgressOf(group, 1, 3).state, ProgressState::kProbe);
  EXPECT_TRUE(group.Waiting<AppendRequest>(1, 3).empty()) << "the probe was lost, who knows";
  group.Settle();
  group.Pass(kHeartbeat);
  EXPECT_EQ(ProgressOf(group, 1, 3).state, ProgressState::kReplicate);
  for (int i = 0; i < 5; ++i) group.Propose(1, "y");
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 3).size(), 5u);
}

// Section 3.5: one refusal is enough for each conflicting term, instead of one for each entry.
TEST(PaperLog, ARefusalSkipsAWholeTerm) {
  std::vector<uint64_t> stale(40, 2);
  stale.insert(stale.begin(), 1);
  std::vector<uint64_t> newer(40, 3);
  newer.insert(newer.begin(), 1);
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms(newer));
  group.Restart(2, DiskWithTerms(newer));
  group.Restart(3, DiskWithTerms(stale, 3));
  ElectSilently(&group, 1, {2});
  group.Deliver(1, 3);
  EXPECT_FALSE(Accepted(&group, 3, 1));
  group.Deliver(3, 1);
  EXPECT_EQ(ProgressOf(group, 1, 3).next_index, Index(2));
}

// Section 3.5, Leader Append-Only: a leader never overwrites or deletes entries of its own log.
TEST(PaperLog, ALeaderOnlyAppends) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({1, 2}, 3));
  group.Restart(2, DiskWithTerms({1, 1, 1}, 3));
  group.Restart(3, DiskWithTerms({1, 1, 1, 1}, 3));
  group.Elect(1);
  group.Propose(1, "x");
  LetSpread(&group);
  const std::vector<uint64_t> terms = group.disk(1).terms();
  ASSERT_EQ(terms.size(), 4u);
  EXPECT_EQ(terms[0], 1u);
  EXPECT_EQ(terms[1], 2u);
}

// Section 3.5: as long as a majority works, a slow follower doesn't hold anything up.
TEST(PaperLog, ASlowFollowerHoldsNothingUp) {
  Group group(Voters(5));
  group.Elect(1);
  group.HoldDisk(4);
  group.Isolate(5);
  for (const char* payload : {"a", "b", "c"}) group.Propose(1, payload);
  group.Settle();
  EXPECT_EQ(group.applied(1), (Payloads{"a", "b", "c"}));
}

// Section 3.6.1: a voter denies its vote if its own log is more up-to-date: by the last entries'
// terms, and by length when these are equal.
TEST(PaperSafety, AVoterDeniesItsVoteToAnOlderLog) {
  Group group(Voters(3));
  group.Restart(3, DiskWithTerms({1, 3, 3}));
  Forget(&group);
  EXPECT_EQ(AskVote(&group, 1, 3, 4, {Term(2), Index(9)}), false);
  EXPECT_EQ(AskVote(&group, 1, 3, 4, {Term(3), Index(2)}), false);
  EXPECT_EQ(AskVote(&group, 1, 3, 4, {Term(3), Index(3)}), true);
  EXPECT_EQ(AskVote(&group, 1, 3, 5, {Term(4), Index(1)}), true);
}

// Section 3.6.1: a candidate has to reach a majority, so one that lacks a committed entry can't
// win.
TEST(PaperSafety, ACandidateThatLacksACommittedEntryCannotWin) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Group group(Voters(3), Config(), seed);
    group.Elect(1);
    group.Isolate(3);
    group.Propose(1, "x");
    group.Settle();
    group.Crash(1);
    group.Heal();
    for (int i = 0; i < 10; ++i) {
      group.Pass(kTimeout);
      group.Campaign(3);
      group.Settle();
      ASSERT_FALSE(group.leads(3)) << "seed " << seed;
      if (group.leads(2)) break;
    }
    group.Pass(kTimeout * 5);
    ASSERT_TRUE(group.leads(2)) << "seed " << seed;
  }
}

// Section 3.6.2: an entry of an earlier term isn't committed by counting its replicas; only entries
// of the leader's own term are. (Figure 3.7 is in raft_replication_test.)
TEST(PaperSafety, OnlyEntriesOfTheOwnTermAreCommittedByCounting) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({2}, 3));
  group.Restart(2, DiskWithTerms({2}, 3));
  ElectSilently(&group, 1, {2});
  // Both have the entry of term 2 durably, and the leader learns so before its own is anywhere.
  const uint64_t term = group.view(1).term.value();
  const auto appends = group.Waiting<AppendRequest>(1, 2);
  ASSERT_EQ(appends.size(), 1u);
  group.DropAll();
  group.Give(
      group.From(2, 1, term, AppendReply{appends[0].session, 0, AppendAccept{Index(1), Index()}}));
  EXPECT_EQ(MatchOf(group, 1, 2), Index(1));
  EXPECT_EQ(group.commit(1), Index());
  group.Settle();
  LetSpread(&group);
  EXPECT_EQ(group.commit(1), Index(2)) << "and then both";
}

// Section 3.6.2: entries keep their original term when a later leader replicates them.
TEST(PaperSafety, OldEntriesKeepTheirTerms) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({1, 2, 4}, 6));
  group.Elect(1);
  LetSpread(&group);
  for (uint64_t id = 1; id <= 3; ++id) {
    const std::vector<uint64_t> terms = group.disk(id).terms();
    ASSERT_EQ(terms.size(), 4u) << id;
    EXPECT_EQ(terms[0], 1u);
    EXPECT_EQ(terms[1], 2u);
    EXPECT_EQ(terms[2], 4u);
    EXPECT_GT(terms[3], 6u);
  }
}

// Section 3.6.3, State Machine Safety: what one server has applied at an index, no other ever
// contradicts, whoever leads. (Group checks it; here leaders change in the middle of the work.)
TEST(PaperSafety, NobodyContradictsWhatIsApplied) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Group group(Voters(3), Config(), seed);
    for (uint64_t round = 0; round < 9; ++round) {
      const uint64_t leader = round % 3 + 1;
      group.Elect(leader);
      group.Propose(leader, "kept" + std::to_string(round));
      group.Deliver(leader, leader % 3 + 1);
      group.Isolate(leader);
      group.Propose(leader, "maybe lost" + std::to_string(round));
      group.Pass(kTimeout * 4);
      group.Heal();
    }
    group.Pass(kTimeout * 4);
    const Payloads first = group.applied(1);
    EXPECT_GE(first.size(), 5u) << "seed " << seed;
    EXPECT_EQ(group.applied(2), first);
    EXPECT_EQ(group.applied(3), first);
  }
}

}  // namespace
}  // namespace flaredb::raft
