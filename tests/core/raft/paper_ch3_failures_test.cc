// SPDX-License-Identifier: Apache-2.0
// The thesis, sections 3.7 (crashes), 3.8 (persisted state and restarts), 3.9 (timing) and 3.10
// (leadership transfer).
#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

// Section 3.7: requests to a crashed server are retried indefinitely; when it restarts they
// succeed.
TEST(PaperCrash, RequestsToACrashedServerSucceedOnceItIsBack) {
  Group group(Voters(3));
  group.Elect(1);
  group.Crash(3);
  group.Propose(1, "x");
  group.Pass(Duration::Seconds(30));
  group.Restart(3);
  LetSpread(&group);
  EXPECT_EQ(group.applied(3), Payloads{"x"});
  EXPECT_TRUE(group.leads(1));
}

// Section 3.7: requests are idempotent: a server that had carried one out before it crashed,
// without having answered, gets it again and nothing changes.
TEST(PaperCrash, ARepeatedAppendChangesNothing) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  const Message append = group.link(1, 2).back();
  group.Deliver(1, 2);
  group.PersistAll(2);
  group.Restart(2);
  group.link(2, 1).clear();
  const std::vector<uint64_t> before = group.disk(2).terms();
  group.Give(append);
  EXPECT_EQ(group.writes_waiting(2), 0u);
  EXPECT_TRUE(Accepted(&group, 2, 1));
  EXPECT_EQ(group.disk(2).terms(), before);
}

// Section 3.7: a request for a vote is idempotent, too, across a crash of the voter.
TEST(PaperCrash, ARepeatedRequestForAVoteGetsTheSameAnswer) {
  Group group(Voters(3));
  Forget(&group);
  ASSERT_EQ(AskVote(&group, 1, 2, 5, {}), true);
  group.Restart(2);
  Forget(&group);
  EXPECT_EQ(AskVote(&group, 1, 2, 5, {}), true);
  EXPECT_EQ(AskVote(&group, 3, 2, 5, {}), false);
}

// Section 3.8: the current term and the vote are on stable storage before a server responds.
TEST(PaperPersistence, TermAndVoteAreDurableBeforeAnAnswer) {
  Group group(Voters(3));
  Forget(&group);
  group.HoldDisk(2);
  group.Give(group.From(1, 2, 5, VoteRequest{}));
  EXPECT_TRUE(group.link(2, 1).empty());
  group.Crash(2);
  EXPECT_EQ(group.disk(2).hard_state, HardState()) << "so it may vote for another one";
  group.FreeDisk(2);
  group.Restart(2);
  Forget(&group);
  EXPECT_EQ(AskVote(&group, 3, 2, 5, {}), true);
}

// Section 3.8: entries are on stable storage before they count towards commitment.
TEST(PaperPersistence, EntriesAreDurableBeforeTheyCount) {
  Group group(Voters(3));
  group.Elect(1);
  for (const uint64_t id : {2, 3}) group.HoldDisk(id);
  const Index before = group.commit(1);
  group.Propose(1, "x");
  group.Settle();
  EXPECT_EQ(group.commit(1), before) << "both others have it in memory only";
  group.FreeDisk(3);
  group.Settle();
  EXPECT_EQ(group.commit(1), before.next());
}

// Section 3.8: the commit index may be forgotten in a crash: it is learned again as soon as a new
// leader commits.
TEST(PaperPersistence, TheCommitIndexIsLearnedAgain) {
  Group group(Voters(3));
  group.Elect(1);
  for (const char* payload : {"a", "b"}) group.Propose(1, payload);
  group.Settle();
  LetSpread(&group);
  for (uint64_t id = 1; id <= 3; ++id) {
    Disk disk = group.disk(id);
    disk.applied_index = Index();  // The state machine is volatile: it starts from nothing.
    group.Restart(id, disk);
    EXPECT_EQ(group.commit(id), Index());
  }
  group.Elect(2);
  LetSpread(&group);
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(group.applied(id), (Payloads{"a", "b"})) << "replayed at " << id;
  }
}

// Section 3.8: a persistent state machine says how far it has applied, and nothing is applied
// again.
TEST(PaperPersistence, WhatIsAppliedIsNotAppliedAgain) {
  Group group(Voters(3));
  group.Elect(1);
  for (const char* payload : {"a", "b"}) group.Propose(1, payload);
  group.Settle();
  LetSpread(&group);
  for (uint64_t id = 1; id <= 3; ++id) group.Restart(id);
  EXPECT_EQ(group.commit(2), Index(3)) << "applied, so committed";
  group.Elect(2);
  group.Propose(2, "c");
  LetSpread(&group);
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(group.applied(id), (Payloads{"a", "b", "c"}));
}

// Section 3.8: a server that lost its persistent state can't return under its old identity: what
// the old life acknowledged does not count for the new one, nor does the new one's vote.
TEST(PaperPersistence, AServerThatLostItsDiskIsAnotherOne) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(3);
  group.Propose(1, "x");
  group.Settle();
  ASSERT_EQ(group.applied(1), Payloads{"x"}) << "1 and 2 have it";
  group.Wipe(2, group.view(1).conf);
  group.Crash(1);
  group.Heal();
  group.Pass(Duration::Seconds(20));
  EXPECT_EQ(Leaders(group, 3), 0u) << "2 and 3 would elect one that lacks x";
  group.Restart(1);
  group.Pass(Duration::Seconds(10));
  EXPECT_TRUE(group.leads(1));
  EXPECT_EQ(group.applied(3), Payloads{"x"});
}

// The same, message by message: a vote of another life of a voter is none.
TEST(PaperPersistence, AVoteOfAnotherLifeDoesNotCount) {
  Group group(Voters(3));
  Forget(&group);
  MakeCandidate(&group, 1, 2);
  Message vote = group.From(2, 1, group.view(1).term.value(), VoteReply{true});
  vote.from_incarnation = Incarnation(999);
  group.Give(vote);
  EXPECT_FALSE(group.leads(1));
  vote.from_incarnation = FirstLife(2);
  group.Give(vote);
  EXPECT_TRUE(group.leads(1));
}

// Section 3.9: after a leader's crash there is another one within a few election timeouts.
TEST(PaperTiming, ALeaderIsReplacedWithinAFewElectionTimeouts) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Group group(Voters(5), Config(), seed);
    group.Elect(1);
    group.Pass(kHeartbeat);
    group.Crash(1);
    group.Pass(kTimeout * 4);
    EXPECT_EQ(Leaders(group, 5), 1u) << "seed " << seed;
  }
}

// --- Section 3.10.

class PaperTransfer : public ::testing::Test {
 protected:
  PaperTransfer() {
    group_.Elect(1);
    group_.Propose(1, "x");
    LetSpread(&group_);
  }
  Group group_{Voters(3)};
};

// Section 3.10, step 1: the prior leader stops accepting client requests.
TEST_F(PaperTransfer, TheLeaderAcceptsNoMoreProposals) {
  ASSERT_EQ(group_.TransferLeadership(1, 2), std::nullopt);
  EXPECT_TRUE(std::holds_alternative<Busy>(group_.Propose(1, "y")));
}

// Section 3.10, step 2: the prior leader brings the target's log up to date by normal replication,
// and only then (step 3) tells it to stand for election.
TEST_F(PaperTransfer, TheTargetGetsTheWholeLogFirst) {
  group_.HoldDisk(2);
  group_.Propose(1, "y");
  group_.Settle();
  ASSERT_LT(ProgressOf(group_, 1, 2).match_index, group_.view(1).last_log.index);
  ASSERT_EQ(group_.TransferLeadership(1, 2), std::nullopt);
  group_.Deliver(1, 2);
  group_.Deliver(2, 1);
  EXPECT_TRUE(group_.Waiting<TimeoutNow>(1, 2).empty());
  group_.PersistAll(2);
  group_.Deliver(2, 1);
  EXPECT_EQ(group_.Waiting<TimeoutNow>(1, 2).size(), 1u);
  group_.FreeDisk(2);
  group_.Settle();
  EXPECT_TRUE(group_.leads(2));
}

// Section 3.10, step 3: the order has the effect of the target's election timer: it increments its
// term and starts an election, at once, though it heard a leader a moment ago.
TEST_F(PaperTransfer, TheTargetCampaignsAtOnce) {
  const Term term = group_.view(2).term;
  ASSERT_EQ(group_.TransferLeadership(1, 2), std::nullopt);
  ASSERT_EQ(group_.Waiting<TimeoutNow>(1, 2).size(), 1u);
  group_.Deliver(1, 2);
  EXPECT_EQ(group_.view(2).role, Role::kCandidate);
  EXPECT_EQ(group_.view(2).term, term.next());
}

// Section 3.10: the target's first message shows the prior leader the new term, and it steps down.
TEST_F(PaperTransfer, ThePriorLeaderStepsDownForTheTarget) {
  const Term term = group_.view(1).term;
  ASSERT_EQ(group_.TransferLeadership(1, 2), std::nullopt);
  group_.Settle();
  EXPECT_FALSE(group_.leads(1));
  EXPECT_TRUE(group_.leads(2));
  EXPECT_EQ(group_.view(1).term, term.next()) << "one election, no time passed";
  EXPECT_TRUE(std::holds_alternative<Proposed>(group_.Propose(2, "y")));
}

// Section 3.10: if the transfer does not complete within an election timeout, the prior leader
// gives it up and accepts requests again.
TEST_F(PaperTransfer, AFailedTransferIsGivenUpAfterAnElectionTimeout) {
  group_.Isolate(2);
  ASSERT_EQ(group_.TransferLeadership(1, 2), std::nullopt);
  group_.Pass(kTimeout / 2);
  EXPECT_TRUE(std::holds_alternative<Busy>(group_.Propose(1, "y")));
  group_.Pass(kTimeout);
  EXPECT_TRUE(group_.leads(1));
  EXPECT_TRUE(std::holds_alternative<Proposed>(group_.Propose(1, "y")));
}

// Section 3.10: a transfer loses nothing that was proposed before it.
TEST_F(PaperTransfer, NothingIsLostInATransfer) {
  for (int i = 0; i < 5; ++i) group_.Propose(1, "p" + std::to_string(i));
  const Payloads expected = {"x", "p0", "p1", "p2", "p3", "p4"};
  ASSERT_EQ(group_.TransferLeadership(1, 3), std::nullopt);
  group_.Settle();
  ASSERT_TRUE(group_.leads(3));
  LetSpread(&group_);
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(group_.applied(id), expected) << id;
}

// Section 3.10: only a voter can become the leader.
TEST(PaperTransferTarget, OnlyAnotherVoterIsATarget) {
  ConfState conf = Voters(3);
  conf.learners = {PeerId(4)};
  Group group(conf);
  group.Elect(1);
  EXPECT_EQ(group.TransferLeadership(1, 4), TransferRefusal::kNotVoter);
  EXPECT_EQ(group.TransferLeadership(1, 1), TransferRefusal::kIsLeader);
  EXPECT_EQ(group.TransferLeadership(2, 3), TransferRefusal::kNotLeader);
  ASSERT_EQ(group.TransferLeadership(1, 2), std::nullopt);
  EXPECT_EQ(group.TransferLeadership(1, 3), TransferRefusal::kInProgress);
}

}  // namespace
}  // namespace flaredb::raft
