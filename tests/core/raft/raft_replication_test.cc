// SPDX-License-Identifier: Apache-2.0
// Log replication and commitment, sentence by sentence. Quotations are from the Raft thesis.
#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

constexpr Duration kTimeout = Config().election_timeout;
constexpr Duration kHeartbeat = Config().heartbeat_interval;

using Payloads = std::vector<std::string>;

// Wins an election with the votes of those who are reached, and stops before any append arrives.
void ElectSilently(Group* group, uint64_t candidate, const std::vector<uint64_t>& voters) {
  group->Wait(kTimeout);
  group->DropAll();
  group->Campaign(candidate);
  for (int round = 0; round < 2; ++round) {
    for (const uint64_t voter : voters) group->Deliver(candidate, voter);
    for (const uint64_t voter : voters) group->PersistAll(voter);
    for (const uint64_t voter : voters) group->Deliver(voter, candidate);
    if (round == 0) group->PersistAll(candidate);
  }
  ASSERT_TRUE(group->leads(candidate));
}

const ProgressView& ProgressOf(const View& view, uint64_t peer) {
  for (const ProgressView& progress : view.progress) {
    if (progress.peer == PeerId(peer)) return progress;
  }
  ADD_FAILURE() << "no progress of " << peer;
  return view.progress.front();
}

Index MatchOf(const Group& group, uint64_t leader, uint64_t follower) {
  return ProgressOf(group.view(leader), follower).match_index;
}

TEST(RaftReplication, CommandsAreAppliedEverywhereInTheOrderOfTheirProposal) {
  Group group(Voters(3));
  group.Elect(2);
  for (const char* payload : {"a", "b", "c"}) group.Propose(2, payload);
  group.Settle();
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(group.applied(id), (Payloads{"a", "b", "c"}));
}

// "If followers crash or run slowly, or if network packets are lost, the leader retries
// AppendEntries RPCs indefinitely" (3.5).
TEST(RaftReplication, AFollowerThatWasAwayCatchesUp) {
  Group group(Voters(3));
  group.Elect(1);
  group.Crash(3);
  for (const char* payload : {"a", "b", "c"}) group.Propose(1, payload);
  group.Settle();
  group.Restart(3);
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.applied(3), (Payloads{"a", "b", "c"}));
}

TEST(RaftReplication, AppendsFollowEachOtherWithoutWaitingForAnswers) {
  Group group(Voters(3));
  group.Elect(1);
  for (int i = 0; i < 5; ++i) group.Propose(1, "x");
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 2).size(), 5u);
}

TEST(RaftReplication, AppendsAreBoundedInBytes) {
  Config config;
  config.append_bytes_max = 10;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Isolate(3);
  for (int i = 0; i < 7; ++i) group.Propose(1, "1234");
  group.Settle();
  group.Propose(1, std::string(100, 'x'));  // Alone, because it has to travel somehow.
  group.Settle();
  group.DropAll();
  group.Heal();
  group.Wait(kHeartbeat);
  for (int step = 0; step < 20; ++step) {
    for (const AppendRequest& append : group.Waiting<AppendRequest>(1, 3)) {
      size_t bytes = 0;
      size_t entries = 0;
      for (const EntrySlice& slice : append.entries) {
        bytes += slice.bytes();
        entries += slice.size();
      }
      EXPECT_TRUE(bytes <= 10 || entries == 1) << bytes << " bytes";
    }
    group.Deliver(1, 3);
    group.PersistAll(3);
    group.Deliver(3, 1);
  }
  EXPECT_EQ(group.applied(3), group.applied(1));
  EXPECT_EQ(group.applied(3).size(), 8u);
}

// "A log entry is committed once the leader that created the entry has replicated it on a majority
// of the servers" (3.5).
TEST(RaftReplication, AMinorityCommitsNothing) {
  Group group(Voters(5));
  group.Elect(1);
  const Index before = group.commit(1);
  for (const uint64_t id : {3, 4, 5}) group.Isolate(id);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.commit(1), before);
  group.Heal();
  group.Isolate(4);
  group.Isolate(5);
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.commit(1), before.next());
}

TEST(RaftReplication, ALearnerReceivesEverythingAndCountsForNothing) {
  ConfState conf = Voters(3);
  conf.learners = {PeerId(4)};
  Group group(conf);
  group.Elect(1);
  group.Isolate(2);
  group.Isolate(3);
  const Index before = group.commit(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(MatchOf(group, 1, 4), before.next());
  EXPECT_EQ(group.commit(1), before);
  group.Heal();
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.applied(4), Payloads{"x"});
}

TEST(RaftReplication, JointCommitNeedsBothHalves) {
  ConfState conf = Voters(3);
  conf.voters_outgoing = {PeerId(3), PeerId(4), PeerId(5)};
  Group group(conf);
  ElectSilently(&group, 3, {1, 2, 4, 5});
  group.DropAll();
  group.Isolate(4);
  group.Isolate(5);
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.commit(3), Index()) << "1, 2 and 3 are one half only";
  group.Heal();
  group.Isolate(5);
  group.Pass(kHeartbeat * 2);
  EXPECT_GE(group.commit(3), Index(1));
}

// Figure 3.7: "a leader cannot determine commitment using log entries from older terms". "Raft
// never commits log entries from previous terms by counting replicas" (3.6.2).
TEST(RaftReplication, Figure37AnEntryOfAnEarlierTermIsNotCommittedByCounting) {
  Config config;
  config.append_bytes_max = 1;  // One entry per append.
  Group group(Voters(5), config);
  group.fetch_entries_max = 1;
  group.Restart(1, DiskWithTerms({1, 2}, 3));
  group.Restart(2, DiskWithTerms({1, 2}, 3));
  group.Restart(3, DiskWithTerms({1}, 3));
  group.Restart(4, DiskWithTerms({1}, 3));
  group.Restart(5, DiskWithTerms({1, 3}, 3));

  // (c) S1 is elected for term 4 and replicates the entry of term 2 to a majority, nothing newer.
  ElectSilently(&group, 1, {2, 3});
  group.PersistAll(1);
  for (int step = 0; step < 2; ++step) {
    group.Deliver(1, 3);
    group.Deliver(3, 1);
    group.AnswerFetches(1);
  }
  group.PersistAll(3);
  group.Deliver(3, 1);
  group.Deliver(1, 2);
  group.PersistAll(2);
  group.Deliver(2, 1);
  ASSERT_EQ(group.disk(3).terms(), (std::vector<uint64_t>{1, 2}));
  ASSERT_EQ(MatchOf(group, 1, 3), Index(2));
  ASSERT_GE(MatchOf(group, 1, 2), Index(2));
  EXPECT_EQ(group.commit(1), Index()) << "three of five hold it, and still it may be overwritten";

  // (d) S1 crashes, S5 wins with the votes of S3 and S4 and overwrites the entry.
  group.Crash(1);
  group.Isolate(2);
  group.DropAll();
  group.Elect(5);
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.disk(3).terms().at(1), 3u);
  EXPECT_GE(group.commit(5), Index(3));
}

// Figure 3.7 (e): "if S1 replicates an entry from its current term on a majority of the servers,
// then this entry is committed; at this point all preceding entries are committed as well".
TEST(RaftReplication, Figure37AnEntryOfTheOwnTermCommitsAllBeneath) {
  Group group(Voters(5));
  for (const uint64_t id : {1, 2}) group.Restart(id, DiskWithTerms({1, 2}, 3));
  for (const uint64_t id : {3, 4}) group.Restart(id, DiskWithTerms({1}, 3));
  group.Restart(5, DiskWithTerms({1, 3}, 3));
  group.Isolate(5);
  group.Elect(1);
  EXPECT_EQ(group.commit(1), Index(3));
  EXPECT_EQ(group.applied(1), (Payloads{"t1", "t2"}));
}

// "The leader handles inconsistencies by forcing the followers' logs to duplicate its own" (3.5),
// for every follower of figure 3.6.
TEST(RaftReplication, Figure36FollowersEndWithTheLeadersLog) {
  Group group(Voters(7));
  const std::vector<std::vector<uint64_t>> logs = {{1, 1, 1, 4, 4, 5, 5, 6, 6, 6},
                                                   {1, 1, 1, 4, 4, 5, 5, 6, 6},
                                                   {1, 1, 1, 4},
                                                   {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
                                                   {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7},
                                                   {1, 1, 1, 4, 4, 4, 4},
                                                   {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3}};
  for (uint64_t id = 1; id <= 7; ++id) group.Restart(id, DiskWithTerms(logs[id - 1], 7));
  group.Elect(1);
  group.Pass(kHeartbeat * 3);
  std::vector<uint64_t> expected = logs[0];
  expected.push_back(group.view(1).term.value());
  for (uint64_t id = 1; id <= 7; ++id) EXPECT_EQ(group.disk(id).terms(), expected) << id;
  for (uint64_t id = 1; id <= 7; ++id) EXPECT_EQ(group.applied(id).size(), 10u) << id;
}

// "The protocol can be optimized to reduce the number of rejected AppendEntries RPCs ... one RPC
// will be required for each term with conflicting entries, rather than one RPC per entry" (3.5).
TEST(RaftReplication, ConflictsAreSkippedATermAtATime) {
  std::vector<uint64_t> leader = {1, 1};
  std::vector<uint64_t> follower = {1, 1};
  for (int i = 0; i < 50; ++i) leader.push_back(i < 25 ? 4 : 6);
  for (int i = 0; i < 60; ++i) follower.push_back(i < 30 ? 3 : 5);
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms(leader, 7));
  group.Restart(2, DiskWithTerms(leader, 7));
  group.Restart(3, DiskWithTerms(follower, 7));
  ElectSilently(&group, 1, {2});
  int rejects = 0;
  for (int step = 0; step < 200 && MatchOf(group, 1, 3) < group.view(1).last_log.index; ++step) {
    group.Deliver(1, 3);
    group.PersistAll(3);
    for (const AppendReply& reply : group.Waiting<AppendReply>(3, 1)) {
      rejects += std::holds_alternative<AppendReject>(reply.result) ? 1 : 0;
    }
    group.Deliver(3, 1);
    group.AnswerFetches(1);
  }
  EXPECT_EQ(group.disk(3).terms().size(), leader.size() + 1);
  EXPECT_LE(rejects, 3) << "a refusal for each conflicting term, not for each of 60 entries";
}

TEST(RaftReplication, AShortLogIsFoundWithOneRefusal) {
  const std::vector<uint64_t> longer(100, 2);
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms(longer));
  group.Restart(2, DiskWithTerms(longer));
  group.Restart(3, DiskWithTerms({2, 2, 2}));
  ElectSilently(&group, 1, {2});
  group.Deliver(1, 3);
  group.PersistAll(3);
  ASSERT_EQ(group.Waiting<AppendReply>(3, 1).size(), 1u);
  group.Deliver(3, 1);
  EXPECT_EQ(ProgressOf(group.view(1), 3).next_index, Index(4));
}

// A follower's hint names the highest position at which the logs may agree, no lower: what it
// already has is not sent again.
TEST(RaftReplication, TheRefusalNamesTheHighestPossibleAgreement) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1, 1, 3, 3, 5, 5}));
  const auto hint = [&](LogId prev) {
    group.DropAll();
    group.Give(group.From(1, 2, 6, AppendRequest{1, 0, prev, Index(), false, {}}));
    group.PersistAll(2);
    return std::get<AppendReject>(group.Waiting<AppendReply>(2, 1).at(0).result).hint;
  };
  EXPECT_EQ(hint({Term(5), Index(9)}), (LogId{Term(5), Index(6)}));
  EXPECT_EQ(hint({Term(4), Index(6)}), (LogId{Term(3), Index(4)}));
  EXPECT_EQ(hint({Term(4), Index(3)}), (LogId{Term(3), Index(3)}));
  EXPECT_EQ(hint({Term(2), Index(5)}), (LogId{Term(1), Index(2)}));
}

// "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)"
// (figure 3.1): the last one that this very request verified, not the last of the log.
TEST(RaftReplication, AFollowerCommitsOnlyWhatTheRequestVerified) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1, 1, 1, 1}));
  const auto append = [&](uint64_t prev, uint64_t commit, EntrySlices entries) {
    group.Give(group.From(1, 2, 2,
                          AppendRequest{1,
                                        0,
                                        {Term(prev == 0 ? 0 : 1), Index(prev)},
                                        Index(commit),
                                        false,
                                        std::move(entries)}));
    return group.view(2).commit_index;
  };
  EXPECT_EQ(append(1, 4, {}), Index(1)) << "entries 2 to 4 may differ from the leader's";
  EXPECT_EQ(append(1, 4, EntriesOfTerms(2, {1})), Index(2));
  EXPECT_EQ(append(3, 3, {}), Index(3));
  EXPECT_EQ(append(1, 2, {}), Index(3)) << "never backwards";
  EXPECT_EQ(append(4, 9, {}), Index(4));
}

// What a duplicate or late append contains is kept, and what came after it is not deleted: "if an
// existing entry conflicts with a new one, delete the existing entry and all that follow" (3.1).
TEST(RaftReplication, AnOldAppendDeletesNothingThatAgrees) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "a");
  const Message old = group.link(1, 2).front();
  group.Propose(1, "b");
  group.Settle();
  const View before = group.view(2);
  group.Give(old);
  EXPECT_EQ(group.view(2).last_log, before.last_log);
  EXPECT_EQ(group.writes_waiting(2), 0u);
}

// "If a log entry is committed in a given term, then that entry will be present in the logs of the
// leaders for all higher-numbered terms" (figure 3.2). A leader that contradicts it is refused by
// silence, for good.
TEST(RaftReplication, ACommittedEntryIsNeverTruncated) {
  Group group(Voters(3));
  group.Elect(1);
  for (const char* payload : {"a", "b"}) group.Propose(1, payload);
  group.Settle();
  group.Pass(kHeartbeat * 2);
  ASSERT_EQ(group.commit(2), Index(3));
  group.DropAll();
  group.MayBePoisoned(2);
  const uint64_t term = group.view(2).term.value() + 1;
  const LogId prev{Term(group.disk(2).terms()[0]), Index(1)};
  group.Give(
      group.From(1, 2, term, AppendRequest{1, 0, prev, Index(), false, EntriesOfTerms(2, {term})}));
  EXPECT_NE(group.raft(2).poison().find("committed entry"), std::string::npos);
  EXPECT_EQ(group.writes_waiting(2), 0u) << "nothing of the failed call leaves";
  EXPECT_EQ(group.disk(2).log.size(), 3u);

  group.Give(group.From(1, 2, term, HeartbeatRequest{1, 1, LogId()}));
  group.Give(group.From(1, 2, term + 1, VoteRequest{{Term(99), Index(99)}, false}));
  group.Wait(Duration::Seconds(10));
  group.Campaign(2);
  EXPECT_TRUE(std::holds_alternative<NotLeader>(group.Propose(2, "x")));
  EXPECT_TRUE(std::holds_alternative<NotLeader>(group.Read(2)));
  for (const uint64_t to : {1, 3}) EXPECT_TRUE(group.link(2, to).empty());
  EXPECT_EQ(group.raft(2).next_deadline(), Instant::Max());
}

// The entry is taken in before it turns out to be of a term that its sender does not have.
TEST(RaftReplication, NothingOfAFailedCallLeaves) {
  Group group(Voters(3));
  group.MayBePoisoned(2);
  group.HoldDisk(2);
  group.Give(group.From(1, 2, 5, AppendRequest{1, 0, {}, Index(), false, EntriesOfTerms(1, {9})}));
  ASSERT_NE(group.raft(2).poison(), "");
  EXPECT_EQ(group.writes_waiting(2), 0u);
}

TEST(RaftReplication, APoisonedLeaderSendsNothing) {
  Group group(Voters(3));
  group.Elect(1);
  group.Settle();
  group.DropAll();
  group.MayBePoisoned(1);
  // An accept of an entry that was never sent cannot be.
  Message reply = group.From(2, 1, group.view(1).term.value(),
                             AppendReply{1, 0, AppendAccept{Index(999), Index()}});
  group.Give(reply);
  ASSERT_NE(group.raft(1).poison(), "");
  group.Propose(1, "x");
  group.Wait(kHeartbeat * 3);
  EXPECT_TRUE(group.link(1, 2).empty());
  EXPECT_TRUE(group.link(1, 3).empty());
}

TEST(RaftReplication, RepliesMayBeDuplicatedAndReordered) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  for (int i = 0; i < 4; ++i) group.Propose(1, "x");
  group.Deliver(1, 2);
  group.PersistAll(2);
  std::deque<Message> replies;
  replies.swap(group.link(2, 1));
  ASSERT_EQ(replies.size(), 4u);
  const Index last = group.view(1).last_log.index;
  for (auto reply = replies.rbegin(); reply != replies.rend(); ++reply) {
    group.Give(*reply);
    group.Give(*reply);
    EXPECT_EQ(MatchOf(group, 1, 2), last);
  }
  EXPECT_EQ(ProgressOf(group.view(1), 2).state, ProgressState::kReplicate);
  EXPECT_EQ(ProgressOf(group.view(1), 2).next_index, last.next());
  EXPECT_EQ(group.commit(1), Index(1)) << "its own write is not durable";
  group.PersistAll(1);
  EXPECT_EQ(group.commit(1), last);
}

TEST(RaftReplication, AppendsMayBeDuplicatedAndReordered) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  for (const char* payload : {"a", "b", "c", "d"}) group.Propose(1, payload);
  std::deque<Message> appends;
  appends.swap(group.link(1, 2));
  ASSERT_EQ(appends.size(), 4u);
  for (auto append = appends.rbegin(); append != appends.rend(); ++append) {
    group.Give(*append);
    group.Give(*append);
  }
  group.Settle();
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.applied(2), (Payloads{"a", "b", "c", "d"}));
}

// Nothing but a heartbeat tells a leader that its last appends were lost, and it must find out even
// when the window of unanswered ones is full.
TEST(RaftReplication, LostAppendsAreFoundByTheNextHeartbeat) {
  Config config;
  config.inflight_appends_max = 2;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Isolate(3);
  for (const char* payload : {"a", "b", "c"}) group.Propose(1, payload);
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 2).size(), 2u) << "the window is full";
  group.DropAll();
  group.Pass(kHeartbeat);
  EXPECT_EQ(group.applied(1), (Payloads{"a", "b", "c"}));
}

TEST(RaftReplication, ALostProbeIsRepeated) {
  Group group(Voters(3));
  group.Wait(kTimeout);
  ElectSilently(&group, 1, {2});
  group.DropAll();
  group.PersistAll(1);
  EXPECT_EQ(group.commit(1), Index());
  group.Pass(kHeartbeat);
  EXPECT_EQ(group.commit(1), Index(1));
}

TEST(RaftReplication, LostNewsOfACommitAreRepeated) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  group.Deliver(1, 2);
  group.PersistAll(1);
  group.PersistAll(2);
  group.Deliver(2, 1);
  ASSERT_EQ(group.commit(1), Index(2));
  group.DropAll();
  EXPECT_EQ(group.commit(2), Index(1));
  group.Pass(kHeartbeat);
  EXPECT_EQ(group.commit(2), Index(2));
  EXPECT_EQ(group.commit(3), Index(2));
}

// A quiet group sends heartbeats and nothing else.
TEST(RaftReplication, AHeartbeatOfAnUpToDateFollowerCausesNoAppend) {
  Group group(Voters(3));
  group.Elect(1);
  group.Pass(kHeartbeat * 2);
  group.Wait(kHeartbeat);
  group.Deliver(1, 2);
  group.Deliver(2, 1);
  EXPECT_TRUE(group.link(1, 2).empty());
}

// "Everything up to match_index is durable at the sender" is said by one life of one follower to
// one leadership.
TEST(RaftReplication, AcceptsOfAnotherSessionOrLifeDoNotCount) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.PersistAll(1);
  const Index before = MatchOf(group, 1, 2);
  group.Propose(1, "x");
  group.PersistAll(1);
  group.Deliver(1, 2);
  group.PersistAll(2);
  const Message reply = group.link(2, 1).front();
  group.DropAll();

  Message other = reply;
  std::get<AppendReply>(other.body).session += 100;
  group.Give(other);
  EXPECT_EQ(MatchOf(group, 1, 2), before);
  other = reply;
  other.from_incarnation = other.from_incarnation.next();
  group.Give(other);
  EXPECT_EQ(MatchOf(group, 1, 2), before);
  other = reply;
  other.from = PeerId(9);
  group.Give(other);
  EXPECT_EQ(group.commit(1), before);
  group.Give(reply);
  EXPECT_EQ(MatchOf(group, 1, 2), before.next());
}

// A follower whose disk was replaced under its old name has promised nothing.
TEST(RaftReplication, AWipedFollowerDoesNotCountAsTheOldOne) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.Propose(1, "x");
  group.Settle();
  const Index before = group.commit(1);
  Disk empty;
  empty.incarnation = Incarnation(999);
  group.Restart(2, empty);
  group.Propose(1, "y");
  group.Pass(kHeartbeat);
  EXPECT_EQ(group.commit(1), before);
  EXPECT_TRUE(group.disk(2).log.empty());
}

TEST(RaftReplication, TooMuchUncommittedIsRefused) {
  Config config;
  config.uncommitted_bytes_max = 10;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Isolate(2);
  group.Isolate(3);
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, "123456")));
  EXPECT_TRUE(std::holds_alternative<Busy>(group.Propose(1, "12345")));
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, "1234")));
  EXPECT_TRUE(std::holds_alternative<Busy>(group.Propose(1, "1")));
  group.Heal();
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.applied(2), (Payloads{"123456", "1234"})) << "what was refused was not proposed";
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, std::string(50, 'x'))))
      << "one alone may exceed the limit";
  group.Settle();
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, "12345")));
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, "12345")))
      << "what is committed no longer counts";
  EXPECT_TRUE(std::holds_alternative<Busy>(group.Propose(1, "1")));
}

// Counting uncommitted bytes must not outlive the leadership.
TEST(RaftReplication, ANewLeadershipStartsWithoutDebts) {
  Config config;
  config.uncommitted_bytes_max = 10;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Isolate(1);
  group.Propose(1, "1234567890");
  EXPECT_TRUE(std::holds_alternative<Busy>(group.Propose(1, "1")));
  group.Wait(kTimeout * 2);
  group.DropAll();
  group.Heal();
  group.Elect(2);
  group.Elect(1);
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, "1234567890")));
}

TEST(RaftReplication, AProposalElsewhereNamesTheLeader) {
  Group group(Voters(3));
  EXPECT_EQ(std::get<NotLeader>(group.Propose(2, "x")).leader, PeerId());
  group.Elect(1);
  EXPECT_EQ(std::get<NotLeader>(group.Propose(2, "x")).leader, PeerId(1));
}

TEST(RaftReplication, AProposalSaysWhereItWent) {
  Group group(Voters(3));
  group.Elect(1);
  const std::vector<NewEntry> entries(3, {EntryKind::kCommand, "x"});
  Effects effects;
  const ProposeResult result =
      group.raft(1).Propose(group.now(), EntryBlock::Create(entries), &effects);
  const auto& proposed = std::get<Proposed>(result);
  EXPECT_EQ(proposed.term, group.view(1).term);
  EXPECT_EQ(proposed.first_index, Index(2));
  EXPECT_EQ(proposed.last_index, Index(4));
}

// Old entries live on the disk alone; a follower that needs them gets them from there.
TEST(RaftReplication, ColdEntriesAreFetchedForAFollower) {
  Config config;
  config.window_bytes_max = 4;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Crash(3);
  Payloads expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back("p" + std::to_string(i));
    group.Propose(1, expected.back());
    group.Settle();
  }
  group.Restart(3);
  group.HoldFetches(1);
  group.Pass(kHeartbeat * 3);
  ASSERT_EQ(group.fetches(1).size(), 1u) << "one at a time for each follower";
  EXPECT_EQ(group.fetches(1)[0].first, Index(2));
  EXPECT_TRUE(group.applied(3).empty());
  for (int step = 0; step < 20; ++step) {
    group.AnswerFetches(1);
    group.Settle();
  }
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.applied(3), expected);
}

// The answer to a fetch may come after the follower moved, or after the leadership ended.
TEST(RaftReplication, ALateFetchIsHarmless) {
  Config config;
  config.window_bytes_max = 4;
  Group group(Voters(3), config);
  group.Elect(1);
  group.Crash(3);
  for (int i = 0; i < 6; ++i) {
    group.Propose(1, "payload");
    group.Settle();
  }
  group.Restart(3);
  group.HoldFetches(1);
  group.Pass(kHeartbeat * 3);
  ASSERT_EQ(group.fetches(1).size(), 1u);
  group.Elect(2);
  group.Pass(kHeartbeat * 2);
  ASSERT_EQ(group.applied(3).size(), 6u) << "the other leader brought it up to date";
  group.AnswerFetches(1);
  group.Elect(1);
  group.Propose(1, "last");
  group.Pass(kHeartbeat * 2);
  EXPECT_EQ(group.applied(3).size(), 7u);
}

TEST(RaftReplication, TheOnlyVoterCommitsByItself) {
  Group group(Voters(1));
  group.Pass(Duration::Seconds(1));
  group.Propose(1, "x");
  EXPECT_TRUE(group.applied(1).empty()) << "not durable yet";
  group.Settle();
  EXPECT_EQ(group.applied(1), Payloads{"x"});
}

TEST(RaftReplication, EqualStatesHaveEqualHashes) {
  const auto run = [](const char* payload) {
    Group group(Voters(3));
    group.Elect(1);
    group.Propose(1, payload);
    group.Settle();
    return std::pair(group.raft(1).state_hash(), group.raft(2).state_hash());
  };
  EXPECT_EQ(run("x"), run("x"));
  EXPECT_NE(run("x").first, run("y").first);
}

}  // namespace
}  // namespace flaredb::raft
