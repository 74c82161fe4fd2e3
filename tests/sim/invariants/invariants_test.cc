// SPDX-License-Identifier: Apache-2.0
// Each checker on facts that contradict each other, made by hand, and on the nearest facts that do
// not.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/kv/key.h"
#include "core/kv/record.h"
#include "core/region/state_rows.h"
#include "sim/invariants/kv_model.h"
#include "sim/invariants/promises.h"
#include "sim/invariants/rows.h"
#include "sim/invariants/steps.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

// --- ES, VS

TEST_F(InvariantsTest, TwoLeadersOfOneTerm) {
  for (uint32_t node = 0; node < 3; ++node) {
    elections_.OnDurable(PeerId(101 + node), {}, {Term(3), PeerId(101)});
  }
  elections_.OnLeader(PeerId(101), Term(3), conf_);
  EXPECT_EQ(Broken(), "");
  elections_.OnLeader(PeerId(102), Term(3), conf_);
  EXPECT_EQ(Broken(), "ES");
}

TEST_F(InvariantsTest, ALeaderWithoutAQuorumOfDurableVotes) {
  elections_.OnDurable(PeerId(101), {}, {Term(3), PeerId(101)});
  elections_.OnDurable(PeerId(102), {}, {Term(3), PeerId(102)});
  elections_.OnLeader(PeerId(101), Term(3), conf_);
  EXPECT_EQ(Broken(), "ES");
}

TEST_F(InvariantsTest, ADurableTermThatRegresses) {
  elections_.OnDurable(PeerId(101), {Term(4), PeerId()}, {Term(5), PeerId()});
  EXPECT_EQ(Broken(), "");
  elections_.OnDurable(PeerId(101), {Term(5), PeerId()}, {Term(4), PeerId()});
  EXPECT_EQ(Broken(), "VS");
}

TEST_F(InvariantsTest, ADurableVoteThatChanges) {
  elections_.OnDurable(PeerId(101), {Term(4), PeerId()}, {Term(4), PeerId(101)});
  EXPECT_EQ(Broken(), "");
  elections_.OnDurable(PeerId(101), {Term(4), PeerId(101)}, {Term(4), PeerId(102)});
  EXPECT_EQ(Broken(), "VS");
}

TEST_F(InvariantsTest, TwoGrantsInOneTerm) {
  elections_.OnGrant(PeerId(101), Term(4), PeerId(101));
  elections_.OnGrant(PeerId(101), Term(4), PeerId(101));
  elections_.OnGrant(PeerId(101), Term(5), PeerId(102));
  EXPECT_EQ(Broken(), "");
  elections_.OnGrant(PeerId(101), Term(4), PeerId(102));
  EXPECT_EQ(Broken(), "VS");
}

// --- LM

TEST_F(InvariantsTest, TwoContentsAtOnePosition) {
  LogImage log;
  ASSERT_EQ(log.Apply(Append(1, {{1, "a"}, {1, "b"}})), std::nullopt);
  log_matching_.OnAppend(0, Term(0), log.At(Index(1)));
  log_matching_.OnAppend(1, Term(0), log.At(Index(1)));
  EXPECT_EQ(Broken(), "");
  LogImage other;
  ASSERT_EQ(other.Apply(Append(1, {{1, "x"}})), std::nullopt);
  log_matching_.OnAppend(1, Term(0), other.At(Index(1)));
  EXPECT_EQ(Broken(), "LM");
}

TEST_F(InvariantsTest, OnePositionAfterTwoHistories) {
  LogImage log;
  ASSERT_EQ(log.Apply(Append(1, {{1, "a"}, {3, "b"}})), std::nullopt);
  log_matching_.OnAppend(0, Term(1), log.At(Index(2)));
  log_matching_.OnAppend(1, Term(2), log.At(Index(2)));
  EXPECT_EQ(Broken(), "LM");
}

TEST_F(InvariantsTest, WhatNobodyIsLeftToKnowMayBeOtherwise) {
  for (uint32_t node = 0; node < 3; ++node) {
    elections_.OnDurable(PeerId(101 + node), {}, {Term(2), PeerId(101)});
    elections_.OnDurable(PeerId(101 + node), {}, {Term(3), PeerId(101)});
  }
  elections_.OnLeader(PeerId(101), Term(2), conf_);
  elections_.OnLeader(PeerId(101), Term(3), conf_);
  LogImage log;
  ASSERT_EQ(log.Apply(Append(1, {{2, "a"}, {3, "b"}})), std::nullopt);
  log_matching_.OnAppend(0, Term(0), log.At(Index(1)));
  log_matching_.OnAppend(0, Term(2), log.At(Index(2)));

  elections_.Forget(Term(3));
  log_matching_.Forget(Term(3));
  elections_.OnDurable(PeerId(103), {}, {Term(3), PeerId(103)});
  elections_.OnLeader(PeerId(103), Term(3), Conf({103}));
  LogImage other;
  ASSERT_EQ(other.Apply(Append(1, {{2, "x"}, {3, "y"}})), std::nullopt);
  log_matching_.OnAppend(2, Term(2), other.At(Index(2)));
  EXPECT_EQ(Broken(), "");
  log_matching_.OnAppend(2, Term(0), other.At(Index(1)));
  EXPECT_EQ(Broken(), "LM") << "what is left stays";
}

// --- SMS, CD, LC

TEST_F(InvariantsTest, ACommitThatAQuorumOfDisksHolds) {
  Write(0, Append(1, {{1, ""}}));
  Write(1, Append(1, {{1, ""}}));
  Lead(0, 1);
  Commit(0, 1);
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(commits_.last(), Index(1));
}

TEST_F(InvariantsTest, ACommitOnTooFewDisks) {
  Write(0, Append(1, {{1, ""}}));
  // The second disk will get it, but has not.
  ASSERT_EQ(replicas_[1].issued.Apply(Append(1, {{1, ""}})), std::nullopt);
  Commit(0, 1);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(InvariantsTest, TwoCommitsAtOneIndex) {
  Write(0, Append(1, {{1, ""}}));
  Write(1, Append(1, {{1, ""}}));
  Write(2, Append(1, {{2, ""}}));
  Commit(0, 1);
  EXPECT_EQ(Broken(), "");
  Commit(2, 1);
  EXPECT_EQ(Broken(), "SMS");
}

TEST_F(InvariantsTest, ALeaderThatLacksWhatIsCommitted) {
  Write(0, Append(1, {{1, ""}}));
  Write(1, Append(1, {{1, ""}}));
  Lead(0, 2);
  Commit(0, 1);
  Lead(1, 3);
  commits_.OnElected(1, replicas_);
  // Its votes came so late that a later leader was faster.
  Lead(2, 1);
  commits_.OnElected(2, replicas_);
  EXPECT_EQ(Broken(), "");
  Lead(2, 4);
  commits_.OnElected(2, replicas_);
  EXPECT_EQ(Broken(), "LC");
}

TEST_F(InvariantsTest, ACommitThatALaterLeaderLacks) {
  Write(0, Append(1, {{1, ""}}));
  Write(1, Append(1, {{1, ""}}));
  Lead(0, 1);
  Lead(2, 2);
  Commit(0, 1);
  EXPECT_EQ(Broken(), "LC");
}

TEST_F(InvariantsTest, ACommittedEntryThatLeavesAQuorum) {
  Write(0, Append(1, {{1, ""}, {1, ""}}));
  Write(1, Append(1, {{1, ""}, {1, ""}}));
  Commit(0, 1);
  commits_.OnTruncate(1, Index(2), replicas_);
  EXPECT_EQ(Broken(), "") << "index 2 is not committed";
  commits_.OnTruncate(1, Index(1), replicas_);
  EXPECT_EQ(Broken(), "CD");
}

TEST_F(InvariantsTest, ACommittedEntryMayLeaveADiskThatWasNotCounted) {
  WriteAll(Append(1, {{1, ""}}));
  Commit(0, 1);
  commits_.OnTruncate(2, Index(1), replicas_);
  EXPECT_EQ(Broken(), "");
}

TEST_F(InvariantsTest, ATruncationOfWhatIsCommitted) {
  WriteAll(Append(1, {{1, ""}, {1, ""}}));
  replicas_[0].view.term = Term(3);
  Commit(0, 1);
  commits_.OnTruncateIssued(2, Term(3), Index(2), replicas_[2].issued);
  EXPECT_EQ(Broken(), "") << "index 2 is not committed";
  commits_.OnTruncateIssued(2, Term(2), Index(1), replicas_[2].issued);
  EXPECT_EQ(Broken(), "") << "it can't know of a commit of a later term";
  commits_.OnTruncateIssued(2, Term(3), Index(1), replicas_[2].issued);
  EXPECT_EQ(Broken(), "CD");
}

// --- ACK

TEST_F(InvariantsTest, AVoteThatIsNotOnTheDisk) {
  const raft::Message vote = Message(0, 1, 5, raft::VoteReply{true});
  Write(0, Hard(4, 102));
  EXPECT_NE(BrokenPromise(vote, Disk(0), names_, replicas_), std::nullopt);
  Write(0, Hard(5, 103));
  EXPECT_NE(BrokenPromise(vote, Disk(0), names_, replicas_), std::nullopt);
  const raft::Message refusal = Message(0, 1, 5, raft::VoteReply{false});
  EXPECT_EQ(BrokenPromise(refusal, Disk(0), names_, replicas_), std::nullopt);
  Write(1, Hard(5, 102));
  EXPECT_EQ(BrokenPromise(Message(1, 1, 5, raft::VoteReply{true}), Disk(1), names_, replicas_),
            std::nullopt);
  Write(1, Hard(6, 0));
  EXPECT_EQ(BrokenPromise(Message(1, 1, 5, raft::VoteReply{true}), Disk(1), names_, replicas_),
            std::nullopt);
}

TEST_F(InvariantsTest, ATermThatIsNotOnTheDisk) {
  Write(0, Hard(4, 102));
  EXPECT_NE(BrokenPromise(Message(0, 1, 5, raft::HeartbeatRequest()), Disk(0), names_, replicas_),
            std::nullopt);
  EXPECT_EQ(BrokenPromise(Message(0, 1, 4, raft::HeartbeatRequest()), Disk(0), names_, replicas_),
            std::nullopt);
}

TEST_F(InvariantsTest, ACandidacyThatIsNotOnTheDisk) {
  const raft::Message candidacy = Message(0, 1, 5, raft::VoteRequest());
  Write(0, Hard(5, 102));
  EXPECT_NE(BrokenPromise(candidacy, Disk(0), names_, replicas_), std::nullopt);
  Write(1, Hard(5, 102));
  EXPECT_EQ(BrokenPromise(Message(1, 0, 5, raft::VoteRequest()), Disk(1), names_, replicas_),
            std::nullopt);
}

TEST_F(InvariantsTest, AnAcceptThatIsNotOnTheDisk) {
  const auto accept = [](uint64_t term, uint64_t match) {
    raft::AppendReply reply;
    raft::AppendAccept accept;
    accept.match_index = Index(match);
    reply.result = accept;
    return Message(0, 1, term, reply);
  };
  Write(0, Append(1, {{1, "a"}, {2, "b"}}));
  // The term is not there.
  EXPECT_NE(BrokenPromise(accept(2, 2), Disk(0), names_, replicas_), std::nullopt);
  Write(0, Hard(2, 0));
  EXPECT_EQ(BrokenPromise(accept(2, 2), Disk(0), names_, replicas_), std::nullopt);
  // The entry is not there.
  EXPECT_NE(BrokenPromise(accept(2, 3), Disk(0), names_, replicas_), std::nullopt);
  // The entry there is not the leader's.
  Lead(1, 2);
  ASSERT_EQ(replicas_[1].issued.Apply(Append(1, {{1, "a"}, {1, "b"}})), std::nullopt);
  EXPECT_NE(BrokenPromise(accept(2, 2), Disk(0), names_, replicas_), std::nullopt);
  EXPECT_EQ(BrokenPromise(accept(2, 1), Disk(0), names_, replicas_), std::nullopt);
}

// --- MONO

raft::View SomeView() {
  raft::View view;
  view.id = PeerId(101);
  view.term = Term(3);
  view.vote = PeerId(101);
  view.commit_index = Index(2);
  view.handed_out_index = Index(2);
  view.last_log = {Term(2), Index(2)};
  view.durable_index = Index(2);
  return view;
}

TEST_F(InvariantsTest, AStepBackwards) {
  const raft::View before = SomeView();
  EXPECT_EQ(BrokenStep("store 1", before, before), std::nullopt);
  raft::View after = before;
  after.term = Term(2);
  EXPECT_NE(BrokenStep("store 1", before, after), std::nullopt);
  after = before;
  after.vote = PeerId(102);
  EXPECT_NE(BrokenStep("store 1", before, after), std::nullopt);
  after = before;
  after.commit_index = after.handed_out_index = Index(1);
  EXPECT_NE(BrokenStep("store 1", before, after), std::nullopt);
  after = before;
  after.handed_out_index = Index(1);
  EXPECT_NE(BrokenStep("store 1", before, after), std::nullopt);
}

TEST_F(InvariantsTest, AViewThatContradictsItself) {
  raft::View view = SomeView();
  view.commit_index = Index(3);
  EXPECT_NE(BrokenStep("store 1", SomeView(), view), std::nullopt);
  view = SomeView();
  view.durable_index = Index(3);
  EXPECT_NE(BrokenStep("store 1", SomeView(), view), std::nullopt);
}

TEST_F(InvariantsTest, AViewThatContradictsTheDisks) {
  WriteAll(Append(1, {{1, ""}, {2, ""}}));
  WriteAll(Hard(3, 101));
  Replica& replica = replicas_[0];
  replica.running = true;
  replica.view = SomeView();
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  // A log that was never asked to be written.
  replica.view.last_log = {Term(3), Index(3)};
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  // A vote that was never asked to be written.
  replica.view = SomeView();
  replica.view.vote = PeerId(102);
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  // A follower counted further than its disk goes; and sent less than it has.
  replica.view = SomeView();
  replica.view.role = raft::Role::kLeader;
  replica.view.progress = {Followed(102, 2)};
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  replica.view.progress[0].next_index = Index(2);
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  replica.view.progress[0] = Followed(102, 3);
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
}

TEST_F(InvariantsTest, ADurableIndexWithAnotherTermOnTheDisk) {
  Write(0, Append(1, {{1, ""}, {1, ""}}));
  Write(0, Hard(3, 101));
  raft::Persist rewrite = Append(2, {{2, ""}});
  rewrite.truncate_from = Index(2);
  ASSERT_EQ(replicas_[0].issued.Apply(rewrite), std::nullopt);
  replicas_[0].view = SomeView();
  EXPECT_NE(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
  replicas_[0].view.durable_index = Index(1);
  EXPECT_EQ(BrokenView(kRegion, 0, names_, replicas_), std::nullopt);
}

// --- APPLY

class RowsTest : public InvariantsTest {
 protected:
  RowsTest() {
    WriteAll(Append(1, {{1, ""}, {1, Cas("k", 0, "a")}, {1, Cas("k", 1, "b")}}));
    Commit(0, 3);
  }

  static std::string Record(uint64_t version, const std::string& value, uint64_t index) {
    kv::Record record;
    record.version = kv::Version(version);
    record.changed_index = Index(index);
    record.value = value;
    return kv::EncodeRecord(record);
  }
  static void PutApplied(WriteBatch* batch, uint64_t index) {
    batch->Put(AppliedRowKey(kRegion), EncodeApplied({Term(1), Index(index)}));
  }
  static void PutKey(WriteBatch* batch, uint64_t version, const std::string& value,
                     uint64_t index) {
    batch->Put(kv::EncodeKey(kv::NamespaceId::kDefault, "k"), Record(version, value, index));
  }
  bool Refused(const WriteBatch& batch, uint64_t applied = 0) {
    Index index(applied);
    return BrokenBatch(kRegion, "store 1", batch, commits_, &index).has_value();
  }
};

TEST_F(RowsTest, ABatchThatIsTheLogsWork) {
  WriteBatch batch;
  PutKey(&batch, 2, "b", 3);
  PutApplied(&batch, 3);
  Index applied(0);
  EXPECT_EQ(BrokenBatch(kRegion, "store 1", batch, commits_, &applied), std::nullopt);
  EXPECT_EQ(applied, Index(3));
}

TEST_F(RowsTest, RowsWithoutTheirPosition) {
  WriteBatch batch;
  PutKey(&batch, 1, "a", 2);
  EXPECT_TRUE(Refused(batch));
}

TEST_F(RowsTest, APositionWithoutItsRows) {
  WriteBatch batch;
  PutApplied(&batch, 2);
  EXPECT_TRUE(Refused(batch));
}

TEST_F(RowsTest, AnEntryAppliedTwice) {
  WriteBatch batch;
  PutKey(&batch, 1, "a", 2);
  PutApplied(&batch, 2);
  EXPECT_FALSE(Refused(batch, 1));
  EXPECT_TRUE(Refused(batch, 2));
}

TEST_F(RowsTest, ARecordThatRemembersAnotherPast) {
  kv::Record record;
  record.version = kv::Version(1);
  record.changed_index = Index(2);
  record.value = "a";
  const auto refused = [&] {
    WriteBatch batch;
    batch.Put(kv::EncodeKey(kv::NamespaceId::kDefault, "k"), kv::EncodeRecord(record));
    PutApplied(&batch, 2);
    return Refused(batch);
  };
  EXPECT_FALSE(refused());
  record.requests.push_back({{1, 7, 1}, kv::Version(1)});
  EXPECT_TRUE(refused());
  record.requests.clear();
  record.changed_index = Index(1);
  EXPECT_TRUE(refused());
}

TEST_F(RowsTest, AnotherVersionAndAnotherValue) {
  WriteBatch version;
  PutKey(&version, 2, "a", 2);
  PutApplied(&version, 2);
  EXPECT_TRUE(Refused(version));
  WriteBatch value;
  PutKey(&value, 1, "x", 2);
  PutApplied(&value, 2);
  EXPECT_TRUE(Refused(value));
}

TEST_F(RowsTest, APositionThatIsNotCommitted) {
  WriteBatch batch;
  PutKey(&batch, 2, "b", 3);
  PutApplied(&batch, 4);
  EXPECT_TRUE(Refused(batch));
}

TEST_F(RowsTest, AChangeThatNoEntryMakes) {
  WriteBatch batch;
  PutKey(&batch, 1, "a", 2);
  PutApplied(&batch, 1);
  EXPECT_TRUE(Refused(batch));
}

TEST_F(RowsTest, TheRegionRowIsWhatItsEntriesMakeOfIt) {
  const raft::ConfState conf = Conf({101, 102, 103}, {}, {104});
  WriteAll(Append(4, {{1, "", conf}, {1, ""}}));
  Commit(0, 5);
  Region region = region_;
  const auto batch = [&](uint64_t applied) {
    WriteBatch rows;
    rows.Put(RegionRowKey(kRegion), EncodeRegion(region));
    PutApplied(&rows, applied);
    return rows;
  };
  EXPECT_TRUE(Refused(batch(4), 3)) << "the peers of before";
  region.peers = *PeersOf(conf);
  EXPECT_TRUE(Refused(batch(4), 3)) << "the version of before";
  ++region.epoch.conf_version;
  EXPECT_FALSE(Refused(batch(4), 3));
  EXPECT_FALSE(Refused(batch(5), 3));
  EXPECT_TRUE(Refused(batch(5), 4)) << "no entry changes the peers";
}

TEST_F(RowsTest, ATurnoverCoversWhatIsCommitted) {
  const auto broken = [&](const WriteBatch& batch, Index* applied) {
    return BrokenTurnover(kRegion, "store 1", batch, commits_, applied).has_value();
  };
  Index applied(2);
  WriteBatch install;
  PutApplied(&install, 3);
  EXPECT_FALSE(broken(install, &applied));
  EXPECT_EQ(applied, Index(3));
  WriteBatch destruction = install;
  destruction.Delete(AppliedRowKey(kRegion));
  EXPECT_FALSE(broken(destruction, &applied));
  EXPECT_EQ(applied, Index()) << "the replica is gone";
  PutApplied(&install, 4);
  EXPECT_TRUE(broken(install, &applied)) << "index 4 is not committed";
}

TEST_F(RowsTest, RowsAtTheEnd) {
  WriteBatch batch;
  PutKey(&batch, 2, "b", 3);
  std::map<std::string, std::string, std::less<>> rows;
  EXPECT_TRUE(BrokenRows(kRegion, "store 1", rows, Index(3), commits_).has_value());
  rows[batch.mutations[0].key] = *batch.mutations[0].value;
  EXPECT_EQ(BrokenRows(kRegion, "store 1", rows, Index(3), commits_), std::nullopt);
  EXPECT_TRUE(BrokenRows(kRegion, "store 1", rows, Index(2), commits_).has_value());
}

// A log whose entries are decided one by one.
class KvModelTest : public testing::Test {
 protected:
  // What becomes of the command; the model's complaint, if it has one.
  kv::WriteReply Decide(const std::string& payload) {
    const Index index = model_.applied().next();
    EXPECT_EQ(log_.Apply(Append(index.value(), {{1, payload}})), std::nullopt);
    complaint_ = model_.Apply(log_.At(index)).value_or("");
    return model_.DecidedAt(index)->reply;
  }

  // What follows in the log, whatever the model says to it.
  void Follow(const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) {
      const Index index = model_.applied().next();
      EXPECT_EQ(log_.Apply(Append(index.value(), {{1, payload}})), std::nullopt);
      EXPECT_EQ(model_.Apply(log_.At(index)), std::nullopt);
    }
  }

  LogImage log_;
  KvModel model_{kEpoch, Index()};
  std::string complaint_;
};

using Result = kv::WriteResult;

constexpr kv::NamespaceId kNs{7};

std::string Of(kv::NamespaceCommand command) {
  return EncodeRegionCommand({kEpoch, std::move(command)});
}
std::string Batch(uint64_t epoch, const std::string& value, uint64_t hlc, uint64_t store) {
  const kv::LwwRow row{"k", value, value.empty(), kv::Hlc(hlc), StoreId(store)};
  return Of(kv::LwwBatch{kNs, kv::ModeEpoch(epoch), {row}});
}
std::string Fence(kv::Mode mode, uint64_t epoch, uint64_t base = 0) {
  return Of(kv::ModeFence{kNs, {mode, kv::ModeEpoch(epoch), kv::Hlc(base)}});
}
std::string Collect(uint64_t before) {
  return Of(kv::CollectTombstones{kNs, "", "", kv::Hlc(before)});
}

TEST_F(KvModelTest, TheLatestWriterWins) {
  Follow({Batch(1, "a", 10, 1), Batch(1, "b", 10, 2), Batch(1, "", 10, 1), Batch(1, "c", 9, 9)});
  EXPECT_EQ(model_.At(kNs, "k", Index(1))->value, "a");
  EXPECT_EQ(model_.At(kNs, "k", Index(2))->value, "b");
  EXPECT_FALSE(model_.At(kNs, "k", Index(3))->live);
  EXPECT_EQ(model_.At(kNs, "k", Index(4))->version, kv::Version(3));
  EXPECT_TRUE(model_.ChangedAt(Index(4)).empty());
}

TEST_F(KvModelTest, AFenceTurnsAwayWhatWasAcceptedBefore) {
  Follow({Fence(kv::Mode::kEventual, 2, 10), Batch(1, "a", 20, 1), Batch(2, "b", 20, 1),
          Fence(kv::Mode::kStrong, 3), Batch(3, "c", 30, 1), Fence(kv::Mode::kEventual, 2, 99)});
  EXPECT_EQ(model_.At(kNs, "k", Index(2)), nullptr);
  EXPECT_EQ(model_.At(kNs, "k", Index(6))->value, "b");
  EXPECT_EQ(model_.StateAt(kNs, Index(6)).fence->mode, kv::Mode::kStrong);
  EXPECT_EQ(model_.Carried(kNs, "k", StoreId(1)), kv::Hlc(20));
}

TEST_F(KvModelTest, WhatWasCollectedStaysAway) {
  Follow({Batch(1, "a", 10, 1), Batch(1, "", 20, 1), Collect(20), Collect(21), Batch(1, "a", 10, 1),
          Batch(1, "b", 21, 1)});
  EXPECT_NE(model_.At(kNs, "k", Index(3)), nullptr) << "it may not be known everywhere";
  EXPECT_EQ(model_.At(kNs, "k", Index(4)), nullptr);
  EXPECT_EQ(model_.At(kNs, "k", Index(5)), nullptr);
  EXPECT_EQ(model_.At(kNs, "k", Index(6))->version, kv::Version(3)) << "versions go on";
  EXPECT_TRUE(model_.NamespacesChanged(Index(3), Index(4)));
  EXPECT_FALSE(model_.NamespacesChanged(Index(4), Index(6)));
}

TEST_F(KvModelTest, ARetryIsAnsweredAsItsFirst) {
  const kv::WriteReply first = Decide(Cas("k", 0, "a", 7));
  EXPECT_EQ(first, (kv::WriteReply{Result::kApplied, kv::Version(1), ""}));
  Decide(Cas("k", 1, "b", 8, 1));
  EXPECT_EQ(Decide(Cas("k", 0, "a", 7)), first);
  EXPECT_TRUE(model_.ChangedAt(Index(3)).empty());
  EXPECT_EQ(model_.At("k", Index(3))->value, "b");
  EXPECT_EQ(model_.At("k", Index(0)), nullptr);
}

TEST_F(KvModelTest, AMismatchTellsWhatIsThere) {
  EXPECT_EQ(Decide(Cas("k", 3, "a", 7)), (kv::WriteReply{Result::kMismatch, kv::Version(), ""}));
  Decide(Cas("k", 0, "b"));
  EXPECT_EQ(Decide(Cas("k", 0, "c")), (kv::WriteReply{Result::kMismatch, kv::Version(1), "b"}));
  EXPECT_EQ(complaint_, "");
}

TEST_F(KvModelTest, WhoMatchesTooLateIsOvertaken) {
  Decide(Cas("k", 0, "a"));
  EXPECT_EQ(Decide(Cas("k", 1, "b", 7, 0)),
            (kv::WriteReply{Result::kOvertaken, kv::Version(1), ""}));
  EXPECT_EQ(Decide(Cas("k", 1, "b", 8, 1)).result, Result::kApplied);
}

TEST_F(KvModelTest, WhatWasPushedOutIsForgotten) {
  for (uint64_t i = 0; i <= kv::Record::kRequestsMax; ++i) {
    EXPECT_EQ(Decide(Cas("k", i, "a", 7 + i, i)).result, Result::kApplied);
  }
  EXPECT_EQ(model_.At("k", model_.applied())->forgotten_index, model_.applied());
  EXPECT_EQ(Decide(Cas("k", 0, "a", 7, 0)).result, Result::kForgotten);
  EXPECT_EQ(Decide(Cas("k", 1, "a", 8, 1)).result, Result::kApplied);
  EXPECT_EQ(Decide(Cas("k", kv::Record::kRequestsMax + 1, "a", 98, 0)).result, Result::kOvertaken)
      << "of a version that is still there no attempt took effect";
  EXPECT_EQ(Decide(Cas("k", 0, "a", 99, 5)).result, Result::kMismatch);
  EXPECT_EQ(complaint_, "");
}

TEST_F(KvModelTest, AWriteWithoutANameIsNeverTooLate) {
  Decide(Cas("k", 0, "a"));
  Decide(Cas("k", 1, "b"));
  EXPECT_EQ(Decide(Cas("k", 2, "c")).result, Result::kApplied);
  EXPECT_TRUE(model_.At("k", Index(3))->remembered.empty());
}

TEST_F(KvModelTest, WhatIsTakenBackNeverWas) {
  Decide(Cas("k", 0, "a", 7));
  Decide(Cas("k", 1, "b", 8, 1));
  Decide(Cas("l", 0, "c", 9));
  Decide(Cas("l", 5, "d", 10));
  model_.GoBackTo(Index(1));
  log_ = LogImage();
  ASSERT_EQ(log_.Apply(Append(1, {{1, Cas("k", 0, "a", 7)}})), std::nullopt);
  EXPECT_EQ(model_.applied(), Index(1));
  EXPECT_EQ(model_.At("k", Index(9))->value, "a");
  EXPECT_EQ(model_.keys().count("l"), 0u);
  // What the others were told is open again, what is left is not.
  EXPECT_EQ(Decide(Cas("l", 0, "d", 10)).result, Result::kApplied);
  EXPECT_EQ(complaint_, "");
  EXPECT_EQ(Decide(Cas("k", 1, "b", 8, 1)).version, kv::Version(2));
  EXPECT_EQ(complaint_, "");
  Decide(Cas("m", 0, "a", 7));
  EXPECT_NE(complaint_, "");
}

// The same id stands for different requests here, as no client's does.
TEST_F(KvModelTest, WhatWasDeniedTakesNoEffect) {
  Decide(Cas("k", 3, "a", 7));
  EXPECT_EQ(complaint_, "");
  Decide(Cas("k", 0, "a", 7));
  EXPECT_EQ(complaint_,
            "request 7/1 was denied any effect at index 1, and the rules let it take effect at "
            "index 2");
}

TEST_F(KvModelTest, WhatTookEffectIsNotDenied) {
  Decide(Cas("k", 0, "a", 7));
  Decide(Cas("l", 3, "a", 7));
  EXPECT_EQ(complaint_,
            "request 7/1 took effect at index 1, and the rules deny it any effect at index 2");
}

TEST_F(KvModelTest, WhatTookEffectTakesNoneAgain) {
  Decide(Cas("k", 0, "a", 7));
  Decide(Cas("l", 0, "a", 7));
  EXPECT_EQ(complaint_,
            "request 7/1 took effect at index 1, and the rules let it take effect at index 2");
}

}  // namespace
}  // namespace flaredb::sim
