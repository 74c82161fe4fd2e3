// SPDX-License-Identifier: Apache-2.0
// The thesis, chapter 4: membership changes, sections 4.1 (safety) and 4.2 (availability). Here
// voters change by joint consensus only (4.3, in paper_ch4_joint_test), so a change of one server
// passes through a joint configuration, too.
#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

bool Begun(const ChangeResult& result) { return std::holds_alternative<Proposed>(result); }

ChangeRefusal RefusalOf(const ChangeResult& result) {
  EXPECT_TRUE(std::holds_alternative<ChangeRefusal>(result)) << "nothing was refused";
  const auto* refusal = std::get_if<ChangeRefusal>(&result);
  return refusal != nullptr ? *refusal : ChangeRefusal::kNoChange;
}

std::vector<PeerId> Peers(const std::vector<uint64_t>& ids) {
  std::vector<PeerId> peers;
  for (const uint64_t id : ids) peers.emplace_back(id);
  return peers;
}

// --- Section 4.1.

// A configuration takes effect on each server as soon as it is in that server's log, committed or
// not.
TEST(PaperMembership, AConfigurationCountsFromItsAppendOn) {
  Group group(Voters(3));
  group.Elect(1);
  group.AddEmpty(4);
  for (uint64_t id = 1; id <= 3; ++id) group.HoldDisk(id);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  EXPECT_EQ(group.view(1).conf.learners, Peers({4}));
  EXPECT_TRUE(group.view(2).conf.learners.empty());
  group.Deliver(1, 2);
  EXPECT_EQ(group.view(2).conf.learners, Peers({4}));
  EXPECT_LT(group.commit(1), group.view(1).conf_index);
}

// A change is complete, and the next one may begin, once its entry is committed.
TEST(PaperMembership, TheNextChangeWaitsForTheCommitOfTheLast) {
  Group group(Voters(3));
  group.Elect(1);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  EXPECT_EQ(RefusalOf(group.ChangeMembers(1, {AddLearner(5)})), ChangeRefusal::kChangeInProgress);
  group.Settle();
  EXPECT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(5)})));
}

// A configuration that is removed from a log gives way to the one before it in that log.
TEST(PaperMembership, ATruncatedConfigurationGivesWayToTheOneBefore) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(1);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {Remove(3)})));
  ASSERT_TRUE(group.view(1).conf.joint());
  group.Wait(kTimeout * 2);
  group.DropAll();
  ASSERT_TRUE(group.view(1).conf.joint()) << "no leader any more, but still in its log";
  group.Cut(1, 2);
  group.Pass(kTimeout * 4);
  ASSERT_TRUE(group.leads(2) || group.leads(3));
  group.Heal();
  group.Pass(kTimeout * 2);
  EXPECT_FALSE(group.view(1).conf.joint());
  EXPECT_EQ(group.view(1).conf.voters, Peers({1, 2, 3}));
}

// A server accepts appends from a leader that its configuration does not know: a new server knows
// nobody.
TEST(PaperMembership, AnAppendOfAStrangerIsAccepted) {
  Group group(Voters(3));
  group.AddEmpty(4);
  ASSERT_TRUE(group.view(4).conf.Everybody().empty());
  group.Give(Append(group, 1, 4, 5, {}, EntriesOfTerms(1, {5})));
  EXPECT_TRUE(Accepted(&group, 4, 1));
  group.Give(Append(group, 4, 2, 6, {}, EntriesOfTerms(1, {6})));
  EXPECT_TRUE(Accepted(&group, 2, 4));
}

// A server grants its vote to a candidate that its configuration does not know.
TEST(PaperMembership, AStrangerGetsAVote) {
  Group group(Voters(3));
  group.AddEmpty(4);
  Forget(&group);
  EXPECT_EQ(AskVote(&group, 4, 2, 5, {}), true);
  EXPECT_EQ(AskVote(&group, 1, 4, 5, {}), true);
}

// The new server's vote may be needed: with four servers and one of the old ones down, three of the
// rest have to agree.
TEST(PaperMembership, TheNewServersVoteKeepsTheClusterAvailable) {
  Group group(Voters(3));
  group.Elect(1);
  group.AddEmpty(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  LetSpread(&group);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {Promote(4)})));
  LetSpread(&group);
  ASSERT_EQ(group.view(4).conf.voters, Peers({1, 2, 3, 4}));
  group.Crash(1);
  group.Pass(kTimeout * 6);
  EXPECT_EQ(group.leads(2) + group.leads(3) + group.leads(4), 1);
}

// The cluster goes on with its clients' requests while the configuration changes.
TEST(PaperMembership, RequestsAreServedDuringAChange) {
  Group group(Voters(3));
  group.Elect(1);
  group.AddEmpty(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  group.Propose(1, "a");
  LetSpread(&group);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {Promote(4)})));
  ASSERT_TRUE(group.view(1).conf.joint());
  EXPECT_TRUE(std::holds_alternative<Proposed>(group.Propose(1, "b")));
  LetSpread(&group);
  EXPECT_FALSE(group.view(1).conf.joint());
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(group.applied(id), (Payloads{"a", "b"})) << id;
}

// Ongaro's correction of 2015: a leader changes nothing before it has committed an entry of its own
// term; it could not know whether an older change is committed.
TEST(PaperMembership, ANewLeaderChangesNothingBeforeItsFirstCommit) {
  Group group(Voters(3));
  ElectSilently(&group, 1, {2});
  EXPECT_EQ(RefusalOf(group.ChangeMembers(1, {AddLearner(4)})), ChangeRefusal::kLeaderIsNew);
  group.Settle();
  EXPECT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
}

// --- Section 4.2.1.

// A new server joins without a vote: it gets the log and counts for no majority.
TEST(PaperCatchUp, ANewServerGetsTheLogAndCountsForNothing) {
  Group group(Voters(3));
  group.Elect(1);
  group.AddEmpty(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  LetSpread(&group);
  for (const uint64_t id : {2, 3}) group.Isolate(id);
  const Index before = group.commit(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(ProgressOf(group, 1, 4).match_index, before.next());
  EXPECT_EQ(group.commit(1), before);
  group.Pass(kTimeout * 4);
  EXPECT_EQ(Leaders(group, 4), 0u) << "one voter and a learner are no majority of three";
}

// A server is made a voter only when it has caught up.
TEST(PaperCatchUp, AServerThatLagsIsNotPromoted) {
  Group group(Voters(3));
  group.Elect(1);
  for (int i = 0; i < 20; ++i) group.Propose(1, "x");
  group.Settle();
  group.AddEmpty(4);
  group.HoldDisk(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  group.Deliver(1, 4);
  group.PersistNext(4);  // The term, so that it may answer; no entry.
  LetSpread(&group);
  ASSERT_TRUE(ProgressOf(group, 1, 4).recently_active);
  EXPECT_EQ(RefusalOf(group.ChangeMembers(1, {Promote(4)})), ChangeRefusal::kNotCaughtUp);
  group.FreeDisk(4);
  LetSpread(&group);
  EXPECT_TRUE(ProgressOf(group, 1, 4).caught_up);
  EXPECT_TRUE(Begun(group.ChangeMembers(1, {Promote(4)})));
}

// Replication to the new server runs in rounds; the last one must take less than an election
// timeout.
TEST(PaperCatchUp, TheLastRoundHasToBeShorterThanAnElectionTimeout) {
  Group group(Voters(3));
  group.Elect(1);
  group.AddEmpty(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  LetSpread(&group);
  // In contact all the time, but always an entry behind, and longer than an election timeout.
  group.HoldDisk(4);
  group.Propose(1, "x");
  group.Settle();
  for (int i = 0; i < 3; ++i) {
    group.Propose(1, "x");
    group.Pass(kTimeout + kHeartbeat * 2);
    group.PersistNext(4);
    group.Settle();
    EXPECT_EQ(RefusalOf(group.ChangeMembers(1, {Promote(4)})), ChangeRefusal::kNotCaughtUp) << i;
  }
  group.FreeDisk(4);
  group.Settle();
  group.Pass(kHeartbeat * 2);
  EXPECT_TRUE(Begun(group.ChangeMembers(1, {Promote(4)})));
}

// The change is refused if the new server is unavailable, so that no cluster consists of drowned
// sailors.
TEST(PaperCatchUp, AnUnavailableServerIsNotPromoted) {
  Group group(Voters(3));
  group.Elect(1);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)}))) << "nobody has that name";
  group.Pass(Duration::Seconds(20));
  EXPECT_EQ(RefusalOf(group.ChangeMembers(1, {Promote(4)})), ChangeRefusal::kNotCaughtUp);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.applied(1), Payloads{"x"});
  // The same for one that was there and has gone.
  group.AddEmpty(4);
  LetSpread(&group);
  group.Crash(4);
  group.Pass(kTimeout * 2);
  EXPECT_EQ(RefusalOf(group.ChangeMembers(1, {Promote(4)})), ChangeRefusal::kNotCaughtUp);
}

// The leader finds out quickly that a new server's log is empty: a refusal tells the log's length.
TEST(PaperCatchUp, AnEmptyLogIsFoundWithOneRefusal) {
  Group group(Voters(3));
  group.Elect(1);
  for (int i = 0; i < 100; ++i) group.Propose(1, "x");
  group.Settle();
  group.AddEmpty(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {AddLearner(4)})));
  group.Deliver(1, 4);
  EXPECT_FALSE(Accepted(&group, 4, 1));
  ASSERT_EQ(group.Waiting<AppendReply>(4, 1).size(), 1u);
  group.Deliver(4, 1);
  EXPECT_EQ(group.Waiting<AppendRequest>(1, 4).at(0).prev.index, Index());
}

// --- Section 4.2.2.

class PaperRemovedLeader : public ::testing::Test {
 protected:
  // 1 leads {1, 2, 3}; the joint configuration of its removal is committed, and the final one is in
  // the logs, but durable nowhere but at 1.
  void RemoveTheLeaderHalfway() {
    group_.Elect(1);
    ASSERT_TRUE(Begun(group_.ChangeMembers(1, {Remove(1)})));
    for (const uint64_t id : {2, 3}) {
      group_.Deliver(1, id);
      group_.PersistAll(id);
    }
    group_.PersistAll(1);
    for (const uint64_t id : {2, 3}) {
      group_.HoldDisk(id);
      group_.Deliver(id, 1);
    }
    group_.PersistAll(1);
    ASSERT_EQ(group_.view(1).conf.voters, Peers({2, 3}));
    ASSERT_FALSE(group_.view(1).conf.joint());
    ASSERT_LT(group_.commit(1), group_.view(1).conf_index);
  }
  Group group_{Voters(3)};
};

// A leader that is removed steps down once the new configuration is committed, not before.
TEST_F(PaperRemovedLeader, StepsDownWhenTheNewConfigurationIsCommitted) {
  RemoveTheLeaderHalfway();
  group_.Settle();
  EXPECT_TRUE(group_.leads(1));
  for (const uint64_t id : {2, 3}) group_.FreeDisk(id);
  group_.Settle();
  EXPECT_FALSE(group_.leads(1));
  group_.Pass(kTimeout * 4);
  EXPECT_EQ(group_.leads(2) + group_.leads(3), 1);
  EXPECT_FALSE(group_.leads(1));
}

// Until then it manages a cluster that it is no part of: it replicates, and does not count itself.
TEST_F(PaperRemovedLeader, DoesNotCountItself) {
  RemoveTheLeaderHalfway();
  const Index before = group_.commit(1);
  ASSERT_TRUE(std::holds_alternative<Proposed>(group_.Propose(1, "x")));
  group_.FreeDisk(2);
  group_.Settle();
  EXPECT_EQ(group_.commit(1), before) << "its own disk and 2's: one of two";
  group_.FreeDisk(3);
  LetSpread(&group_);
  EXPECT_EQ(group_.applied(2), Payloads{"x"});
}

// A server that is not part of its own latest configuration still starts elections (figure 4.6: the
// leader of two is removed, and only it has the entry that says so).
TEST(PaperRemoved, AServerOutsideItsConfigurationMayBeNeededAsLeader) {
  Group group(Voters(2));
  group.Elect(1);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {Remove(1)})));
  group.Deliver(1, 2);
  group.PersistAll(2);
  group.PersistAll(1);
  group.Deliver(2, 1);
  group.PersistAll(1);
  ASSERT_EQ(group.view(1).conf.voters, Peers({2}));
  ASSERT_TRUE(group.view(2).conf.joint());
  group.DropAll();
  group.Restart(1);
  group.Pass(kTimeout * 10);
  EXPECT_TRUE(group.leads(2));
  EXPECT_EQ(group.view(2).conf.voters, Peers({2}));
  EXPECT_FALSE(group.view(2).conf.joint());
}

// It does not count its own vote, not being part of its latest configuration.
TEST_F(PaperRemovedLeader, DoesNotCountItsOwnVote) {
  RemoveTheLeaderHalfway();
  group_.DropAll();
  group_.Restart(1);
  for (const uint64_t id : {2, 3}) group_.Restart(id);
  group_.FreeDisk(2);
  group_.Isolate(3);
  group_.Pass(kTimeout * 10);
  EXPECT_FALSE(group_.leads(1)) << "its vote and 2's: one of two";
  group_.FreeDisk(3);
  group_.Heal();
  group_.Pass(kTimeout * 10);
  EXPECT_EQ(group_.leads(2) + group_.leads(3), 1);
}

// --- Section 4.2.3.

// A server that heard a leader within the minimum election timeout neither votes nor takes over the
// campaigner's term.
TEST(PaperDisruption, WhoHearsALeaderHelpsNobody) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(1);
  const Term term = group.view(2).term;
  group.Wait(kTimeout - kMoment);
  EXPECT_NE(AskVote(&group, 3, 2, 50, {Term(49), Index(99)}), true);
  EXPECT_EQ(group.view(2).term, term);
  EXPECT_NE(AskVote(&group, 3, 1, 50, {Term(49), Index(99)}), true);
  EXPECT_TRUE(group.leads(1));
  group.Wait(kMoment * 2);
  EXPECT_EQ(AskVote(&group, 3, 2, 50, {Term(49), Index(99)}), true);
}

// A server that was removed and has not been told does not disrupt the cluster.
TEST(PaperDisruption, ARemovedServerDisruptsNobody) {
  Group group(Voters(4));
  group.Elect(1);
  LetSpread(&group);
  group.Isolate(4);
  ASSERT_TRUE(Begun(group.ChangeMembers(1, {Remove(4)})));
  LetSpread(&group);
  ASSERT_EQ(group.view(1).conf.voters, Peers({1, 2, 3}));
  const Term term = group.view(1).term;
  group.Heal();
  group.Pass(Duration::Seconds(30));
  EXPECT_EQ(group.view(4).conf.voters, Peers({1, 2, 3, 4})) << "nobody tells it";
  EXPECT_TRUE(group.leads(1));
  EXPECT_EQ(group.view(1).term, term);
}

// Also one whose term has run ahead, as without Pre-Vote.
TEST(PaperDisruption, ALaterTermAloneDeposesNobody) {
  Group group(Voters(3));
  group.Elect(1);
  LetSpread(&group);
  const Term term = group.view(1).term;
  group.AddEmpty(9);
  for (int i = 0; i < 100; ++i) {
    for (uint64_t id = 1; id <= 3; ++id) {
      group.Give(group.From(9, id, 100 + static_cast<uint64_t>(i),
                            VoteRequest{{Term(99), Index(99)}, false}));
    }
    group.Pass(kHeartbeat);
  }
  EXPECT_TRUE(group.leads(1));
  EXPECT_EQ(group.view(1).term, term);
}

// A transfer is an exception: the request says that the leader itself allowed it.
TEST(PaperDisruption, ATransferMayDisruptTheLeader) {
  Group group(Voters(3));
  group.Elect(1);
  group.DropAll();
  const uint64_t term = group.view(2).term.value() + 1;
  const LogId last = group.view(3).last_log;
  EXPECT_NE(AskVote(&group, 3, 2, term, last, /*transfer=*/false), true);
  EXPECT_EQ(AskVote(&group, 3, 2, term, last, /*transfer=*/true), true);
}

}  // namespace
}  // namespace flaredb::raft
