// SPDX-License-Identifier: Apache-2.0
// The checkers as a run drives them: leases, and replicas that come, go and get snapshots.
#include "sim/invariants/checkers.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/kv/key.h"
#include "core/kv/record.h"
#include "core/region/state_rows.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr uint32_t kStores = 4;
constexpr PeerId kNewcomer(109);

env::LogWrite Of(raft::Persist persist) { return {kRegion, Incarnation(), std::move(persist)}; }

raft::Config Times() {
  raft::Config config;
  config.election_timeout = Duration::Milliseconds(100);
  return config;
}

// Three founded stores and an empty one. What a store turns to, the test says; what it asks to be
// written is on its disk at once.
class CheckersTest : public testing::Test {
 protected:
  CheckersTest() { Begin(true); }

  void Begin(bool leases) {
    report_ = FailureReport();
    for (uint32_t node = 0; node < kStores; ++node) {
      disks_[node].emplace(&world_, DiskProfile(), node);
      const store::Identity identity{77, StoreId(node + 1)};
      disks_[node]->Format(node < 3 ? store::Bootstrap(identity, region_, Incarnation(node + 1))
                                    : store::Bootstrap(identity));
    }
    checkers_.emplace(
        region_, std::vector<const SimDisk*>{&*disks_[0], &*disks_[1], &*disks_[2], &*disks_[3]},
        Times(), leases, &report_,
        Clocks{[] { return Instant() + Duration::Milliseconds(350); },
               [](uint32_t, Instant local) { return local; }});
    for (uint32_t node = 0; node < kStores; ++node) Start(node);
  }

  void Start(uint32_t node) {
    const DiskImage& image = disks_[node]->image();
    const auto recovered = store::Recover(image, image.LogStates());
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    views_[node].reset();
    if (recovered->regions.empty()) return checkers_->OnStart(node, Instant(), nullptr, nullptr);
    const store::RecoveredRegion& found = recovered->regions[0];
    const LogImage& log = image.log(kRegion);
    store::PeerView view;
    view.peer = view.raft.id = found.peer;
    view.raft.term = found.raft.hard_state.term;
    view.raft.vote = found.raft.hard_state.vote;
    view.raft.commit_index = view.raft.handed_out_index = found.applied.index;
    view.raft.base = found.raft.base;
    view.raft.last_log = {log.TermAt(log.last_index()), log.last_index()};
    view.raft.durable_index = log.last_index();
    view.raft.conf = log.ConfAt(log.last_index());
    views_[node] = view;
    checkers_->OnStart(node, Instant(), &found, &*views_[node]);
  }

  void Turn(uint32_t node, env::GroupCommit commit = {}) {
    const bool writes = !commit.log.empty() || !commit.data.empty();
    TurnOnly(node, writes ? std::optional(commit) : std::nullopt);
    if (writes) Written(node, commit);
  }
  // What it asks to be written is under way until Written.
  void TurnOnly(uint32_t node, std::optional<env::GroupCommit> commit) {
    store::Effects effects;
    effects.commit = std::move(commit);
    checkers_->OnTurn(node, effects, views_[node] ? &*views_[node] : nullptr);
  }
  void Written(uint32_t node, const env::GroupCommit& commit) {
    checkers_->BeforeDurable(node, commit);
    disks_[node]->Format(commit);
    ASSERT_EQ(world_.report.failure().sentence, "");
    checkers_->AfterDurable(node);
  }

  raft::View& View(uint32_t node) { return views_[node]->raft; }

  void Vote(uint32_t node, uint64_t term, uint64_t candidate) {
    View(node).role =
        PeerId(candidate) == View(node).id ? raft::Role::kCandidate : raft::Role::kFollower;
    View(node).term = Term(term);
    View(node).vote = PeerId(candidate);
    Turn(node, {IoToken(), {Of(Hard(term, candidate))}, {}});
  }
  void Lead(uint32_t node) {
    View(node).role = raft::Role::kLeader;
    Turn(node);
  }
  void Append(uint32_t node, const std::vector<ModelEntry>& entries) {
    raft::View& view = View(node);
    const Index first = view.last_log.index.next();
    view.last_log = {Term(entries.back().term), view.last_log.index + entries.size()};
    for (const ModelEntry& entry : entries) {
      if (!entry.conf) continue;
      view.conf = *entry.conf;
      view.conf_index = view.last_log.index;
      ++view.confs;
    }
    Turn(node, {IoToken(), {Of(sim::Append(first.value(), entries))}, {}});
    view.durable_index = view.last_log.index;
  }
  void Commit(uint32_t node, uint64_t index) {
    View(node).commit_index = View(node).handed_out_index = Index(index);
    Turn(node);
  }
  const std::string& Broken() const { return report_.failure().invariant; }

  World world_{1, nullptr};
  const Region region_ = ThreePeers();
  const raft::ConfState conf_ = ConfStateOf(region_);
  FailureReport report_;
  std::optional<SimDisk> disks_[kStores];
  std::optional<Checkers> checkers_;
  std::optional<store::PeerView> views_[kStores];
};

// --- ES

// Peer 103 is elected, which a joint phase leaves out.
class LeftOutTest : public CheckersTest {
 protected:
  std::string ElectWhoIsLeftOut(bool committed) {
    const raft::ConfState joint = Conf({101, 102}, {101, 102, 103});
    for (uint32_t node = 0; node < 3; ++node) Vote(node, 2, 101);
    Lead(0);
    for (uint32_t node = 0; node < 3; ++node) Append(node, {{2, "", joint}});
    // Whoever commits it proposes its end in the same turn.
    View(0).commit_index = View(0).handed_out_index = View(0).last_log.index;
    for (uint32_t node = 0; node < 3; ++node) Append(node, {{2, "", Conf({101, 102})}});
    if (committed) {
      for (const uint32_t node : {0, 2}) Commit(node, View(0).last_log.index.value());
    }
    EXPECT_EQ(Broken(), "");
    for (uint32_t node = 0; node < 3; ++node) Vote(node, 3, 103);
    Lead(2);
    return Broken();
  }
};

TEST_F(LeftOutTest, WhoIsLeftOutMayLeadUntilThatIsCommitted) {
  EXPECT_EQ(ElectWhoIsLeftOut(false), "");
}

TEST_F(LeftOutTest, ALeaderThatIsNoVoter) { EXPECT_EQ(ElectWhoIsLeftOut(true), "ES"); }

// --- MONO

// Two writes of store 1 replace its last entry, the second one by an entry of the first one's term.
class TruncationTest : public CheckersTest {
 protected:
  TruncationTest() {
    Vote(0, 2, 101);
    Append(0, {{2, ""}, {2, ""}});
    last_ = View(0).last_log.index;
    away_ = Replace(1, 3, 102, 3);
    back_ = Replace(2, 4, 103, 2);
    EXPECT_EQ(Broken(), "");
  }

  env::GroupCommit Replace(uint64_t token, uint64_t term, uint64_t vote, uint64_t entry_term) {
    raft::Persist persist = sim::Append(last_.value(), {{entry_term, ""}});
    persist.truncate_from = last_;
    persist.hard_state = raft::HardState{Term(term), PeerId(vote)};
    View(0).term = Term(term);
    View(0).vote = PeerId(vote);
    View(0).last_log = {Term(entry_term), last_};
    View(0).durable_index = last_.prev();
    env::GroupCommit commit{IoToken(token), {Of(std::move(persist))}, {}};
    TurnOnly(0, commit);
    return commit;
  }

  std::string TakeForDurable() {
    View(0).durable_index = last_;
    Turn(0);
    return Broken();
  }

  Index last_;
  env::GroupCommit away_, back_;
};

TEST_F(TruncationTest, AnEntryThatTheDiskHoldsAndIsAboutToLose) {
  EXPECT_EQ(TakeForDurable(), "MONO");
}

TEST_F(TruncationTest, AnEntryThatTheDiskHasLost) {
  Written(0, away_);
  EXPECT_EQ(TakeForDurable(), "MONO");
}

TEST_F(TruncationTest, AnEntryThatIsThereAgain) {
  Written(0, away_);
  Written(0, back_);
  EXPECT_EQ(TakeForDurable(), "");
}

TEST_F(TruncationTest, ATruncationThatACrashPrevented) {
  checkers_->OnCrash(0);
  Start(0);
  EXPECT_EQ(TakeForDurable(), "");
}

// --- REC

// Index 2 is everywhere; 3 is committed as well, but on stores 1 and 2 only.
class RecoveryTest : public CheckersTest {
 protected:
  RecoveryTest() {
    for (const uint32_t node : {0, 1}) Vote(node, 2, 101);
    Lead(0);
    for (const uint32_t node : {0, 1, 2}) Append(node, {{2, ""}});
    for (const uint32_t node : {0, 1}) Append(node, {{2, ""}});
    Commit(0, 3);
    Commit(2, 2);
    plan_.chosen = PeerId(103);
    plan_.chosen_log = {Term(2), Index(2)};
    plan_.term = Term(3);
    plan_.conf = Conf({103});
  }
  // The replica on `node` carries the plan out, with this entry in its log.
  std::string Recover(std::set<uint32_t> lost, const ModelEntry& entry, uint32_t node = 2) {
    EXPECT_EQ(Broken(), "");
    if (plan_.lost.empty()) {
      for (const uint32_t other : lost) plan_.lost.push_back(PeerId(101 + other));
    }
    raft::View& view = View(node);
    view.role = raft::Role::kFollower;
    view.term = Term(3);
    view.vote = view.id;
    view.last_log = {Term(entry.term), view.last_log.index.next()};
    if (entry.conf) {
      view.conf = *entry.conf;
      ++view.confs;
    }
    raft::Persist persist = sim::Append(view.last_log.index.value(), {entry});
    persist.hard_state = raft::HardState{view.term, view.vote};
    checkers_->OnRecovery(node, plan_, lost);
    Turn(node, {IoToken(), {Of(std::move(persist))}, {}});
    return Broken();
  }
  std::string Recover(const ModelEntry& entry) { return Recover({0, 1}, entry); }

  raft::RecoveryPlan plan_;
};

TEST_F(RecoveryTest, TheHistoryGoesBackToWhatIsLeft) {
  EXPECT_EQ(checkers_->commits().last(), Index(3));
  EXPECT_EQ(Recover({3, "", plan_.conf}), "");
  EXPECT_EQ(checkers_->commits().last(), Index(2));
  Commit(2, 3);
  EXPECT_EQ(Broken(), "") << "its disk is a quorum now";
  EXPECT_EQ(checkers_->commits().confs().back().conf, plan_.conf);
}

TEST_F(RecoveryTest, AConfigurationThatNobodyOrdered) {
  Append(2, {{3, "", plan_.conf}});
  EXPECT_EQ(Broken(), "CFG");
}

TEST_F(RecoveryTest, WhoWasNotChosen) {
  plan_.chosen = PeerId(102);
  EXPECT_EQ(Recover({3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, ATermThatIsNotThePlans) { EXPECT_EQ(Recover({4, "", plan_.conf}), "REC"); }

TEST_F(RecoveryTest, AConfigurationThatIsNotThePlans) {
  EXPECT_EQ(Recover({3, "", Conf({102, 103})}), "REC");
}

TEST_F(RecoveryTest, AnEntryThatIsNoConfiguration) { EXPECT_EQ(Recover({3, ""}), "REC"); }

TEST_F(RecoveryTest, AConfigurationOfTheLost) {
  plan_.conf = Conf({102, 103});
  EXPECT_EQ(Recover({3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, AnOperatorWhoIsNotToldWhoGoes) {
  plan_.lost = {PeerId(101)};
  EXPECT_EQ(Recover({3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, AnOperatorWhoIsToldThatSomebodyGoesWhoStays) {
  plan_.conf = Conf({102, 103});
  plan_.lost = {PeerId(101), PeerId(102)};
  EXPECT_EQ(Recover({0}, {3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, AJointPhaseThatGoesOn) {
  plan_.conf = Conf({103}, {103});
  EXPECT_EQ(Recover({3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, AChosenOneWhoDoesNotVote) {
  plan_.conf = Conf({}, {}, {103});
  EXPECT_EQ(Recover({3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, ATermThatAnotherSurvivorKnows) {
  Vote(1, 3, 102);
  plan_.conf = Conf({102, 103});
  EXPECT_EQ(Recover({0}, {3, "", plan_.conf}), "REC");
}

TEST_F(RecoveryTest, WhatAnotherSurvivorHasCommittedIsKept) {
  plan_.conf = Conf({102, 103});
  EXPECT_EQ(Recover({0}, {3, "", plan_.conf}), "");
}

TEST_F(RecoveryTest, WhatAnotherSurvivorHasCommittedIsLost) {
  Commit(1, 3);
  plan_.conf = Conf({102, 103});
  EXPECT_EQ(Recover({0}, {3, "", plan_.conf}), "REC");
}

// --- LEASE

class LeaseTest : public CheckersTest {
 protected:
  // Store 1 leads term 2; stores 2 and 3 have voted for store 2 in term 3.
  LeaseTest() { BeginAgain(true); }
  void BeginAgain(bool leases) {
    Begin(leases);
    for (const uint32_t node : {0, 1}) Vote(node, 2, 101);
    Lead(0);
    for (const uint32_t node : {1, 2}) Vote(node, 3, 102);
  }
};

TEST_F(LeaseTest, ALeaseWhileSomebodyLeadsALaterTerm) {
  Lead(1);
  View(0).lease_valid = true;
  EXPECT_EQ(Broken(), "") << "it has not turned, and answers nothing";
  // Store 2 campaigned against its promise; store 3 gave one that still runs.
  View(2).promised_until = Instant() + Duration::Milliseconds(400);
  Turn(2);
  View(1).promised_until = Instant() + Duration::Milliseconds(390);
  Turn(1);
  Turn(0);
  EXPECT_EQ(Broken(), "LEASE");
  EXPECT_EQ(report_.failure().sentence,
            "store 1 leads term 2 and holds its lease, but store 2, elected in term 3, leads as "
            "well at 0.350000 s. Promised to store 1: by store 2 from 0.290000 s until 0.390000 s, "
            "by store 3 from 0.300000 s until 0.400000 s.");
  ASSERT_EQ(checkers_->promises().size(), 2u);
  EXPECT_EQ(checkers_->promises()[1].node, 2u);
  EXPECT_EQ(checkers_->promises()[1].given, Instant() + Duration::Milliseconds(300));
}

TEST_F(LeaseTest, ALeaderWithoutALeaseMayBeOutdated) {
  Lead(1);
  Turn(0);
  View(1).lease_valid = true;
  Turn(1);
  EXPECT_EQ(Broken(), "") << "a lease of the later term";
}

TEST_F(LeaseTest, ALeaseWhileSomebodyTriesALaterTerm) {
  View(0).lease_valid = true;
  Turn(0);
  EXPECT_EQ(Broken(), "");
}

TEST_F(LeaseTest, ALeaseAfterTheLaterLeaderDied) {
  Lead(1);
  checkers_->OnCrash(1);
  View(0).lease_valid = true;
  Turn(0);
  EXPECT_EQ(Broken(), "");
}

TEST_F(LeaseTest, ALeaseByAClockThatIsNotTrusted) {
  BeginAgain(false);
  Lead(1);
  View(0).lease_valid = true;
  Turn(0);
  EXPECT_EQ(Broken(), "");
}

// --- SNAP

std::pair<std::string, std::string> KeyRow(const std::string& key, uint64_t version,
                                           const std::string& value) {
  kv::Record record;
  record.version = kv::Version(version);
  record.changed_index = Index(3);
  record.value = value;
  return {kv::EncodeKey(kv::NamespaceId::kDefault, key), kv::EncodeRecord(record)};
}

// Stores 1 and 2 have committed index 3, which writes k; index 4, which writes it again, is not
// committed. Store 4 has an empty replica.
class SnapshotTest : public CheckersTest {
 protected:
  SnapshotTest() {
    for (const uint32_t node : {0, 1}) Vote(node, 2, 101);
    Lead(0);
    for (const uint32_t node : {1, 0}) {
      Append(node, {{2, ""}, {2, Cas("k", 0, "a")}, {2, Cas("k", 1, "b")}});
    }
    Commit(0, 3);
    checkers_->OnNewPeer(kNewcomer, StoreId(4));
    Create(3, kNewcomer);
    EXPECT_EQ(Broken(), "");
  }

  void Create(uint32_t node, PeerId peer) {
    env::GroupCommit commit;
    store::CreateReplica(kRegion, peer, Incarnation(peer.value()), &commit);
    views_[node].emplace();
    views_[node]->peer = View(node).id = peer;
    Turn(node, std::move(commit));
  }

  // Store 4 installs a snapshot of this index with these rows beside the region's own.
  void Install(uint64_t term, uint64_t index,
               const std::vector<std::pair<std::string, std::string>>& rows) {
    env::GroupCommit commit;
    commit.log.push_back(Of(Hard(term, 0)));
    commit.log.push_back(Of(sim::Install(term, index, conf_)));
    commit.data.Put(RegionRowKey(kRegion), EncodeRegion(region_));
    commit.data.Put(AppliedRowKey(kRegion), EncodeApplied({Term(term), Index(index)}));
    for (const auto& [key, value] : rows) commit.data.Put(key, value);
    View(3).term = Term(term);
    View(3).base = View(3).last_log = {Term(term), Index(index)};
    View(3).conf = conf_;
    View(3).commit_index = View(3).handed_out_index = Index(index);
    Turn(3, std::move(commit));
  }
};

TEST_F(SnapshotTest, TheModelsRows) {
  Install(2, 3, {KeyRow("k", 1, "a")});
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(checkers_->replicas()[3].applied, Index(3));
  EXPECT_EQ(checkers_->replicas()[3].durable_peer, kNewcomer);
}

TEST_F(SnapshotTest, ASnapshotOfAnEarlierTime) {
  Install(2, 2, {});
  EXPECT_EQ(Broken(), "");
}

TEST_F(SnapshotTest, WhatIsNotCommitted) {
  Install(2, 4, {KeyRow("k", 2, "b")});
  EXPECT_EQ(Broken(), "SNAP");
}

TEST_F(SnapshotTest, RowsOfALaterTime) {
  Install(2, 2, {KeyRow("k", 1, "a")});
  EXPECT_EQ(Broken(), "SNAP");
}

TEST_F(SnapshotTest, ARowThatIsMissing) {
  Install(2, 3, {});
  EXPECT_EQ(Broken(), "SNAP");
}

TEST_F(SnapshotTest, ARowWithAnotherValue) {
  Install(2, 3, {KeyRow("k", 1, "b")});
  EXPECT_EQ(Broken(), "SNAP");
}

TEST_F(SnapshotTest, ARowWithAnotherVersion) {
  Install(2, 3, {KeyRow("k", 2, "a")});
  EXPECT_EQ(Broken(), "SNAP");
}

TEST_F(SnapshotTest, ARowThatNoEntryWrote) {
  Install(2, 3, {KeyRow("k", 1, "a"), KeyRow("x", 1, "a")});
  EXPECT_EQ(Broken(), "SNAP");
}

// --- Replicas that come and go

TEST_F(SnapshotTest, AReplicaThatIsDestroyedWithItsRows) {
  Install(2, 3, {KeyRow("k", 1, "a")});
  env::GroupCommit commit;
  ASSERT_TRUE(store::DestroyReplica(region_, kNewcomer, disks_[3]->image(), &commit).ok());
  views_[3].reset();
  Turn(3, std::move(commit));
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(checkers_->replicas()[3].durable_peer, PeerId());
  EXPECT_EQ(checkers_->replicas()[3].applied, Index());
}

TEST_F(SnapshotTest, AReplicaThatLeavesRowsBehind) {
  Install(2, 3, {KeyRow("k", 1, "a")});
  env::GroupCommit commit;
  ASSERT_TRUE(store::DestroyReplica(region_, kNewcomer, disks_[3]->image(), &commit).ok());
  std::erase_if(commit.data.mutations,
                [](const Mutation& mutation) { return kv::DecodeKey(mutation.key).has_value(); });
  views_[3].reset();
  Turn(3, std::move(commit));
  EXPECT_EQ(Broken(), "SNAP");
}

TEST_F(SnapshotTest, AReplicaThatComesAfterAnotherBeginsAtTermZero) {
  constexpr PeerId kNext(110);
  Install(2, 3, {KeyRow("k", 1, "a")});
  env::GroupCommit commit;
  ASSERT_TRUE(store::DestroyReplica(region_, kNewcomer, disks_[3]->image(), &commit).ok());
  views_[3].reset();
  Turn(3, std::move(commit));
  checkers_->OnNewPeer(kNext, StoreId(4));
  Create(3, kNext);
  EXPECT_EQ(checkers_->replicas()[3].durable_peer, kNext);
  Vote(3, 1, 102);
  EXPECT_EQ(Broken(), "");
  checkers_->BeforeDurable(3, {IoToken(), {Of(Hard(1, 101))}, {}});
  EXPECT_EQ(Broken(), "VS");
}

TEST_F(SnapshotTest, AReplicaThatTakesAnothersPlaceInOneTurn) {
  constexpr PeerId kNext(110);
  Install(2, 3, {KeyRow("k", 1, "a")});
  checkers_->OnNewPeer(kNext, StoreId(4));
  env::GroupCommit commit;
  ASSERT_TRUE(store::DestroyReplica(region_, kNewcomer, disks_[3]->image(), &commit).ok());
  store::CreateReplica(kRegion, kNext, Incarnation(110), &commit);
  views_[3].emplace();
  views_[3]->peer = View(3).id = kNext;
  Turn(3, std::move(commit));
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(checkers_->replicas()[3].durable_peer, kNext);
  EXPECT_EQ(checkers_->replicas()[3].applied, Index());
}

TEST_F(SnapshotTest, AReplicaThatComesBack) {
  Install(2, 3, {KeyRow("k", 1, "a")});
  env::GroupCommit commit;
  ASSERT_TRUE(store::DestroyReplica(region_, kNewcomer, disks_[3]->image(), &commit).ok());
  views_[3].reset();
  Turn(3, std::move(commit));
  EXPECT_EQ(Broken(), "");
  Create(3, kNewcomer);
  EXPECT_EQ(Broken(), "REG");
}

TEST_F(SnapshotTest, AReplicaThatGoesBackWithoutBeingCreatedAnew) {
  Install(2, 3, {KeyRow("k", 1, "a")});
  env::GroupCommit commit;
  commit.log.push_back(Of(Hard(1, 102)));
  checkers_->BeforeDurable(3, commit);
  EXPECT_EQ(Broken(), "VS");
}

TEST_F(SnapshotTest, AStoreStartsWithWhatItInstalled) {
  Install(2, 3, {KeyRow("k", 1, "a")});
  checkers_->OnCrash(3);
  Start(3);
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(checkers_->replicas()[3].peer, kNewcomer);
  EXPECT_EQ(checkers_->replicas()[3].applied, Index(3));
}

TEST_F(SnapshotTest, AConfigurationThatALeaderOnlyImagines) {
  View(0).conf = Conf({101, 102, 109});
  Turn(0);
  EXPECT_EQ(Broken(), "MONO");
}

}  // namespace
}  // namespace flaredb::sim
