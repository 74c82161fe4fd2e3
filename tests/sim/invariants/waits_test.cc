// SPDX-License-Identifier: Apache-2.0
// WAIT: what a replica has, and waits for all the same.
#include "sim/invariants/waits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/raft/entry.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

// Replica 101 of three, with a log of four entries, the first two of which are committed. What
// comes after is of term 2, and on its own disk only.
class WaitsTest : public testing::Test {
 protected:
  WaitsTest() {
    view_.id = PeerId(101);
    view_.term = Term(2);
    view_.conf = Conf({101, 102, 103});
    view_.commit_index = view_.handed_out_index = Index(2);
    view_.last_log = {Term(2), Index(4)};
    view_.durable_index = Index(4);
    view_.durable_token = view_.issued_token = IoToken(9);
    Append(Term(1), 2);
    Append(Term(2), 2);
  }

  void Append(Term term, size_t entries) {
    const std::vector<raft::NewEntry> block(entries, {raft::EntryKind::kNoop, {}});
    raft::Persist persist;
    persist.append.push_back(
        raft::EntrySlice(raft::EntryBlock::Create(term, issued_.last_index().next(), block)));
    ASSERT_EQ(issued_.Apply(persist).value_or(""), "");
  }

  void Lead() {
    view_.role = raft::Role::kLeader;
    view_.progress = {Followed(102, 2), Followed(103, 2)};
  }

  void Ask(raft::Role role, std::vector<std::pair<PeerId, bool>> votes) {
    view_.role = role;
    view_.votes = std::move(votes);
  }

  std::string Wait() const { return NeedlessWait(view_, issued_, names_).value_or(""); }

  const Names names_{kNodes, ThreePeers()};
  LogImage issued_;
  raft::View view_;
};

TEST_F(WaitsTest, ACandidateWhoseElectionIsOpen) {
  for (const auto role : {raft::Role::kPreCandidate, raft::Role::kCandidate}) {
    Ask(role, {});
    EXPECT_EQ(Wait(), "");
    Ask(role, {{PeerId(102), false}});
    EXPECT_EQ(Wait(), "");
  }
}

TEST_F(WaitsTest, ACandidateWhoseElectionIsDecided) {
  Ask(raft::Role::kPreCandidate, {{PeerId(103), true}});
  EXPECT_EQ(Wait(),
            "store 1 goes on asking for encouragement in term 2, but a quorum has said yes.");
  Ask(raft::Role::kCandidate, {{PeerId(102), false}, {PeerId(103), false}});
  EXPECT_EQ(
      Wait(),
      "store 1 goes on asking for votes in term 2, but so many have said no that no quorum is "
      "left.");
  view_.issued_token = IoToken(10);  // Its own vote is not on the disk yet.
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, AnElectionNeedsBothHalves) {
  view_.conf = Conf({101}, {101, 102, 103});
  Ask(raft::Role::kCandidate, {});
  EXPECT_EQ(Wait(), "");
  Ask(raft::Role::kCandidate, {{PeerId(102), false}, {PeerId(103), false}});
  EXPECT_NE(Wait(), "");
}

TEST_F(WaitsTest, ALeaderCommitsWhatAQuorumHas) {
  Lead();
  EXPECT_EQ(Wait(), "");
  view_.progress[1] = Followed(103, 3);
  EXPECT_EQ(Wait(),
            "store 1, leader of term 2, has committed up to 2, but knows a quorum that has 3.");
  view_.durable_index = Index(2);
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, NotBeneathAnEntryOfItsOwnTerm) {
  Lead();
  view_.term = Term(3);
  view_.progress[1] = Followed(103, 4);
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, ANewConfigurationWaitsForItsOwnAnswers) {
  Lead();
  view_.conf = Conf({101});
  view_.conf_index = Index(4);
  view_.durable_index = Index(3);
  EXPECT_EQ(Wait(), "");
  view_.durable_index = Index(4);
  EXPECT_NE(Wait(), "");
}

TEST_F(WaitsTest, AReadThatIsProven) {
  Lead();
  view_.round = view_.read_round = 7;
  view_.progress[0].acked_round = 6;
  EXPECT_EQ(Wait(), "");
  view_.progress[0].acked_round = 7;
  EXPECT_EQ(Wait(),
            "store 1, leader of term 2, lets a read wait though a quorum has answered round 7, "
            "which proves it.");
  view_.read_round = 8;  // It waits for the next one, which has to begin.
  EXPECT_EQ(Wait(),
            "store 1, leader of term 2, does not begin the round of contact that a read waits for, "
            "though that before it is over.");
  view_.progress[0].acked_round = 6;
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, WhatAFollowerLacksIsSent) {
  Lead();
  view_.progress[1].may_send = true;
  EXPECT_EQ(Wait(),
            "store 1, leader of term 2, does not send store 3 index 3 though it lacks it and "
            "nothing stands in the way.");
  view_.progress[1].fetching = true;
  view_.backlog.fetches = 1;
  EXPECT_EQ(Wait(), "");
  view_.progress[1].fetching = false;
  view_.backlog.fetches = 0;
  view_.base = {Term(2), Index(3)};  // Only a snapshot helps.
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, AJointPhaseThatIsCommitted) {
  Lead();
  view_.conf = Conf({101, 102}, {101, 102, 103});
  view_.conf_index = view_.commit_index = view_.handed_out_index = Index(3);
  EXPECT_EQ(Wait(),
            "store 1, leader of term 2, does not end the joint phase though it is committed since "
            "index 3.");
  view_.conf_index = Index(4);
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, ALeaderThatWasRemovedGoes) {
  Lead();
  view_.conf = Conf({102, 103});
  view_.conf_index = view_.commit_index = view_.handed_out_index = Index(3);
  EXPECT_EQ(Wait(),
            "store 1 goes on leading in term 2 though it is no voter since index 3, committed.");
}

TEST_F(WaitsTest, WhatIsCommittedIsHandedOut) {
  view_.handed_out_index = Index(1);
  EXPECT_EQ(Wait(), "store 1 has committed up to 2, but hands out nothing after 1.");
  view_.backlog.fetches = 1;
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, ASnapshotThatWasTakenIsRead) {
  Lead();
  view_.progress[1].state = raft::ProgressState::kSnapshot;
  view_.progress[1].snapshot_step = raft::SnapshotStep::kRead;
  EXPECT_EQ(Wait(), "");
  view_.progress[1].snapshot_step = raft::SnapshotStep::kView;
  EXPECT_EQ(Wait(),
            "store 1, leader of term 2, still waits to hear what its snapshot for store 3 covers, "
            "but has been told.");
}

TEST_F(WaitsTest, WhoWaitsForOthersHasADeadline) {
  view_.deadline = Instant::Max();
  EXPECT_EQ(Wait(), "");
  view_.backlog.reads = 1;
  EXPECT_EQ(Wait(), "store 1 waits for others in term 2 and would wait for ever.");
  view_.deadline = Instant::FromNanoseconds(1);
  EXPECT_EQ(Wait(), "");
  Lead();
  view_.deadline = Instant::Max();
  EXPECT_NE(Wait(), "");
  view_.resting = true;
  EXPECT_EQ(Wait(), "");
}

TEST_F(WaitsTest, ASnapshotThatIsNotNeededAnyMoreEnds) {
  Lead();
  view_.base = {Term(1), Index(2)};
  raft::View before = view_;
  for (raft::View* view : {&before, &view_}) {
    raft::ProgressView& progress = view->progress[1];
    progress.state = raft::ProgressState::kSnapshot;
    progress.snapshot = raft::SnapshotId(5);
    progress.snapshot_step = raft::SnapshotStep::kAnswer;
    progress.snapshot_end = Index(1);
    progress.match_index = Index();
  }
  const auto needless = [&] { return NeedlessSnapshot(before, view_, names_); };
  EXPECT_EQ(needless(), std::nullopt);
  view_.progress[1].match_index = Index(1);  // It is installed.
  EXPECT_EQ(needless(),
            "store 1, leader of term 2, goes on with a snapshot for store 3, which has come to "
            "index 1 and needs it no more.");
  view_.progress[1].snapshot_end = Index(4);
  EXPECT_EQ(needless(), std::nullopt);
  view_.progress[1].match_index = Index(2);  // The log goes on from there.
  EXPECT_NE(needless(), std::nullopt);
  view_.progress[1].snapshot = raft::SnapshotId(6);  // Another one has begun since.
  EXPECT_EQ(needless(), std::nullopt);
}

TEST_F(WaitsTest, WhoRecoversCampaignsAtOnce) {
  const Instant now = Instant::FromNanoseconds(5);
  raft::View before = view_;
  const auto wait = [&] { return NeedlessWaitInRecovery(before, view_, now, names_); };
  view_.deadline = view_.promised_until = now;
  EXPECT_EQ(wait(), std::nullopt);
  view_.promised_until = Instant::FromNanoseconds(6);
  EXPECT_EQ(wait(), "store 1 recovers in term 2, but does not campaign at once.");
  view_.promised_until = now;
  view_.deadline = Instant::FromNanoseconds(6);
  EXPECT_NE(wait(), std::nullopt);
  before.issued_token = IoToken(10);  // Its disk may hang.
  EXPECT_EQ(wait(), std::nullopt);
  before.issued_token = IoToken(9);
  view_.role = raft::Role::kCandidate;
  EXPECT_EQ(wait(), std::nullopt);
}

TEST_F(WaitsTest, TheOnlyVoterCampaignsWhenItStarts) {
  const Instant now = Instant::FromNanoseconds(5);
  view_.deadline = Instant::FromNanoseconds(6);
  EXPECT_EQ(NeedlessWaitAtStart(view_, now, names_), std::nullopt);
  view_.conf = Conf({101});
  EXPECT_EQ(NeedlessWaitAtStart(view_, now, names_),
            "store 1 is the only voter, but does not campaign at once.");
  view_.deadline = now;
  EXPECT_EQ(NeedlessWaitAtStart(view_, now, names_), std::nullopt);
  view_.deadline = Instant::FromNanoseconds(6);
  view_.conf_index = view_.commit_index.next();  // It may be truncated.
  EXPECT_EQ(NeedlessWaitAtStart(view_, now, names_), std::nullopt);
}

}  // namespace
}  // namespace flaredb::sim
