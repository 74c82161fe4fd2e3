// SPDX-License-Identifier: Apache-2.0
// The checkers where members come and go and logs begin late: facts that contradict each other, and
// the nearest facts that do not.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "sim/invariants/promises.h"
#include "sim/invariants/steps.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

using MembershipTest = InvariantsTest;

raft::ConfState Pinned(raft::ConfState conf) {
  conf.members[0].incarnation = Incarnation(7);
  return conf;
}

// --- CFG

// What the checkers say when these configurations are committed one after the other, by everybody.
class Neighbours : public InvariantsTest {
 protected:
  std::string Commit(const std::vector<raft::ConfState>& confs) {
    for (uint32_t node = 3; node < kNodes; ++node) Hold(node, PeerId(101 + node));
    uint64_t index = 0;
    for (const raft::ConfState& conf : confs) {
      Write({0, 1, 2, 3, 4}, Append(++index, {{1, "", conf}}));
      replicas_[0].view.conf = conf;
      InvariantsTest::Commit(0, index);
    }
    return Broken();
  }
};

TEST_F(Neighbours, VotersChangeThroughAJointPhase) {
  EXPECT_EQ(Commit({Conf({101, 102, 104}, {101, 102, 103}), Conf({101, 102, 104}),
                    Conf({101, 104, 105}, {101, 102, 104}, {102}), Conf({101, 104, 105}, {}, {102}),
                    Conf({101}, {101, 104, 105}), Conf({101})}),
            "");
  EXPECT_EQ(commits_.confs().size(), 7u);
  EXPECT_EQ(commits_.ConfAt(Index(3)).voters_outgoing, Conf({101, 102, 104}).voters);
}

TEST_F(Neighbours, WhoDoesNotVoteMayChangeAtOnce) {
  EXPECT_EQ(Commit({Conf({101, 102, 103}, {}, {104, 105}), Pinned(Conf({101, 102, 103}, {}, {105})),
                    Conf({101, 102, 103})}),
            "");
}

TEST_F(Neighbours, VotersThatChangeAtOnce) { EXPECT_EQ(Commit({Conf({101, 102, 104})}), "CFG"); }

TEST_F(Neighbours, AVoterThatIsAddedAtOnce) {
  // Quorums of these two do intersect, but no replica changes its voters that way.
  EXPECT_EQ(Commit({Conf({101, 102, 103, 104})}), "CFG");
}

TEST_F(Neighbours, AJointPhaseOutOfSomethingElse) {
  EXPECT_EQ(Commit({Conf({101, 102, 104}, {101, 102})}), "CFG");
}

TEST_F(Neighbours, AJointPhaseThatEndsAtSomethingElse) {
  EXPECT_EQ(Commit({Conf({101, 102, 104}, {101, 102, 103}), Conf({101, 102, 105})}), "CFG");
}

TEST_F(Neighbours, AJointPhaseThatIsTakenBack) {
  EXPECT_EQ(Commit({Conf({101, 102, 104}, {101, 102, 103}), Conf({101, 102, 103})}), "CFG");
}

TEST_F(Neighbours, AJointPhaseInAJointPhase) {
  EXPECT_EQ(Commit({Conf({101, 102, 104}, {101, 102, 103}), Conf({101, 105}, {101, 102, 104})}),
            "CFG");
}

TEST_F(Neighbours, AJointPhaseThatBeginsTwice) {
  const raft::ConfState joint = Conf({101, 102, 104}, {101, 102, 103});
  EXPECT_EQ(Commit({joint, joint}), "CFG");
}

// What the checkers say of a log with these configurations, from index 1 on, of which so many are
// committed.
class LoggedNeighbours : public Neighbours {
 protected:
  std::string Log(const std::vector<raft::ConfState>& confs, size_t committed) {
    Neighbours::Commit({confs.begin(), confs.begin() + static_cast<ptrdiff_t>(committed)});
    for (size_t i = committed; i < confs.size(); ++i) Write(0, Append(i + 1, {{1, "", confs[i]}}));
    commits_.OnConf(0, replicas_[0].issued);
    return Broken();
  }

  const raft::ConfState joint_ = Conf({101, 102, 104}, {101, 102, 103});
  const raft::ConfState left_ = Conf({101, 102, 104});
};

TEST_F(LoggedNeighbours, TheFirstMayBeUncommitted) { EXPECT_EQ(Log({joint_}, 0), ""); }

TEST_F(LoggedNeighbours, AJointPhaseThatIsLeftWhenItIsCommitted) {
  EXPECT_EQ(Log({joint_, left_}, 1), "");
}

TEST_F(LoggedNeighbours, AJointPhaseThatIsLeftBeforeItIsCommitted) {
  EXPECT_EQ(Log({joint_, left_}, 0), "CFG");
}

TEST_F(LoggedNeighbours, AChangeAfterOneThatWasCommittedOtherwise) {
  Write({1, 2}, Append(1, {{2, "", joint_}}));
  for (uint32_t node = 1; node < 3; ++node) replicas_[node].view.conf = conf_;
  InvariantsTest::Commit(1, 1);
  ASSERT_EQ(Broken(), "");
  EXPECT_EQ(Log({joint_, left_}, 0), "CFG");
}

TEST_F(LoggedNeighbours, AVoterThatIsAddedAtOnceToALog) {
  EXPECT_EQ(Log({Conf({101, 102, 103, 104})}, 0), "CFG");
}

TEST_F(MembershipTest, AReplicaThatActsByAnotherConfigurationThanItsLogs) {
  const raft::ConfState joint = Conf({101, 102, 104}, {101, 102, 103});
  WriteAll(Append(1, {{1, ""}, {1, "", joint}, {1, ""}}));
  WriteAll(Hard(1, 101));
  raft::View& view = replicas_[0].view;
  view.term = Term(1);
  view.vote = PeerId(101);
  view.last_log = {Term(1), Index(3)};
  view.conf = joint;
  view.confs = 2;
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  for (const raft::ConfState& conf : {conf_, Conf({101, 102, 104}), Pinned(joint)}) {
    view.conf = conf;
    EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  }
  // The base remembers what was compacted away, and nobody else.
  view.conf = joint;
  Write(0, Compact(1, 3, joint));
  view.base = {Term(1), Index(3)};
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  view.confs = 1;
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  view.conf = conf_;
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  // Truncation brings back the configuration before.
  raft::Persist truncation;
  truncation.truncate_from = Index(2);
  Write(1, truncation);
  replicas_[1].view = view;
  replicas_[1].view.base = {};
  replicas_[1].view.last_log = {Term(1), Index(1)};
  replicas_[1].view.conf = {};  // As the logs of this test begin.
  EXPECT_EQ(BrokenView(kRegion, 1, names_, replicas_), std::nullopt);
  replicas_[1].view.conf = joint;
  EXPECT_NE(BrokenView(kRegion, 1, names_, replicas_), std::nullopt);
}

// --- SNAP

class InstallTest : public InvariantsTest {
 protected:
  // The history: a no-op, a learner, a no-op of a later term.
  InstallTest() {
    WriteAll(Append(1, {{1, ""}, {1, "", learner_}, {2, ""}, {2, ""}}));
    replicas_[0].view.conf = learner_;
    Commit(0, 3);
    EXPECT_EQ(Broken(), "");
  }
  std::string Installed(uint64_t term, uint64_t index, const raft::ConfState& conf) {
    commits_.OnInstall(3, {{Term(term), Index(index)}, conf});
    return Broken();
  }

  const raft::ConfState learner_ = Conf({101, 102, 103}, {}, {104});
};

TEST_F(InstallTest, WhatIsCommitted) {
  EXPECT_EQ(Installed(1, 1, conf_), "");
  EXPECT_EQ(Installed(1, 2, learner_), "");
  EXPECT_EQ(Installed(2, 3, learner_), "");
}

TEST_F(InstallTest, WhatIsNotCommitted) { EXPECT_EQ(Installed(2, 4, learner_), "SNAP"); }

TEST_F(InstallTest, WhatAnotherTermWroteThere) { EXPECT_EQ(Installed(1, 3, learner_), "SNAP"); }

TEST_F(InstallTest, AConfigurationThatWasNotYetInForce) {
  EXPECT_EQ(Installed(1, 1, learner_), "CFG");
}

TEST_F(InstallTest, AConfigurationThatWasInForceBefore) {
  EXPECT_EQ(Installed(2, 3, conf_), "CFG");
}

// --- CD

TEST_F(MembershipTest, AJointQuorumNeedsBothHalves) {
  struct Case {
    std::vector<uint32_t> holders;
    std::string broken;
  };
  // Of (101 104 105)&(101 102 103).
  const Case cases[] = {{{0, 1, 3}, ""},   {{1, 2, 3, 4}, ""}, {{0, 1, 2}, "CD"},
                        {{0, 3, 4}, "CD"}, {{0}, "CD"},        {{1, 2, 3}, "CD"}};
  for (const Case& c : cases) {
    std::vector<Replica> replicas(kNodes);
    SimDisk disks[kNodes] = {
        {&world_, {}, 0}, {&world_, {}, 1}, {&world_, {}, 2}, {&world_, {}, 3}, {&world_, {}, 4}};
    FailureReport report;
    Names names(kNodes, region_);
    Commits commits(kRegion, kEpoch, {{}, conf_}, &names, &report);
    for (uint32_t node = 0; node < kNodes; ++node) {
      names.Add(PeerId(101 + node), StoreId(node + 1));
      replicas[node].disk = &disks[node];
      replicas[node].peer = replicas[node].durable_peer = PeerId(101 + node);
    }
    const raft::ConfState joint = Conf({101, 104, 105}, {101, 102, 103});
    const raft::Persist entries = Append(1, {{1, "", joint}});
    env::GroupCommit commit;
    commit.log.push_back({kRegion, Incarnation(1), entries});
    for (const uint32_t node : c.holders) disks[node].Format(commit);
    replicas[c.holders[0]].view.conf = joint;
    ASSERT_EQ(replicas[c.holders[0]].issued.Apply(entries), std::nullopt);
    commits.OnCommit(c.holders[0], Index(), Index(1), joint, replicas);
    EXPECT_EQ(report.failure().invariant, c.broken) << c.holders.size();
  }
}

TEST_F(MembershipTest, ACommitByTheConfigurationBeforeTheTurn) {
  // One turn commits index 1 and appends the joint configuration: a quorum of the old one decides.
  const raft::ConfState joint = Conf({101, 104, 105}, {101, 102, 103});
  Hold(3, PeerId(104));
  Hold(4, PeerId(105));
  Write({0, 1}, Append(1, {{1, ""}}));
  ASSERT_EQ(replicas_[0].issued.Apply(Append(2, {{1, "", joint}})), std::nullopt);
  replicas_[0].view.conf = joint;
  commits_.OnCommit(0, Index(), Index(1), conf_, replicas_);
  EXPECT_EQ(Broken(), "");
}

TEST_F(MembershipTest, ACommitByTheOldConfigurationAlone) {
  const raft::ConfState joint = Conf({101, 104, 105}, {101, 102, 103});
  Hold(3, PeerId(104));
  Hold(4, PeerId(105));
  Write({0, 1}, Append(1, {{1, ""}}));
  replicas_[0].view.conf = joint;
  commits_.OnCommit(0, Index(), Index(1), joint, replicas_);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(MembershipTest, ALearnersDiskDoesNotCount) {
  Write({0, 3}, Append(1, {{1, ""}}));
  Hold(3, PeerId(104));
  replicas_[0].view.conf = Conf({101, 102, 103}, {}, {104});
  Commit(0, 1);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(MembershipTest, AVotersStoreThatHoldsAnotherPeer) {
  Write({0, 2}, Append(1, {{1, ""}}));
  Hold(2, PeerId(109));
  Commit(0, 1);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(MembershipTest, AVoterWhoIsCreatedButNotYetOnItsDisk) {
  Write({0, 2}, Append(1, {{1, ""}}));
  replicas_[2].durable_peer = PeerId();
  Commit(0, 1);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(MembershipTest, AVoterCountsByItsBase) {
  // It got a snapshot of what is committed now; of less than that, it holds nothing.
  Write(0, Append(1, {{1, ""}, {1, ""}, {1, ""}}));
  Write(1, Compact(1, 2, conf_));
  Commit(0, 1);
  Commit(0, 2);
  EXPECT_EQ(Broken(), "");
  Commit(0, 3);
  EXPECT_EQ(Broken(), "CD");
}

// The history moves from stores 1 and 2 to 1, 4 and 5; then store 2 loses it.
class MovedTest : public InvariantsTest {
 protected:
  void Move(const std::vector<raft::ConfState>& confs) {
    Hold(3, PeerId(104));
    Hold(4, PeerId(105));
    Write({0, 1}, Append(1, {{1, ""}}));
    Commit(0, 1);
    Write({3, 4}, Append(1, {{1, ""}}));
    uint64_t index = 1;
    for (const raft::ConfState& conf : confs) {
      Write({0, 3, 4}, Append(++index, {{1, "", conf}}));
      if (conf.joint()) Write(1, Append(index, {{1, "", conf}}));
      replicas_[0].view.conf = conf;
      Commit(0, index);
    }
    EXPECT_EQ(Broken(), "");
  }
};

TEST_F(MovedTest, WhoLeftMayForget) {
  Move({Conf({101, 104, 105}, {101, 102, 103}), Conf({101, 104, 105})});
  commits_.OnTruncate(1, Index(1), replicas_);
  EXPECT_EQ(Broken(), "");
}

TEST_F(MovedTest, WhoIsStillNeededMayNot) {
  Move({Conf({101, 104, 105}, {101, 102, 103})});
  commits_.OnTruncate(1, Index(1), replicas_);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(MovedTest, WhoJoinedMayNotEither) {
  Move({Conf({101, 104, 105}, {101, 102, 103}), Conf({101, 104, 105})});
  replicas_[4].durable_peer = PeerId();
  commits_.OnTruncate(3, Index(1), replicas_);
  EXPECT_EQ(Broken(), "CD");
}

// --- ES, VS

TEST_F(MembershipTest, AJointElectionNeedsBothHalves) {
  const raft::ConfState joint = Conf({101, 104, 105}, {101, 102, 103});
  Hold(3, PeerId(104));
  Hold(4, PeerId(105));
  for (const uint64_t peer : {101, 102, 104}) {
    elections_.OnDurable(PeerId(peer), {}, {Term(3), PeerId(101)});
  }
  elections_.OnLeader(PeerId(101), Term(3), joint);
  EXPECT_EQ(Broken(), "");
  for (const uint64_t peer : {101, 104, 105}) {
    elections_.OnDurable(PeerId(peer), {}, {Term(4), PeerId(104)});
  }
  elections_.OnLeader(PeerId(104), Term(4), joint);
  EXPECT_EQ(Broken(), "ES");
}

TEST_F(MembershipTest, AVoteOfTheOldHalfAloneElectsNobody) {
  for (const uint64_t peer : {101, 102, 103}) {
    elections_.OnDurable(PeerId(peer), {}, {Term(3), PeerId(101)});
  }
  elections_.OnLeader(PeerId(101), Term(3), Conf({101, 104, 105}, {101, 102, 103}));
  EXPECT_EQ(Broken(), "ES");
}

TEST_F(MembershipTest, ALearnersVoteElectsNobody) {
  Hold(3, PeerId(104));
  for (const uint64_t peer : {101, 104}) {
    elections_.OnDurable(PeerId(peer), {}, {Term(3), PeerId(101)});
  }
  elections_.OnLeader(PeerId(101), Term(3), Conf({101, 102, 103}, {}, {104}));
  EXPECT_EQ(Broken(), "ES");
}

TEST_F(MembershipTest, APeerCreatedAfterAnotherOwesNothingToItsVotes) {
  Hold(2, PeerId(109));
  elections_.OnDurable(PeerId(103), {}, {Term(4), PeerId(101)});
  elections_.OnGrant(PeerId(103), Term(4), PeerId(101));
  elections_.OnDurable(PeerId(109), {}, {Term(3), PeerId()});
  elections_.OnDurable(PeerId(109), {Term(3), PeerId()}, {Term(4), PeerId(102)});
  elections_.OnGrant(PeerId(109), Term(4), PeerId(102));
  EXPECT_EQ(Broken(), "");
  elections_.OnGrant(PeerId(109), Term(4), PeerId(101));
  EXPECT_EQ(Broken(), "VS");
}

TEST_F(MembershipTest, AVoteOfThePeerThatWasThereBeforeDoesNotElect) {
  Hold(2, PeerId(109));
  const raft::ConfState conf = Conf({101, 102, 109});
  elections_.OnDurable(PeerId(101), {}, {Term(3), PeerId(101)});
  elections_.OnDurable(PeerId(109), {}, {Term(3), PeerId(101)});
  elections_.OnLeader(PeerId(101), Term(3), conf);
  EXPECT_EQ(Broken(), "");
  elections_.OnDurable(PeerId(101), {}, {Term(4), PeerId(101)});
  elections_.OnDurable(PeerId(103), {}, {Term(4), PeerId(101)});
  elections_.OnLeader(PeerId(101), Term(4), conf);
  EXPECT_EQ(Broken(), "ES");
}

TEST_F(MembershipTest, TwoPeersOfOneStoreThatLeadOneTerm) {
  Hold(2, PeerId(109));
  for (const uint64_t peer : {101, 102}) {
    elections_.OnDurable(PeerId(peer), {}, {Term(3), PeerId(103)});
  }
  elections_.OnLeader(PeerId(103), Term(3), conf_);
  elections_.OnLeader(PeerId(103), Term(3), conf_);
  EXPECT_EQ(Broken(), "");
  elections_.OnLeader(PeerId(109), Term(3), conf_);
  EXPECT_EQ(Broken(), "ES");
}

// --- ACK

raft::Message Accept(uint32_t from, uint32_t to, uint64_t term, uint64_t match) {
  raft::AppendReply reply;
  reply.result = raft::AppendAccept{Index(match), Index()};
  return Message(from, to, term, reply);
}

TEST_F(MembershipTest, AnAcceptOfWhatABaseCovers) {
  Write(0, Append(1, {{1, ""}, {1, ""}, {2, ""}}));
  Write(0, Hard(2, 0));
  Write(0, Compact(1, 2, {}));
  Lead(1, 2);
  Write(1, Append(1, {{1, ""}, {1, ""}, {2, ""}}));
  for (const uint64_t match : {1, 2, 3}) {
    EXPECT_EQ(BrokenPromise(Accept(0, 1, 2, match), Disk(0), names_, replicas_), std::nullopt);
  }
  EXPECT_NE(BrokenPromise(Accept(0, 1, 2, 4), Disk(0), names_, replicas_), std::nullopt);
}

TEST_F(MembershipTest, AnAcceptOfASnapshotThatIsNotOnTheDisk) {
  Write(0, Hard(2, 0));
  ASSERT_EQ(replicas_[0].issued.Apply(Install(2, 5, conf_)), std::nullopt);
  EXPECT_NE(BrokenPromise(Accept(0, 1, 2, 5), Disk(0), names_, replicas_), std::nullopt);
  Write(1, Hard(2, 0));
  Write(1, Install(2, 5, conf_));
  EXPECT_EQ(BrokenPromise(Accept(1, 1, 2, 5), Disk(1), names_, replicas_), std::nullopt);
}

TEST_F(MembershipTest, AnAcceptAtTheBaseHasATermToCompare) {
  Write(0, Hard(3, 0));
  Write(0, Install(1, 2, conf_));
  Lead(1, 3);
  Write(1, Append(1, {{1, ""}, {2, ""}, {3, ""}}));
  EXPECT_NE(BrokenPromise(Accept(0, 1, 3, 2), Disk(0), names_, replicas_), std::nullopt);
  // The leader has forgotten what was there.
  Write(1, Compact(3, 3, {}));
  EXPECT_EQ(BrokenPromise(Accept(0, 1, 3, 2), Disk(0), names_, replicas_), std::nullopt);
}

TEST_F(MembershipTest, AnAcceptForTheLeaderThatWasOnThatStoreBefore) {
  Write(0, Append(1, {{1, ""}, {2, ""}}));
  Write(0, Hard(2, 0));
  Lead(1, 2);
  Write(1, Append(1, {{1, ""}, {1, ""}}));
  EXPECT_NE(BrokenPromise(Accept(0, 1, 2, 2), Disk(0), names_, replicas_), std::nullopt);
  Hold(1, PeerId(109));
  EXPECT_EQ(BrokenPromise(Accept(0, 1, 2, 2), Disk(0), names_, replicas_), std::nullopt);
}

// --- MONO

// Store 1 leads term 3 and believes that store 2 has its log up to `match`.
class ProgressTest : public InvariantsTest {
 protected:
  ProgressTest() {
    Write(0, Append(1, {{1, ""}, {1, ""}, {3, ""}}));
    Write(0, Hard(3, 101));
    Lead(0, 3);
    view_.vote = PeerId(101);
    view_.last_log = {Term(3), Index(3)};
    view_.conf = {};
  }
  bool Refused(uint64_t match) {
    view_.progress = {Followed(102, match)};
    return BrokenView(kRegion, 0, names_, replicas_).has_value();
  }

  raft::View& view_ = replicas_[0].view;
};

TEST_F(ProgressTest, AFollowerCountsByItsSnapshot) {
  Write(1, Install(1, 2, conf_));
  EXPECT_FALSE(Refused(1));
  EXPECT_FALSE(Refused(2));
  EXPECT_TRUE(Refused(3));
}

TEST_F(ProgressTest, AFollowersSnapshotOfAnotherHistory) {
  Write(1, Install(2, 2, conf_));
  EXPECT_TRUE(Refused(2));
}

TEST_F(ProgressTest, AFollowerBehindTheLeadersBase) {
  Write(0, Compact(1, 2, {}));
  view_.base = {Term(1), Index(2)};
  EXPECT_FALSE(Refused(1)) << "the leader has forgotten what should be there";
  EXPECT_TRUE(Refused(2));
  Write(1, Append(1, {{1, ""}, {1, ""}}));
  EXPECT_FALSE(Refused(2));
}

TEST_F(ProgressTest, AFollowerWhoseStoreHoldsAnotherPeer) {
  EXPECT_TRUE(Refused(3));
  Hold(1, PeerId(109));
  EXPECT_FALSE(Refused(3));
}

TEST_F(ProgressTest, ALogThatBeginsElsewhereThanWhatWasAskedFor) {
  Write(0, Compact(1, 2, {}));
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  view_.base = {Term(1), Index(2)};
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  view_.base = {Term(2), Index(2)};
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
}

TEST_F(ProgressTest, ADurableIndexBehindABaseNeedsNoProof) {
  // The disk still holds what this replica has asked it to forget.
  ASSERT_EQ(replicas_[0].issued.Apply(Compact(1, 2, {})), std::nullopt);
  view_.base = {Term(1), Index(2)};
  view_.durable_index = Index(1);
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  // An install that is not on the disk yet is not durable.
  ASSERT_EQ(replicas_[0].issued.Apply(Install(3, 9, {})), std::nullopt);
  view_.base = view_.last_log = {Term(3), Index(9)};
  view_.durable_index = Index(9);
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
}

}  // namespace
}  // namespace flaredb::sim
