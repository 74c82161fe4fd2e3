// SPDX-License-Identifier: Apache-2.0
// Linearizable reads without log entries: thesis 6.4.
#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

constexpr Duration kHeartbeat = Config().heartbeat_interval;

// The leader 1 in a quiet group.
class RaftRead : public ::testing::Test {
 protected:
  RaftRead() {
    group_.Elect(1);
    group_.Propose(1, "x");
    group_.Settle();
  }
  size_t answered() const { return group_.reads(1).size(); }

  Group group_{Voters(3)};
};

// "The leader issues a new round of heartbeats and waits for their acknowledgments from a majority
// of the cluster" (6.4, step 3).
TEST_F(RaftRead, IsGrantedWhenAQuorumAnsweredARound) {
  const ReadResult result = group_.Read(1);
  ASSERT_TRUE(std::holds_alternative<ReadId>(result));
  EXPECT_EQ(group_.Waiting<HeartbeatRequest>(1, 2).size(), 1u);
  EXPECT_EQ(answered(), 0u);
  group_.Deliver(1, 3);
  group_.Deliver(3, 1);
  ASSERT_EQ(answered(), 1u);
  EXPECT_TRUE(group_.reads(1)[0].granted);
  EXPECT_EQ(group_.reads(1)[0].id, std::get<ReadId>(result));
  EXPECT_EQ(group_.reads(1)[0].index, group_.commit(1));
}

TEST_F(RaftRead, NeedsAQuorumNotJustSomebody) {
  Group five(Voters(5));
  five.Elect(1);
  five.Read(1);
  five.Deliver(1, 2);
  five.Deliver(2, 1);
  EXPECT_TRUE(five.reads(1).empty());
  five.Deliver(1, 3);
  five.Deliver(3, 1);
  EXPECT_EQ(five.reads(1).size(), 1u);
}

// Answers to an older round prove nothing about the time after the read arrived.
TEST_F(RaftRead, ARoundThatBeganEarlierProvesNothing) {
  group_.Wait(kHeartbeat);
  group_.Deliver(1, 2);
  group_.Deliver(1, 3);
  ASSERT_EQ(group_.Waiting<HeartbeatReply>(2, 1).size(), 1u);
  group_.Read(1);
  group_.Deliver(2, 1);
  group_.Deliver(3, 1);
  EXPECT_EQ(answered(), 0u);
  group_.Settle();
  EXPECT_EQ(answered(), 1u);
}

TEST_F(RaftRead, AReadThatArrivesDuringARoundWaitsForTheNext) {
  group_.Read(1);
  group_.Deliver(1, 2);
  ASSERT_EQ(group_.Waiting<HeartbeatReply>(2, 1).size(), 1u);
  group_.Read(1);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 1u) << "the answer left before the second read arrived";
  group_.Settle();
  EXPECT_EQ(answered(), 2u);
}

// "It can accumulate read-only queries and run one round of heartbeats for them" (6.4).
TEST_F(RaftRead, ReadsThatArriveDuringARoundShareTheNext) {
  group_.Read(1);
  for (int i = 0; i < 10; ++i) group_.Read(1);
  EXPECT_EQ(group_.Waiting<HeartbeatRequest>(1, 2).size(), 1u);
  group_.Deliver(1, 2);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 1u);
  EXPECT_EQ(group_.Waiting<HeartbeatRequest>(1, 2).size(), 1u) << "one more for the ten";
  group_.Deliver(1, 2);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 11u);
  EXPECT_TRUE(group_.link(1, 2).empty());
}

TEST_F(RaftRead, ALostRoundIsReplacedByTheNextHeartbeat) {
  group_.Read(1);
  group_.DropAll();
  group_.Wait(kHeartbeat);
  group_.Deliver(1, 2);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 1u);
}

// The answer to an append is contact, too.
TEST_F(RaftRead, AnAppendOfTheRoundProvesItAsWell) {
  group_.Read(1);
  group_.DropAll();
  group_.Propose(1, "y");
  group_.Deliver(1, 2);
  group_.PersistAll(2);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 1u);
}

// "If the leader has not yet marked an entry from its current term committed, it waits until it has
// done so" (6.4, step 1).
TEST(RaftReadOfANewLeader, WaitsForACommitOfItsOwnTerm) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  group.Settle();
  group.Isolate(1);
  group.Wait(Config().election_timeout * 2);
  group.DropAll();
  // 2 wins, but its first entry is not accepted by anybody yet.
  group.Campaign(2);
  group.Deliver(2, 3);
  group.Deliver(3, 2);
  group.PersistAll(2);
  group.Deliver(2, 3);
  group.PersistAll(3);
  group.Deliver(3, 2);
  ASSERT_TRUE(group.leads(2));
  const Index last = group.view(2).last_log.index;
  ASSERT_LT(group.commit(2), last);
  group.HoldDisk(3);
  group.Read(2);
  group.Deliver(2, 3);
  group.Deliver(3, 2);
  EXPECT_TRUE(group.reads(2).empty()) << "a quorum answered, but the commit index may be behind";
  group.FreeDisk(3);
  group.Settle();
  ASSERT_EQ(group.reads(2).size(), 1u);
  EXPECT_GE(group.reads(2)[0].index, last);
}

TEST_F(RaftRead, IsAbortedWhenTheLeaderStepsDown) {
  group_.Isolate(1);
  group_.Read(1);
  group_.Read(1);
  group_.Wait(Config().election_timeout * 2);
  EXPECT_FALSE(group_.leads(1));
  ASSERT_EQ(answered(), 2u);
  EXPECT_FALSE(group_.reads(1)[0].granted);
  EXPECT_FALSE(group_.reads(1)[1].granted);
}

// "The follower could issue a request to the leader that just asked for a current readIndex" (6.4).
TEST_F(RaftRead, AFollowerAsksItsLeader) {
  ASSERT_TRUE(std::holds_alternative<ReadId>(group_.Read(2)));
  group_.Settle();
  ASSERT_EQ(group_.reads(2).size(), 1u);
  EXPECT_TRUE(group_.reads(2)[0].granted);
  EXPECT_EQ(answered(), 0u) << "not at the leader";
}

TEST(RaftReadWithoutALeader, IsNotTakenIn) {
  Group group(Voters(3));
  const ReadResult result = group.Read(2);
  ASSERT_TRUE(std::holds_alternative<NotLeader>(result));
  EXPECT_EQ(std::get<NotLeader>(result).leader, PeerId());
}

// "Another server might have been elected leader without its knowledge" (6.4).
TEST_F(RaftRead, ADeposedLeaderGrantsNothing) {
  group_.Wait(kHeartbeat);
  group_.Deliver(1, 2);  // Answered by 2 before it turns to another leader.
  group_.Isolate(1);
  group_.Wait(kHeartbeat);
  ASSERT_TRUE(group_.leads(1)) << "it has not noticed yet";
  group_.Read(1);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 0u);
}

TEST_F(RaftRead, AnswersForAnotherLeadershipDoNotCount) {
  group_.Read(1);
  group_.Deliver(1, 2);
  auto& replies = group_.link(2, 1);
  ASSERT_EQ(replies.size(), 1u);
  std::get<HeartbeatReply>(replies.front().body).session += 1000;
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 0u);
}

// A leader that restarts counts sessions and rounds from the beginning. What a follower answers, in
// the new term, to a request of the old one must not be taken for an answer to the new leadership.
TEST_F(RaftRead, AnAnswerToARequestOfAnEarlierTermProvesNothing) {
  for (int i = 0; i < 5; ++i) group_.Pass(kHeartbeat);
  group_.Wait(kHeartbeat);
  const std::deque<Message> delayed = group_.link(1, 2);
  ASSERT_FALSE(delayed.empty());
  group_.DropAll();
  group_.Restart(1);
  group_.Elect(1);
  ASSERT_EQ(group_.reads(1).size(), 0u);
  group_.Read(1);
  group_.DropAll();
  for (const Message& message : delayed) group_.Give(message);
  group_.Deliver(2, 1);
  EXPECT_EQ(answered(), 0u);
  EXPECT_EQ(group_.raft(1).poison(), "");
}

// The rounds that reads begin spare no heartbeat: with it the leader looks after its disk, its
// quorum and its snapshots.
TEST_F(RaftRead, AStreamOfReadsDoesNotHideAHungDisk) {
  group_.HoldDisk(1);
  group_.Propose(1, "y");
  const Instant late = group_.now() + Config().disk_stall_timeout + kHeartbeat * 2;
  while (group_.leads(1) && group_.now() < late) {
    group_.Read(1);
    group_.Pass(kHeartbeat / 2);
  }
  EXPECT_FALSE(group_.leads(1));
}

TEST(RaftReadAlone, IsGrantedAtOnce) {
  Group group(Voters(1));
  group.Pass(Duration::Seconds(1));
  group.Read(1);
  ASSERT_EQ(group.reads(1).size(), 1u);
  EXPECT_TRUE(group.reads(1)[0].granted);
}

}  // namespace
}  // namespace flaredb::raft
