// SPDX-License-Identifier: Apache-2.0
// The thesis, sections 3.3 (terms) and 3.4 (leader election).
#include <set>

#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

// Section 3.3: terms are consecutive numbers, and each election begins the next one.
TEST(PaperTerms, AnElectionBeginsTheNextTerm) {
  Group group(Voters(3));
  group.Elect(1);
  const Term first = group.view(1).term;
  group.Crash(1);
  Forget(&group);
  MakeCandidate(&group, 2, 3);
  EXPECT_EQ(group.view(2).term, first.next());
}

// Section 3.3: whenever two servers communicate, the smaller current term becomes the larger one,
// whatever kind of message carries it.
TEST(PaperTerms, EveryKindOfMessageCarriesATermForward) {
  const std::vector<Body> bodies = {
      PreVoteRequest{Term(8), LogId()},
      PreVoteReply{Term(7), false},
      VoteRequest{},
      VoteReply{false},
      AppendRequest{},
      AppendReply{1, 0, AppendAccept{}},
      HeartbeatRequest{1, 1, LogId()},
      HeartbeatReply{1, 1, Index()},
      ReadReply{},
      SnapshotReply{},
  };
  for (const Body& body : bodies) {
    Group group(Voters(3));
    Forget(&group);
    group.Give(group.From(1, 2, 7, body));
    EXPECT_EQ(group.view(2).term, Term(7)) << "message kind " << body.index();
    EXPECT_EQ(group.view(2).vote, std::holds_alternative<VoteRequest>(body) ? PeerId(1) : PeerId());
  }
}

// Section 3.3: a candidate that discovers that its term is out of date reverts to follower at once.
TEST(PaperTerms, ACandidateOfAnOldTermBecomesAFollower) {
  Group group(Voters(3));
  Forget(&group);
  MakeCandidate(&group, 1, 2);
  group.Give(group.From(3, 1, 9, VoteReply{false}));
  EXPECT_EQ(group.view(1).role, Role::kFollower);
  EXPECT_EQ(group.view(1).term, Term(9));
}

// Section 3.3: a leader that discovers that its term is out of date reverts to follower at once.
TEST(PaperTerms, ALeaderOfAnOldTermBecomesAFollower) {
  Group group(Voters(3));
  group.Elect(1);
  group.Give(group.From(2, 1, 99, HeartbeatReply{}));
  EXPECT_EQ(group.view(1).role, Role::kFollower);
  EXPECT_EQ(group.view(1).term, Term(99));
  EXPECT_TRUE(std::holds_alternative<NotLeader>(group.Propose(1, "x")));
}

// Section 3.3: a request with a stale term is rejected: nothing of it is taken over.
TEST(PaperTerms, ARequestOfAnOldTermIsRejected) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1}, 5));
  Forget(&group);
  const uint64_t before = group.raft(2).state_hash();
  const Instant deadline = group.raft(2).next_deadline();
  group.Give(Append(group, 1, 2, 4, {Term(1), Index(1)}, EntriesOfTerms(2, {4}), Index(2)));
  group.Give(group.From(1, 2, 4, HeartbeatRequest{1, 1, LogId()}));
  group.Give(group.From(1, 2, 4, VoteRequest{{Term(4), Index(9)}, false}));
  group.Give(group.From(1, 2, 4, PreVoteRequest{Term(5), {Term(4), Index(9)}}));
  EXPECT_EQ(group.raft(2).state_hash(), before);
  EXPECT_EQ(group.raft(2).next_deadline(), deadline) << "a leader of the past is no leader";
  for (const Message& reply : group.link(2, 1)) EXPECT_EQ(reply.term, Term(5));
  EXPECT_FALSE(group.Waiting<VoteReply>(2, 1).at(0).granted);
  EXPECT_FALSE(group.Waiting<PreVoteReply>(2, 1).at(0).granted);
}

// Section 3.3: a request that is not answered in time is sent again.
TEST(PaperTerms, AnUnansweredAppendIsSentAgain) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  for (int loss = 0; loss < 3; ++loss) {
    group.DropAll();
    group.Wait(kHeartbeat);
  }
  group.Settle();
  LetSpread(&group);
  EXPECT_EQ(group.applied(2), Payloads{"x"});
  EXPECT_EQ(group.applied(3), Payloads{"x"});
}

// Section 3.4: servers start as followers.
TEST(PaperElection, AServerStartsAsAFollower) {
  Group group(Voters(3));
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(group.view(id).role, Role::kFollower);
  group.Elect(1);
  group.Restart(1);
  EXPECT_EQ(group.view(1).role, Role::kFollower) << "whatever it was in an earlier life";
}

// Section 3.4: a server stays a follower as long as it receives valid requests from a leader.
TEST(PaperElection, AFollowerThatHearsALeaderStaysOne) {
  Group group(Voters(3));
  group.Elect(1);
  const Term term = group.view(2).term;
  for (int beat = 0; beat < 100; ++beat) {
    group.Wait(kHeartbeat);
    group.Deliver(1, 2);
    group.Deliver(2, 1);
    ASSERT_EQ(group.view(2).role, Role::kFollower) << "beat " << beat;
  }
  EXPECT_EQ(group.view(2).term, term);
}

// Section 3.4: a candidate's request counts as contact, too, when it gets the vote.
TEST(PaperElection, GrantingAVoteRestartsTheElectionTimeout) {
  Group group(Voters(3));
  group.Restart(2, DiskWithTerms({1}, 5));
  Forget(&group);
  const Instant deadline = group.raft(2).next_deadline();
  EXPECT_EQ(AskVote(&group, 3, 2, 5, {}), false);
  EXPECT_EQ(group.raft(2).next_deadline(), deadline) << "a refusal is no contact";
  EXPECT_EQ(AskVote(&group, 1, 2, 5, {Term(1), Index(1)}), true);
  EXPECT_GE(group.raft(2).next_deadline(), group.now() + kTimeout);
}

// Section 3.4: leaders send heartbeats to all followers periodically.
TEST(PaperElection, ALeaderMakesContactPeriodically) {
  Group group(Voters(5));
  group.Elect(1);
  group.Pass(kHeartbeat * 2);
  for (int beat = 0; beat < 3; ++beat) {
    group.Wait(kHeartbeat);
    for (uint64_t id = 2; id <= 5; ++id) {
      EXPECT_EQ(group.Waiting<HeartbeatRequest>(1, id).size(), 1u) << "beat " << beat;
    }
    group.Settle();
  }
}

// Section 3.4: a follower that receives nothing for an election timeout assumes that there is no
// leader and begins an election; not earlier.
TEST(PaperElection, SilenceForAnElectionTimeoutBeginsAnElection) {
  Group group(Voters(3));
  group.Elect(1);
  group.Wait(kHeartbeat);
  group.Deliver(1, 2);
  group.Crash(1);
  group.Wait(kTimeout - kMoment);
  EXPECT_EQ(group.view(2).role, Role::kFollower);
  group.DropAll();
  group.Wait(kTimeout + kMoment);
  EXPECT_NE(group.view(2).role, Role::kFollower);
  EXPECT_GE(group.Waiting<PreVoteRequest>(2, 3).size(), 1u);
}

// Section 3.4: to begin an election a server increments its term, votes for itself and asks each of
// the other servers in parallel. (After a Pre-Vote, section 9.6.)
TEST(PaperElection, ACandidateVotesForItselfAndAsksAllOthers) {
  Group group(Voters(5));
  Forget(&group);
  const Term before = group.view(1).term;
  group.Campaign(1);
  group.Deliver(1, 2);
  group.Deliver(1, 3);
  group.Deliver(2, 1);
  group.Deliver(3, 1);
  group.PersistAll(1);
  EXPECT_EQ(group.view(1).role, Role::kCandidate);
  EXPECT_EQ(group.view(1).term, before.next());
  EXPECT_EQ(group.view(1).vote, PeerId(1));
  for (uint64_t id = 2; id <= 5; ++id) {
    EXPECT_EQ(group.Waiting<VoteRequest>(1, id).size(), 1u) << "asked at once: " << id;
  }
}

// Section 3.4: a candidate wins with the votes of a majority of the whole cluster for its term, and
// not with fewer.
TEST(PaperElection, AMajorityOfTheWholeClusterWins) {
  Group group(Voters(5));
  Forget(&group);
  group.Campaign(1);
  for (const uint64_t id : {2, 3}) group.Deliver(1, id);
  for (const uint64_t id : {2, 3}) group.Deliver(id, 1);
  group.PersistAll(1);
  const uint64_t term = group.view(1).term.value();
  group.Give(group.From(2, 1, term, VoteReply{true}));
  EXPECT_EQ(group.view(1).role, Role::kCandidate) << "two of five, its own included";
  group.Give(group.From(4, 1, term, VoteReply{false}));
  EXPECT_EQ(group.view(1).role, Role::kCandidate);
  group.Give(group.From(5, 1, term, VoteReply{true}));
  EXPECT_TRUE(group.leads(1));
}

// Section 3.4: a server votes for at most one candidate in a term, the first that comes.
TEST(PaperElection, AVoteGoesToTheFirstThatComes) {
  Group group(Voters(3));
  Forget(&group);
  EXPECT_EQ(AskVote(&group, 2, 3, 5, {}), true);
  EXPECT_EQ(AskVote(&group, 1, 3, 5, {Term(4), Index(9)}), false) << "however good its log is";
  EXPECT_EQ(AskVote(&group, 1, 3, 6, {Term(4), Index(9)}), true) << "but in another term";
}

// Section 3.4: a new leader makes contact with all others at once, so that nobody else campaigns.
TEST(PaperElection, ANewLeaderEstablishesItsAuthorityAtOnce) {
  Group group(Voters(5));
  ElectSilently(&group, 1, {2, 3});
  for (uint64_t id = 2; id <= 5; ++id) {
    ASSERT_GE(group.Waiting<AppendRequest>(1, id).size(), 1u) << id;
    group.Deliver(1, id);
    EXPECT_EQ(group.view(id).leader, PeerId(1));
    EXPECT_GE(group.raft(id).next_deadline(), group.now() + kTimeout);
  }
}

// Section 3.4: a candidate that hears from a leader whose term is at least its own recognizes it
// and becomes a follower.
TEST(PaperElection, ACandidateRecognizesALeaderOfItsTermOrALaterOne) {
  for (const uint64_t ahead : {0, 1, 5}) {
    Group group(Voters(3));
    Forget(&group);
    MakeCandidate(&group, 1, 2);
    const uint64_t term = group.view(1).term.value() + ahead;
    group.Give(Append(group, 3, 1, term, {}, {}));
    EXPECT_EQ(group.view(1).role, Role::kFollower) << ahead;
    EXPECT_EQ(group.view(1).leader, PeerId(3)) << ahead;
  }
}

// Section 3.4: a candidate rejects the append of a leader whose term is smaller than its own, and
// remains a candidate.
TEST(PaperElection, ACandidateRejectsALeaderOfAnEarlierTerm) {
  Group group(Voters(3));
  group.Restart(1, DiskWithTerms({}, 6));
  Forget(&group);
  MakeCandidate(&group, 1, 2);
  group.link(1, 3).clear();
  group.Give(Append(group, 3, 1, 6, {}, EntriesOfTerms(1, {6})));
  EXPECT_EQ(group.view(1).role, Role::kCandidate);
  EXPECT_EQ(group.view(1).last_log.index, Index());
  ASSERT_EQ(group.link(1, 3).size(), 1u) << "it is told the newer term";
  EXPECT_EQ(group.link(1, 3).front().term, Term(7));
}

// Section 3.4: when no candidate gets a majority, each of them times out and begins another
// election in a new term.
TEST(PaperElection, ACandidateWithoutAMajorityTimesOutAndTriesAgain) {
  Group group(Voters(4));
  Forget(&group);
  for (const uint64_t candidate : {1, 2}) group.Campaign(candidate);
  for (const uint64_t candidate : {1, 2}) {
    for (const uint64_t voter : {3, 4}) {
      group.Deliver(candidate, voter);
      group.Deliver(voter, candidate);
    }
    group.PersistAll(candidate);
    ASSERT_EQ(group.view(candidate).role, Role::kCandidate);
  }
  // Both are candidates of the same term; each gets its own vote and one more.
  const Term term = group.view(1).term;
  ASSERT_EQ(group.view(2).term, term);
  for (const auto& [candidate, helper] : {std::pair(1, 3), std::pair(2, 4)}) {
    group.Deliver(candidate, helper);
    group.PersistAll(helper);
  }
  group.Settle();
  ASSERT_EQ(Leaders(group, 4), 0u) << "a split vote";
  group.Pass(kTimeout * 6);
  EXPECT_EQ(Leaders(group, 4), 1u);
  EXPECT_GT(group.view(1).term, term);
}

// Section 3.4: election timeouts are drawn at random from a fixed interval; here
// [election_timeout, twice that).
TEST(PaperElection, ElectionTimeoutsAreRandomWithinAFixedInterval) {
  std::set<int64_t> drawn;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Group group(Voters(3), Config(), seed);
    const Duration timeout = group.raft(1).next_deadline() - group.now();
    EXPECT_GE(timeout, kTimeout);
    EXPECT_LT(timeout, kTimeout * 2);
    drawn.insert(timeout.milliseconds() * 10 / kTimeout.milliseconds());
  }
  EXPECT_EQ(drawn.size(), 10u) << "every tenth of the interval occurs";
}

// Section 3.4: a candidate draws a new timeout at the start of an election, and waits for it before
// it begins the next one.
TEST(PaperElection, ACandidateWaitsForANewTimeoutBeforeTheNextElection) {
  std::set<int64_t> drawn;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Group group(Voters(3), Config(), seed);
    Forget(&group);
    MakeCandidate(&group, 1, 2);
    const Duration timeout = group.raft(1).next_deadline() - group.now();
    EXPECT_GE(timeout, kTimeout);
    EXPECT_LT(timeout, kTimeout * 2);
    drawn.insert(timeout.nanoseconds());
  }
  EXPECT_GT(drawn.size(), 10u);
}

// Section 3.4: because of the random timeouts split votes are resolved quickly.
TEST(PaperElection, SplitVotesAreResolvedQuickly) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Group group(Voters(4), Config(), seed);
    Forget(&group);
    group.Campaign(1);
    group.Campaign(2);
    group.Campaign(3);
    group.Pass(kTimeout * 8);
    EXPECT_EQ(Leaders(group, 4), 1u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace flaredb::raft
