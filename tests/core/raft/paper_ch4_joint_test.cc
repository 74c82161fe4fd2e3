// SPDX-License-Identifier: Apache-2.0
// The thesis, section 4.3: arbitrary changes of the configuration by joint consensus.
#include "tests/core/raft/paper.h"

namespace flaredb::raft {
namespace {

std::vector<PeerId> Peers(const std::vector<uint64_t>& ids) {
  std::vector<PeerId> peers;
  for (const uint64_t id : ids) peers.emplace_back(id);
  return peers;
}

// The incoming half 1, 2, 3 and the outgoing half 3, 4, 5, for ever.
ConfState Joint() {
  ConfState conf = Voters(3);
  conf.voters_outgoing = Peers({3, 4, 5});
  return conf;
}

// {1, 2, 3} led by 3, with learners 4 and 5 that have caught up; to become {3, 4, 5} in one step.
class PaperJoint : public ::testing::Test {
 protected:
  PaperJoint() {
    group_.Elect(3);
    for (const uint64_t id : {4, 5}) group_.AddEmpty(id);
    EXPECT_TRUE(
        std::holds_alternative<Proposed>(group_.ChangeMembers(3, {AddLearner(4), AddLearner(5)})));
    group_.Propose(3, "before");
    LetSpread(&group_);
  }
  void Begin() {
    ASSERT_TRUE(std::holds_alternative<Proposed>(
        group_.ChangeMembers(3, {Remove(1), Remove(2), Promote(4), Promote(5)})));
    ASSERT_EQ(group_.view(3).conf.voters, Peers({3, 4, 5}));
    ASSERT_EQ(group_.view(3).conf.voters_outgoing, Peers({1, 2, 3}));
  }
  Group group_{Voters(3)};
};

// Entries are replicated to all servers of both configurations.
TEST_F(PaperJoint, EntriesGoToBothHalves) {
  for (uint64_t id = 1; id <= 5; ++id) group_.HoldDisk(id);
  Begin();
  group_.Propose(3, "during");
  for (const uint64_t id : {1, 2, 4, 5}) {
    group_.Deliver(3, id);
    EXPECT_EQ(group_.view(id).last_log, group_.view(3).last_log) << id;
  }
}

// Commitment requires a majority of the old and one of the new configuration.
TEST_F(PaperJoint, CommitmentNeedsAMajorityOfTheNewHalf) {
  for (const uint64_t id : {4, 5}) group_.Isolate(id);
  const Index before = group_.commit(3);
  Begin();
  group_.Settle();
  EXPECT_EQ(group_.commit(3), before) << "all of the old ones, one of the new";
  group_.Heal();
  group_.Isolate(5);
  group_.Pass(kHeartbeat * 2);
  EXPECT_GT(group_.commit(3), before) << "two of the new ones";
}

TEST_F(PaperJoint, CommitmentNeedsAMajorityOfTheOldHalf) {
  for (const uint64_t id : {1, 2}) group_.Isolate(id);
  const Index before = group_.commit(3);
  Begin();
  group_.Settle();
  EXPECT_EQ(group_.commit(3), before) << "all of the new ones, one of the old";
  group_.Heal();
  group_.Isolate(2);
  group_.Pass(kHeartbeat * 2);
  EXPECT_GT(group_.commit(3), before) << "two of the old ones";
}

// So do elections.
TEST(PaperJointElection, ElectionsNeedBothMajorities) {
  for (const std::vector<uint64_t>& silent : {std::vector<uint64_t>{1, 2}, {4, 5}}) {
    Group group(Joint());
    for (const uint64_t id : silent) group.Isolate(id);
    group.Pass(kTimeout * 10);
    EXPECT_EQ(Leaders(group, 5), 0u) << silent[0] << " is silent";
  }
  Group group(Joint());
  for (const uint64_t id : {1, 5}) group.Isolate(id);
  group.Pass(kTimeout * 10);
  EXPECT_EQ(Leaders(group, 5), 1u);
}

// Any server of either configuration may lead.
TEST(PaperJointElection, AServerOfEitherHalfMayLead) {
  for (uint64_t id = 1; id <= 5; ++id) {
    Group group(Joint());
    ElectSilently(
        &group, id,
        id <= 2 ? std::vector<uint64_t>{1, 2, 3, 4} : std::vector<uint64_t>{1, 3, 4, 5, 2});
    EXPECT_TRUE(group.leads(id));
  }
}

// Once the joint configuration is committed, the leader creates the new one; once, and not before.
TEST_F(PaperJoint, TheJointPhaseEndsOnceItIsCommitted) {
  Begin();
  const Index joint = group_.view(3).conf_index;
  EXPECT_EQ(group_.view(3).last_log.index, joint);
  LetSpread(&group_);
  EXPECT_EQ(group_.view(3).conf_index, joint.next());
  EXPECT_EQ(group_.view(3).last_log.index, joint.next()) << "proposed once";
  EXPECT_EQ(group_.view(3).conf.voters, Peers({3, 4, 5}));
  EXPECT_FALSE(group_.view(3).conf.joint());
}

// A leader rejects further changes while its latest configuration is joint or not committed.
TEST_F(PaperJoint, FurtherChangesAreRejectedMeanwhile) {
  Begin();
  const auto refused = [&] {
    const ChangeResult result = group_.ChangeMembers(3, {AddLearner(6)});
    const auto* refusal = std::get_if<ChangeRefusal>(&result);
    return refusal != nullptr && *refusal == ChangeRefusal::kChangeInProgress;
  };
  EXPECT_TRUE(refused()) << "not committed";
  for (int step = 0; step < 50 && group_.view(3).conf.joint(); ++step) {
    EXPECT_TRUE(refused());
    for (const uint64_t id : {1, 2, 4, 5}) {
      group_.Deliver(3, id);
      group_.PersistAll(id);
      group_.Deliver(id, 3);
    }
    group_.PersistAll(3);
  }
  ASSERT_FALSE(group_.view(3).conf.joint());
  EXPECT_TRUE(refused()) << "the end of the joint phase is not committed";
  LetSpread(&group_);
  EXPECT_FALSE(refused());
}

// The new configuration can't decide alone while the joint one is not committed.
TEST_F(PaperJoint, TheNewHalfDoesNotDecideAlone) {
  for (const uint64_t old : {1, 2}) {
    for (const uint64_t other : {3, 4, 5}) group_.Cut(old, other);
  }
  Begin();
  group_.Settle();
  for (const uint64_t id : {3, 4, 5}) ASSERT_TRUE(group_.view(id).conf.joint());
  group_.Pass(kTimeout * 10);
  for (const uint64_t id : {3, 4, 5}) EXPECT_FALSE(group_.leads(id)) << id;
  EXPECT_EQ(group_.leads(1) + group_.leads(2), 1) << "the old half may: it never heard of it";
}

// Nor the old one once the joint one is committed.
TEST_F(PaperJoint, TheOldHalfDoesNotDecideAloneOnceTheJointOneIsCommitted) {
  Begin();
  const Index joint = group_.view(3).conf_index;
  for (int step = 0; step < 50 && group_.commit(3) < joint; ++step) {
    for (const uint64_t id : {1, 2, 4, 5}) {
      group_.Deliver(3, id);
      group_.PersistAll(id);
      group_.Deliver(id, 3);
    }
    group_.PersistAll(3);
  }
  ASSERT_GE(group_.commit(3), joint);
  group_.DropAll();
  group_.Crash(3);
  for (const uint64_t old : {1, 2}) {
    for (const uint64_t other : {4, 5}) group_.Cut(old, other);
  }
  group_.Pass(kTimeout * 10);
  EXPECT_EQ(Leaders(group_, 2), 0u);
}

// If the leader crashes at any moment of the change, a successor is found, under the old, the joint
// or the new configuration, and a joint phase does not last.
TEST_F(PaperJoint, ALeadersCrashAtAnyMomentStopsNothing) {
  for (int moment = 0; moment < 40; ++moment) {
    Group group(Voters(3), Config(), static_cast<uint64_t>(moment + 1));
    group.Elect(3);
    for (const uint64_t id : {4, 5}) group.AddEmpty(id);
    group.ChangeMembers(3, {AddLearner(4), AddLearner(5)});
    LetSpread(&group);
    ASSERT_TRUE(std::holds_alternative<Proposed>(
        group.ChangeMembers(3, {Remove(1), Remove(2), Promote(4), Promote(5)})));
    int step = 0;
    for (int round = 0; round < 4 && step < moment; ++round) {
      for (const uint64_t id : {1, 4, 2, 5}) {
        if (step++ < moment) group.Deliver(3, id);
        if (step++ < moment) group.PersistAll(id);
        if (step++ < moment) group.Deliver(id, 3);
      }
      group.PersistAll(3);
    }
    group.DropAll();
    group.Crash(3);
    group.Pass(kTimeout * 20);
    ASSERT_EQ(Leaders(group, 5), 1u) << "moment " << moment;
    uint64_t leader = 1;
    while (!group.leads(leader)) ++leader;
    const ConfState conf = group.view(leader).conf;
    EXPECT_FALSE(conf.joint()) << "moment " << moment;
    EXPECT_EQ(conf.voters, leader <= 2 ? Peers({1, 2, 3}) : Peers({3, 4, 5})) << moment;
  }
}

// Once the new configuration is committed, the old servers can be shut down.
TEST_F(PaperJoint, TheOldServersCanBeShutDownAfterwards) {
  Begin();
  LetSpread(&group_);
  for (const uint64_t id : {1, 2}) group_.Crash(id);
  group_.Pass(kTimeout * 4);
  ASSERT_TRUE(group_.leads(3));
  group_.Propose(3, "after");
  LetSpread(&group_);
  EXPECT_EQ(group_.applied(4), (Payloads{"before", "after"}));
  group_.Crash(3);
  group_.Pass(kTimeout * 6);
  EXPECT_EQ(group_.leads(4) + group_.leads(5), 1);
}

// All servers can be replaced at once, the leader included.
TEST(PaperJointChange, AllServersCanBeReplacedAtOnce) {
  Group group(Voters(3));
  group.Elect(1);
  group.Propose(1, "kept");
  for (const uint64_t id : {4, 5, 6}) group.AddEmpty(id);
  group.ChangeMembers(1, {AddLearner(4), AddLearner(5), AddLearner(6)});
  LetSpread(&group);
  ASSERT_TRUE(std::holds_alternative<Proposed>(group.ChangeMembers(
      1, {Promote(4), Promote(5), Promote(6), Remove(1), Remove(2), Remove(3)})));
  group.Pass(kTimeout * 6);
  for (const uint64_t id : {1, 2, 3}) group.Crash(id);
  group.Pass(kTimeout * 6);
  ASSERT_EQ(group.leads(4) + group.leads(5) + group.leads(6), 1);
  for (const uint64_t id : {4, 5, 6}) {
    EXPECT_EQ(group.view(id).conf.voters, Peers({4, 5, 6}));
    EXPECT_EQ(group.applied(id), Payloads{"kept"});
  }
}

// Client requests are served throughout the change.
TEST_F(PaperJoint, RequestsAreServedThroughout) {
  Payloads expected = {"before"};
  const auto propose = [&] {
    expected.push_back("p" + std::to_string(expected.size()));
    ASSERT_TRUE(std::holds_alternative<Proposed>(group_.Propose(3, expected.back())));
  };
  propose();
  Begin();
  propose();
  for (int round = 0; round < 10; ++round) {
    for (const uint64_t id : {1, 2, 4, 5}) {
      group_.Deliver(3, id);
      group_.PersistAll(id);
      group_.Deliver(id, 3);
    }
    group_.PersistAll(3);
    propose();
  }
  LetSpread(&group_);
  ASSERT_FALSE(group_.view(3).conf.joint());
  for (const uint64_t id : {3, 4, 5}) EXPECT_EQ(group_.applied(id), expected) << id;
}

}  // namespace
}  // namespace flaredb::raft
