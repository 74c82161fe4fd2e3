// SPDX-License-Identifier: Apache-2.0
// Elections, sentence by sentence. Quotations are from the Raft thesis (Ongaro 2014).
#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

constexpr Duration kTimeout = Config().election_timeout;
constexpr Duration kHeartbeat = Config().heartbeat_interval;

size_t Leaders(const Group& group, uint64_t replicas) {
  size_t leaders = 0;
  for (uint64_t id = 1; id <= replicas; ++id) leaders += group.leads(id) ? 1 : 0;
  return leaders;
}

// A group in which nobody is loyal to a leader and nothing is under way.
void Forget(Group* group) {
  group->Wait(kTimeout);
  group->DropAll();
}

// The last answer of `voter` to `candidate`, taken from the link; nullopt when there is none.
std::optional<bool> Vote(Group* group, uint64_t candidate, uint64_t voter, uint64_t term,
                         LogId last_log) {
  group->link(voter, candidate).clear();
  group->Give(group->From(candidate, voter, term, VoteRequest{last_log, false}));
  group->PersistAll(voter);
  const auto replies = group->Waiting<VoteReply>(voter, candidate);
  if (replies.empty()) return std::nullopt;
  return replies.back().granted;
}

std::optional<bool> PreVote(Group* group, uint64_t candidate, uint64_t voter, uint64_t term,
                            LogId last_log) {
  group->link(voter, candidate).clear();
  group->Give(group->From(candidate, voter, term - 1, PreVoteRequest{Term(term), last_log}));
  const auto replies = group->Waiting<PreVoteReply>(voter, candidate);
  if (replies.empty()) return std::nullopt;
  return replies.back().granted;
}

// "If a follower receives no communication over a period of time called the election timeout, then
// it assumes there is no viable leader and begins an election" (3.4).
TEST(RaftElection, SilenceEndsWithOneLeader) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Group group(Voters(5), Config(), seed);
    group.Pass(kTimeout * 10);
    ASSERT_EQ(Leaders(group, 5), 1u) << "seed " << seed;
    for (uint64_t id = 2; id <= 5; ++id) {
      EXPECT_EQ(group.view(id).term, group.view(1).term);
      EXPECT_EQ(group.view(id).leader, group.view(1).leader);
    }
  }
}

// "A server remains in follower state as long as it receives valid RPCs from a leader" (3.4).
TEST(RaftElection, AHeardLeaderStays) {
  Group group(Voters(3));
  group.Elect(1);
  const Term term = group.view(1).term;
  group.Pass(Duration::Seconds(30));
  EXPECT_TRUE(group.leads(1));
  EXPECT_EQ(group.view(1).term, term);
}

// "Each server will vote for at most one candidate in a given term" (3.4), whatever it forgot in a
// crash; "currentTerm, votedFor: persistent state on all servers" (figure 3.1).
TEST(RaftElection, VotesOnceATermAcrossARestart) {
  Group group(Voters(3));
  Forget(&group);
  EXPECT_EQ(Vote(&group, 1, 3, 5, {}), true);
  EXPECT_EQ(Vote(&group, 2, 3, 5, {}), false);
  group.Crash(3);
  group.Restart(3);
  EXPECT_EQ(group.view(3).vote, PeerId(1));
  EXPECT_EQ(Vote(&group, 2, 3, 5, {}), false);
  EXPECT_EQ(Vote(&group, 1, 3, 5, {}), true) << "the same candidate may ask again";
  Forget(&group);
  EXPECT_EQ(Vote(&group, 2, 3, 6, {}), true) << "a new term, a new vote";
}

TEST(RaftElection, ARefusalUsesNoVote) {
  Group group(Voters(3));
  group.Restart(3, DiskWithTerms({1, 1, 2}));
  Forget(&group);
  EXPECT_EQ(Vote(&group, 1, 3, 5, {Term(1), Index(9)}), false);
  EXPECT_EQ(Vote(&group, 2, 3, 5, {Term(2), Index(3)}), true);
}

// "The voter denies its vote if its own log is more up-to-date than that of the candidate. If the
// logs have last entries with different terms, then the log with the later term is more up-to-date.
// If the logs end with the same term, then whichever log is longer is more up-to-date" (3.6.1).
TEST(RaftElection, VoterRefusesCandidateWithOlderLog) {
  Group group(Voters(3));
  group.Restart(3, DiskWithTerms({1, 1, 2}));
  Forget(&group);
  EXPECT_EQ(Vote(&group, 1, 3, 3, {Term(1), Index(9)}), false) << "longer, but of an older term";
  EXPECT_EQ(Vote(&group, 1, 3, 4, {Term(2), Index(2)}), false) << "shorter";
  EXPECT_EQ(Vote(&group, 1, 3, 5, {Term(2), Index(3)}), true) << "equal";
  EXPECT_EQ(Vote(&group, 1, 3, 6, {Term(2), Index(4)}), true) << "longer";
  EXPECT_EQ(Vote(&group, 1, 3, 7, {Term(3), Index(1)}), true) << "of a later term";
}

// "In the Pre-Vote algorithm, a candidate only increments its term if it first learns from a
// majority of the cluster that they would be willing to grant the candidate their votes" (9.6).
TEST(RaftElection, PreVoteAsksTheSameQuestionAndChangesNothing) {
  Group group(Voters(3));
  group.Restart(3, DiskWithTerms({1, 1, 2}));
  Forget(&group);
  EXPECT_EQ(PreVote(&group, 1, 3, 3, {Term(1), Index(9)}), false);
  EXPECT_EQ(PreVote(&group, 1, 3, 3, {Term(2), Index(3)}), true);
  EXPECT_EQ(PreVote(&group, 2, 3, 3, {Term(2), Index(3)}), true) << "no vote was used";
  EXPECT_EQ(group.view(3).term, Term(2));
  EXPECT_EQ(group.view(3).vote, PeerId());
  EXPECT_EQ(group.writes_waiting(3), 0u);
}

TEST(RaftElection, PreVotesOfAnEarlierAttemptDoNotCount) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({1}, 7));
  Forget(&group);
  group.Campaign(1);
  group.Give(group.From(2, 1, 7, PreVoteReply{Term(7), true}));
  EXPECT_EQ(group.view(1).role, Role::kPreCandidate);
  group.Give(group.From(2, 1, 7, PreVoteReply{Term(8), true}));
  EXPECT_EQ(group.view(1).role, Role::kCandidate);
}

// "The Pre-Vote algorithm solves the issue of a partitioned server disrupting the cluster when it
// rejoins" (9.6).
TEST(RaftElection, APartitionedReplicaDoesNotDisturbWhenItRejoins) {
  Group group(Voters(3));
  group.Elect(1);
  const Term term = group.view(1).term;
  group.Isolate(3);
  group.Pass(Duration::Seconds(20));
  EXPECT_EQ(group.view(3).term, term);
  group.Heal();
  group.Pass(Duration::Seconds(20));
  EXPECT_TRUE(group.leads(1));
  EXPECT_EQ(group.view(1).term, term);
  EXPECT_EQ(group.view(3).leader, PeerId(1));
}

// "If a server receives a RequestVote request within the minimum election timeout of hearing from a
// current leader, it does not update its term or grant its vote" (4.2.3).
TEST(RaftElection, ALoyalFollowerHelpsNobodyToCampaign) {
  Group group(Voters(3));
  group.Elect(1);
  group.DropAll();
  const Term term = group.view(1).term;
  group.Isolate(1);
  group.Wait(kTimeout - Duration::Milliseconds(1));
  EXPECT_EQ(Vote(&group, 3, 2, term.value() + 9, {Term(99), Index(99)}), std::nullopt);
  EXPECT_EQ(PreVote(&group, 3, 2, term.value() + 1, {Term(99), Index(99)}), false);
  EXPECT_EQ(Vote(&group, 3, 1, term.value() + 9, {Term(99), Index(99)}), std::nullopt)
      << "nor does the leader itself";
  EXPECT_EQ(group.view(2).term, term);
  group.Wait(Duration::Milliseconds(2));
  EXPECT_EQ(PreVote(&group, 3, 2, term.value() + 1, {Term(99), Index(99)}), true);
  EXPECT_EQ(Vote(&group, 3, 2, term.value() + 9, {Term(99), Index(99)}), true);
}

// A restart must not shorten what an earlier life promised to a leader.
TEST(RaftElection, ARestartedReplicaIsLoyalForOneTimeout) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(1);
  group.DropAll();
  group.Crash(2);
  group.Restart(2);
  const uint64_t term = group.view(2).term.value();
  group.Wait(kTimeout - Duration::Milliseconds(1));
  EXPECT_EQ(Vote(&group, 3, 2, term + 1, {Term(99), Index(99)}), std::nullopt);
  group.Wait(Duration::Milliseconds(2));
  EXPECT_EQ(Vote(&group, 3, 2, term + 1, {Term(99), Index(99)}), true);
}

// "If one server's current term is smaller than the other's, then it updates its current term to
// the larger value. If a leader discovers that its term is out of date, it immediately reverts to
// follower state" (3.3). It hears of it in the answer to its append, whatever the loyalty.
TEST(RaftElection, ARejoinerOfALaterTermDeposesTheLeaderByItsAnswer) {
  Group group(Voters(3));
  group.Elect(1);
  Disk disk = group.disk(3);
  disk.hard_state = {Term(50), PeerId()};
  group.Restart(3, disk);
  group.Wait(kHeartbeat);
  group.Deliver(1, 3);
  EXPECT_TRUE(group.leads(1));
  group.Deliver(3, 1);
  EXPECT_FALSE(group.leads(1));
  EXPECT_EQ(group.view(1).term, Term(50));
  group.Pass(kTimeout * 10);
  EXPECT_EQ(Leaders(group, 3), 1u);
  EXPECT_GT(group.view(1).term, Term(50));
}

// "If a candidate or leader discovers that its term is out of date, it reverts to follower" (3.3);
// "if the term in the RPC is smaller than the candidate's current term, it rejects" (3.4).
TEST(RaftElection, AnswersToRequestsOfOlderTermsStateTheNewerTerm) {
  Group group(Voters(3));
  group.Restart(3, DiskWithTerms({1}, 9));
  Forget(&group);
  group.Give(group.From(1, 3, 4, VoteRequest{{Term(8), Index(8)}, false}));
  group.Give(group.From(1, 3, 4, PreVoteRequest{Term(5), {Term(8), Index(8)}}));
  group.Give(group.From(1, 3, 4, HeartbeatRequest{1, 1, LogId()}));
  group.Give(group.From(1, 3, 4, AppendRequest{1, 1, {}, Index(), false, {}}));
  ASSERT_EQ(group.link(3, 1).size(), 4u);
  for (const Message& message : group.link(3, 1)) EXPECT_EQ(message.term, Term(9));
  EXPECT_FALSE(group.Waiting<VoteReply>(3, 1).at(0).granted);
  EXPECT_FALSE(group.Waiting<PreVoteReply>(3, 1).at(0).granted);
  // Answers themselves are answered by nothing.
  group.DropAll();
  group.Give(group.From(1, 3, 4, VoteReply{true}));
  group.Give(group.From(1, 3, 4, AppendReply{1, 1, AppendAccept{Index(1), Index()}}));
  EXPECT_TRUE(group.link(3, 1).empty());
}

// "Persistent state on all servers (updated on stable storage before responding to RPCs)" (3.1).
TEST(RaftElection, AVoteIsGrantedOnlyWhenDurable) {
  Group group(Voters(3));
  Forget(&group);
  group.HoldDisk(2);
  group.Give(group.From(1, 2, 5, VoteRequest{}));
  EXPECT_EQ(group.view(2).vote, PeerId(1));
  EXPECT_TRUE(group.link(2, 1).empty());
  group.PersistAll(2);
  EXPECT_TRUE(group.Waiting<VoteReply>(2, 1).at(0).granted);
}

TEST(RaftElection, AGrantThatBecameDurableTooLateIsNotSent) {
  Group group(Voters(3));
  Forget(&group);
  group.HoldDisk(2);
  group.Give(group.From(1, 2, 5, VoteRequest{}));
  group.Give(group.From(3, 2, 6, VoteRequest{}));
  group.PersistAll(2);
  EXPECT_TRUE(group.link(2, 1).empty()) << "in term 6 a vote of term 5 binds nobody";
  EXPECT_TRUE(group.Waiting<VoteReply>(2, 3).at(0).granted);
}

// "Votes for itself" (3.4): a vote like any other, so durable before it is used.
TEST(RaftElection, ACandidateAsksOnlyWhenItsOwnVoteIsDurable) {
  Group group(Voters(3));
  Forget(&group);
  group.HoldDisk(1);
  group.Campaign(1);
  group.DeliverTo(2);
  group.DeliverTo(1);
  EXPECT_EQ(group.view(1).role, Role::kCandidate);
  EXPECT_TRUE(group.link(1, 2).empty());
  group.PersistAll(1);
  EXPECT_EQ(group.Waiting<VoteRequest>(1, 2).size(), 1u);
  EXPECT_EQ(group.Waiting<VoteRequest>(1, 3).size(), 1u);
}

TEST(RaftElection, ACandidateLeadsOnlyWhenItsOwnVoteIsDurable) {
  Group group(Voters(3));
  Forget(&group);
  group.HoldDisk(1);
  group.Campaign(1);
  group.DeliverTo(2);
  group.DeliverTo(1);
  const uint64_t term = group.view(1).term.value();
  group.Give(group.From(2, 1, term, VoteReply{true}));
  EXPECT_FALSE(group.leads(1)) << "its own vote is not cast yet";
  group.Give(group.From(3, 1, term, VoteReply{true}));
  EXPECT_FALSE(group.leads(1)) << "what a leader sends is not held back, so its term must be safe";
  group.PersistAll(1);
  EXPECT_TRUE(group.leads(1));
}

// "A candidate wins an election if it receives votes from a majority of the servers" (3.4):
// of different ones.
TEST(RaftElection, ADuplicatedVoteCountsOnce) {
  Group group(Voters(5));
  Forget(&group);
  group.Campaign(1);
  group.DeliverTo(2);
  group.DeliverTo(3);
  group.DeliverTo(1);
  group.PersistAll(1);
  ASSERT_EQ(group.view(1).role, Role::kCandidate);
  const uint64_t term = group.view(1).term.value();
  for (int i = 0; i < 5; ++i) group.Give(group.From(2, 1, term, VoteReply{true}));
  EXPECT_FALSE(group.leads(1));
  group.Give(group.From(2, 1, term, VoteReply{false}));
  group.Give(group.From(3, 1, term, VoteReply{true}));
  EXPECT_TRUE(group.leads(1));
}

TEST(RaftElection, VotesOfAnEarlierTermDoNotCount) {
  Group group(Voters(3));
  Forget(&group);
  group.Campaign(1);
  group.DeliverTo(2);
  group.DeliverTo(1);
  group.PersistAll(1);
  ASSERT_EQ(group.view(1).role, Role::kCandidate);
  group.Give(group.From(2, 1, group.view(1).term.value() - 1, VoteReply{true}));
  EXPECT_FALSE(group.leads(1));
}

TEST(RaftElection, ARefusedCandidateWaitsForItsNextDeadline) {
  Group group(Voters(3));
  Forget(&group);
  group.Campaign(1);
  group.DeliverTo(2);
  group.DeliverTo(1);
  group.PersistAll(1);
  const uint64_t term = group.view(1).term.value();
  group.Give(group.From(2, 1, term, VoteReply{false}));
  group.Give(group.From(3, 1, term, VoteReply{false}));
  EXPECT_EQ(group.view(1).role, Role::kFollower);
  EXPECT_GE(group.raft(1).next_deadline(), group.now() + kTimeout);
}

// "If the leader's term is at least as large as the candidate's current term, then the candidate
// recognizes the leader as legitimate and returns to follower state" (3.4).
TEST(RaftElection, ACandidateRecognizesTheLeaderOfItsTerm) {
  Group group(Voters(3));
  Forget(&group);
  group.Campaign(1);
  group.DeliverTo(2);
  group.DeliverTo(1);
  group.PersistAll(1);
  ASSERT_EQ(group.view(1).role, Role::kCandidate);
  group.Give(group.From(3, 1, group.view(1).term.value(), HeartbeatRequest{1, 1, LogId()}));
  EXPECT_EQ(group.view(1).role, Role::kFollower);
  EXPECT_EQ(group.view(1).leader, PeerId(3));
}

// Election safety: "at most one leader can be elected in a given term" (figure 3.2).
TEST(RaftElection, ASecondLeaderOfATermSilencesTheReplica) {
  Group group(Voters(3));
  group.Elect(1);
  const uint64_t term = group.view(1).term.value();
  group.MayBePoisoned(2);
  group.Give(group.From(3, 2, term, HeartbeatRequest{1, 1, LogId()}));
  EXPECT_NE(group.raft(2).poison(), "");
}

// "A leader in Raft steps down if an election timeout elapses without a successful round of
// heartbeats to a majority of its cluster" (6.2).
TEST(RaftElection, ALeaderWithoutAQuorumStepsDown) {
  Group group(Voters(5));
  group.Elect(1);
  group.Isolate(2);
  group.Isolate(3);
  group.Pass(Duration::Seconds(5));
  EXPECT_TRUE(group.leads(1)) << "with itself, 4 and 5 it hears a quorum";
  group.Isolate(4);
  group.Pass(kTimeout + kHeartbeat * 2);
  EXPECT_FALSE(group.leads(1));
}

TEST(RaftElection, LearnersNeitherVoteNorCampaign) {
  ConfState conf = Voters(3);
  conf.learners = {PeerId(4), PeerId(5)};
  Group group(conf);
  group.Isolate(2);
  group.Isolate(3);
  EXPECT_EQ(group.raft(4).next_deadline(), Instant::Max());
  group.Campaign(4);
  EXPECT_EQ(group.view(4).role, Role::kFollower);
  group.Pass(Duration::Seconds(10));
  EXPECT_EQ(Leaders(group, 5), 0u) << "1 with two learners is no quorum";
  group.Heal();
  group.Pass(Duration::Seconds(5));
  EXPECT_EQ(Leaders(group, 5), 1u);
  EXPECT_NE(group.view(4).leader, PeerId());
}

// "Agreement (for elections and entry commitment) requires separate majorities from both the old
// and new configurations" (4.3).
TEST(RaftElection, JointElectionsNeedBothHalves) {
  ConfState conf = Voters(3);
  conf.voters_outgoing = {PeerId(3), PeerId(4), PeerId(5)};
  Group group(conf);
  group.Isolate(4);
  group.Isolate(5);
  group.Pass(Duration::Seconds(10));
  EXPECT_EQ(Leaders(group, 5), 0u);
  group.Heal();
  group.Isolate(5);
  group.Pass(Duration::Seconds(10));
  EXPECT_EQ(Leaders(group, 5), 1u);
}

TEST(RaftElection, TheOnlyVoterLeadsAsSoonAsItsVoteIsDurable) {
  Group group(Voters(1));
  group.HoldDisk(1);
  group.Wait(Duration());
  EXPECT_FALSE(group.leads(1));
  group.PersistNext(1);
  EXPECT_TRUE(group.leads(1));
  EXPECT_EQ(group.commit(1), Index());
  group.PersistNext(1);
  EXPECT_EQ(group.commit(1), Index(1));
}

// A replica that lost its disk is not the one that the message means.
TEST(RaftElection, AMessageForAnotherLifeIsDropped) {
  Group group(Voters(3));
  Forget(&group);
  Message message = group.From(1, 2, 5, HeartbeatRequest{1, 1, LogId()});
  message.to_incarnation = Incarnation(77);
  group.Give(message);
  EXPECT_EQ(group.view(2).leader, PeerId());
  message.to_incarnation = group.disk(2).incarnation;
  group.Give(message);
  EXPECT_EQ(group.view(2).leader, PeerId(1));
}

}  // namespace
}  // namespace flaredb::raft
