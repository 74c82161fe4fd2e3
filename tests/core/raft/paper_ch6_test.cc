// SPDX-License-Identifier: Apache-2.0
// The thesis, chapter 6, as far as it speaks of servers: sections 6.2 (finding the leader) and 6.4
// (reads without log entries). Client sessions (6.3) belong to the state machine: core/kv.
#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

bool Granted(const Group& group, uint64_t id, size_t reads = 1) {
  return group.reads(id).size() == reads && group.reads(id).back().granted;
}

// Section 6.2: a server that is not the leader rejects a request, and names the leader if it knows.
TEST(PaperRouting, AServerThatDoesNotLeadNamesTheLeader) {
  Group group(Voters(3));
  EXPECT_EQ(std::get<NotLeader>(group.Propose(2, "x")).leader, PeerId());
  group.Elect(1);
  EXPECT_EQ(std::get<NotLeader>(group.Propose(2, "x")).leader, PeerId(1));
  EXPECT_EQ(std::get<NotLeader>(group.ChangeMembers(3, {Demote(2)})).leader, PeerId(1));
}

// Section 6.2: a leader steps down if an election timeout passes without a successful round of
// heartbeats to a majority, so that its clients look elsewhere.
TEST(PaperRouting, ALeaderWithoutAMajorityStepsDown) {
  Group group(Voters(5));
  group.Elect(1);
  for (const uint64_t id : {2, 3}) group.Isolate(id);
  group.Pass(kTimeout * 10);
  EXPECT_TRUE(group.leads(1)) << "three of five are in contact";
  group.Isolate(4);
  group.Pass(kTimeout - kHeartbeat);
  EXPECT_TRUE(group.leads(1)) << "not yet";
  group.Pass(kHeartbeat * 3);
  EXPECT_FALSE(group.leads(1));
}

// Section 6.2: followers discard the leader's identity when they start an election.
TEST(PaperRouting, ACampaignerForgetsTheLeader) {
  Group group(Voters(3));
  group.Elect(1);
  group.Crash(1);
  group.Isolate(2);
  ASSERT_EQ(group.view(2).leader, PeerId(1));
  group.Wait(kTimeout * 2);
  EXPECT_EQ(std::get<NotLeader>(group.Propose(2, "x")).leader, PeerId());
}

// Section 6.2: and when the term changes.
TEST(PaperRouting, ANewTermForgetsTheLeader) {
  Group group(Voters(3));
  group.Elect(1);
  group.Give(group.From(3, 2, 50, HeartbeatReply{}));
  EXPECT_EQ(std::get<NotLeader>(group.Propose(2, "x")).leader, PeerId());
}

// --- Section 6.4.

// Step 1: a leader begins its term with a blank entry, to find out what is committed.
TEST(PaperRead, ALeaderBeginsItsTermWithANoop) {
  Group group(Voters(3));
  group.Elect(1);
  const StoredEntry& first = group.disk(1).log.at(0);
  EXPECT_EQ(first.kind, EntryKind::kNoop);
  EXPECT_TRUE(first.payload.empty());
  EXPECT_EQ(first.term, group.view(1).term);
}

// Step 1: a leader that has not yet committed an entry of its term waits until it has.
TEST(PaperRead, ANewLeaderWaitsForACommitOfItsTerm) {
  for (const ReadMode mode : {ReadMode::kReadIndex, ReadMode::kLease}) {
    Group group(Voters(3));
    group.Elect(1);
    group.Propose(1, "x");
    group.Settle();
    group.DropAll();
    group.Crash(1);
    for (const uint64_t id : {2, 3}) group.HoldDisk(id);
    ElectSilently(&group, 2, {3});
    group.Read(2, mode);
    for (int i = 0; i < 3; ++i) {
      group.Deliver(2, 3);
      group.Deliver(3, 2);
    }
    EXPECT_TRUE(group.reads(2).empty()) << "its first entry is not durable anywhere";
    for (const uint64_t id : {2, 3}) group.FreeDisk(id);
    group.Settle();
    ASSERT_TRUE(Granted(group, 2));
    EXPECT_EQ(group.reads(2)[0].index, group.view(2).last_log.index);
  }
}

// Step 2: the read index is the leader's commit index when the read came.
TEST(PaperRead, TheReadIndexIsTheCommitIndex) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  group.Settle();
  const Index commit = group.commit(1);
  group.Read(1);
  group.Propose(1, "later");
  group.Settle();
  ASSERT_TRUE(Granted(group, 1));
  EXPECT_EQ(group.reads(1)[0].index, commit);
}

// Step 3: the leader makes sure that it is not superseded: it waits for a majority to acknowledge
// heartbeats that began after the read came.
TEST(PaperRead, AMajorityHasToAcknowledgeANewRound) {
  Group group(Voters(5));
  group.Elect(1);
  group.Wait(kHeartbeat);
  for (const uint64_t id : {2, 3, 4, 5}) group.Deliver(1, id);
  group.Read(1);
  for (const uint64_t id : {2, 3, 4, 5}) group.Deliver(id, 1);
  EXPECT_TRUE(group.reads(1).empty()) << "answers to an older round";
  group.Deliver(1, 2);
  group.Deliver(2, 1);
  EXPECT_TRUE(group.reads(1).empty()) << "two of five";
  group.Deliver(1, 3);
  group.Deliver(3, 1);
  EXPECT_TRUE(Granted(group, 1));
}

// Step 3: a leader that was deposed without knowing grants nothing.
TEST(PaperRead, ADeposedLeaderGrantsNothing) {
  Group group(Voters(3));
  group.Elect(1);
  group.Isolate(1);
  group.Wait(kTimeout - kMoment);
  ASSERT_TRUE(group.leads(1));
  group.Read(1);
  group.Pass(kTimeout * 4);
  ASSERT_EQ(group.reads(1).size(), 1u);
  EXPECT_FALSE(group.reads(1)[0].granted);
}

// Steps 4 and 5: the index tells how far the state machine has to be; it may lag behind the answer.
TEST(PaperRead, TheStateMachineHasToReachTheReadIndex) {
  Config config;
  config.window_bytes_max = 1;
  Group group(Voters(1), config);
  group.Pass(kTimeout);
  for (const char* payload : {"a", "b"}) group.Propose(1, payload);
  group.Settle();
  Disk disk = group.disk(1);
  disk.applied_index = Index(1);
  group.Restart(1, disk);
  group.HoldFetches(1);
  group.Pass(kTimeout);
  ASSERT_TRUE(group.leads(1));
  group.Read(1);
  ASSERT_TRUE(Granted(group, 1));
  EXPECT_GT(group.reads(1)[0].index, group.disk(1).applied_index);
  group.FreeFetches(1);
  group.Settle();
  EXPECT_GE(group.disk(1).applied_index, group.reads(1)[0].index);
}

// Section 6.4: one round of heartbeats serves any number of reads that have accumulated.
TEST(PaperRead, OneRoundServesManyReads) {
  Group group(Voters(3));
  group.Elect(1);
  group.Pass(kMoment);
  group.Read(1);
  for (int i = 0; i < 50; ++i) group.Read(1);
  size_t rounds = 0;
  for (int i = 0; i < 4; ++i) {
    rounds += group.Waiting<HeartbeatRequest>(1, 2).size();
    group.Deliver(1, 2);
    group.Deliver(2, 1);
  }
  EXPECT_EQ(group.reads(1).size(), 51u);
  EXPECT_EQ(rounds, 2u) << "one for the first, one for all others";
}

// Section 6.4: a follower asks the leader for a read index and serves the read itself.
TEST(PaperRead, AFollowerAsksTheLeader) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "x");
  group.Settle();
  const ReadResult result = group.Read(2);
  ASSERT_TRUE(std::holds_alternative<ReadId>(result));
  EXPECT_TRUE(group.reads(2).empty());
  EXPECT_EQ(group.Waiting<ReadRequest>(2, 1).size(), 1u);
  group.Settle();
  ASSERT_TRUE(Granted(group, 2));
  EXPECT_EQ(group.reads(2)[0].id, std::get<ReadId>(result));
  EXPECT_EQ(group.reads(2)[0].index, group.commit(1));
}

// Section 6.4: also for a follower the leader has to prove that it leads.
TEST(PaperRead, ADeposedLeaderGrantsNothingToAFollower) {
  Group group(Voters(5));
  group.Elect(1);
  // 1 and 2 on one side, a new leader and a new entry on the other.
  for (const uint64_t id : {3, 4, 5}) {
    group.Cut(1, id);
    group.Cut(2, id);
  }
  group.Wait(kHeartbeat);
  group.Deliver(1, 2);
  group.Read(2);
  group.Settle();
  EXPECT_TRUE(group.reads(2).empty() || !group.reads(2)[0].granted);
  group.Pass(kTimeout * 6);
  ASSERT_EQ(Leaders(group, 5), 1u);
  for (const ReadOutcome& read : group.reads(2)) EXPECT_FALSE(read.granted);
}

// --- Section 6.4.1.

class PaperLease : public ::testing::Test {
 protected:
  PaperLease() {
    group_.Elect(1);
    group_.Propose(1, "x");
    group_.Pass(kHeartbeat * 2);
    group_.DropAll();
  }
  // A round of contact with 2 that begins now, and whose answer takes `delay`.
  void Round(Duration delay = Duration()) {
    group_.DropAll();
    group_.Read(1);
    group_.Deliver(1, 2);
    group_.Isolate(1);  // Nothing later reaches anybody.
    group_.Wait(delay);
    group_.Deliver(2, 1);
  }
  // Shorter than the election timeout by the bound on the clocks' drift.
  static Duration LeaseLength() {
    return Duration::Nanoseconds(kTimeout.nanoseconds() * 1000000 /
                                 (1000000 + Config().clock_drift_ppm_max));
  }
  Group group_{Voters(3)};
};

// Section 6.4.1: while it holds its lease, the leader serves reads without sending anything.
TEST_F(PaperLease, AReadUnderALeaseNeedsNoMessage) {
  Round();
  group_.DropAll();
  const size_t before = group_.reads(1).size();
  ASSERT_TRUE(group_.holds_lease(1));
  group_.Read(1, ReadMode::kLease);
  EXPECT_TRUE(Granted(group_, 1, before + 1)) << "answered by the call itself";
  EXPECT_EQ(group_.reads(1).back().index, group_.commit(1));
  group_.Heal();
  EXPECT_TRUE(group_.link(1, 2).empty());
  EXPECT_TRUE(group_.link(1, 3).empty());
}

// Section 6.4.1: an acknowledged round extends the lease to its start plus the election timeout
// over the drift bound: to its start, not to the arrival of the answers.
TEST_F(PaperLease, TheLeaseBeginsWithTheSendingOfTheRound) {
  const Duration delay = kTimeout / 2;
  Round(delay);
  ASSERT_TRUE(group_.holds_lease(1));
  group_.Wait(LeaseLength() - delay - kMoment);
  EXPECT_TRUE(group_.holds_lease(1));
  group_.Wait(kMoment * 2);
  EXPECT_FALSE(group_.holds_lease(1));
}

// Section 6.4.1: the lease needs the acknowledgement of a majority.
TEST_F(PaperLease, TheLeaseNeedsAMajority) {
  Group group(Voters(5));
  group.Elect(1);
  group.Pass(kHeartbeat * 2);
  for (const uint64_t id : {3, 4, 5}) group.Isolate(id);
  group.Pass(kTimeout);
  EXPECT_FALSE(group.holds_lease(1)) << "with 2 alone";
}

// Section 6.4.1: without a lease a read is proven by a round instead.
TEST_F(PaperLease, WithoutALeaseTheLeaderAsks) {
  Round();
  group_.Wait(LeaseLength() - kHeartbeat / 2);
  group_.Wait(kHeartbeat / 2);
  ASSERT_TRUE(group_.leads(1));
  ASSERT_FALSE(group_.holds_lease(1));
  const size_t before = group_.reads(1).size();
  group_.Heal();
  group_.DropAll();
  group_.Read(1, ReadMode::kLease);
  EXPECT_EQ(group_.reads(1).size(), before);
  EXPECT_GE(group_.Waiting<HeartbeatRequest>(1, 2).size(), 1u);
  group_.Settle();
  EXPECT_TRUE(Granted(group_, 1, before + 1));
}

// Section 6.4.1: nobody else becomes the leader during a lease: whoever acknowledged the round
// helps no other for an election timeout.
TEST_F(PaperLease, NobodyElseLeadsDuringALease) {
  Round();
  while (group_.holds_lease(1)) {
    EXPECT_NE(AskVote(&group_, 3, 2, 1000, {Term(999), Index(999)}), true);
    group_.Campaign(3);
    group_.Deliver(3, 2);
    group_.PersistAll(2);
    group_.Deliver(2, 3);
    ASSERT_FALSE(group_.leads(3));
    group_.Wait(kMoment * 10);
  }
  group_.Pass(kTimeout * 4);
  EXPECT_EQ(Leaders(group_, 3), 1u) << "and afterwards somebody does";
}

// Section 6.4.1: a leader expires its lease before it transfers leadership.
TEST_F(PaperLease, ATransferEndsTheLease) {
  group_.Pass(kHeartbeat);
  ASSERT_TRUE(group_.holds_lease(1));
  group_.TransferLeadership(1, 2);
  ASSERT_EQ(group_.Waiting<TimeoutNow>(1, 2).size(), 1u);
  EXPECT_FALSE(group_.holds_lease(1));
  // Not even answers that come in now bring it back: the target may lead already.
  group_.Wait(kHeartbeat);
  for (const uint64_t id : {3, 2}) group_.Deliver(1, id);
  group_.Deliver(3, 1);
  EXPECT_FALSE(group_.leads(1) && group_.holds_lease(1));
}

// Section 6.4.1: the lease is as long as the bound on the clocks' drift allows: a leader whose
// clock is as slow as the bound permits still never shares it (the check is Group's).
TEST(PaperLeaseClock, ASlowLeaderGivesItsLeaseUpInTime) {
  for (const int64_t drift : {-9900, 0, 9900}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Group group(Voters(3), Config(), seed);
      group.Elect(1);
      group.SetClockDrift(1, drift / 2);
      for (const uint64_t id : {2, 3}) group.SetClockDrift(id, -drift / 2);
      group.Pass(kHeartbeat * 5);
      ASSERT_TRUE(group.holds_lease(1));
      group.Isolate(1);
      for (int i = 0; i < 300; ++i) {
        group.Pass(kMoment * 5);
        group.Campaign(2);  // As soon as anybody could win.
        group.Settle();
      }
      EXPECT_TRUE(group.leads(2) || group.leads(3)) << "drift " << drift << ", seed " << seed;
    }
  }
}

// Section 6.4.1: a lease does not outlive the leadership or the process.
TEST_F(PaperLease, ALeaseEndsWithTheLeadership) {
  group_.Pass(kHeartbeat);
  ASSERT_TRUE(group_.holds_lease(1));
  group_.Give(group_.From(2, 1, 99, HeartbeatReply{}));
  EXPECT_FALSE(group_.holds_lease(1));
  group_.Restart(1);
  EXPECT_FALSE(group_.holds_lease(1));
}

}  // namespace
}  // namespace flaredb::raft
