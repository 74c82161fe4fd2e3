// SPDX-License-Identifier: Apache-2.0
#include "core/store/recovery.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/cluster/directory.h"
#include "core/kv/key.h"
#include "core/pd/cluster.h"
#include "core/region/state_machine.h"
#include "core/region/state_rows.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::store {
namespace {

using ::testing::HasSubstr;

const Identity kIdentity{0x0102030405060708, StoreId(2), {0x11, 0x22}};

Region RegionOf(uint64_t id, std::string start, std::string end) {
  return {RegionId(id),
          std::move(start),
          std::move(end),
          {1, 1},
          {{PeerId(10 * id + 1), StoreId(1)}, {PeerId(10 * id + 2), StoreId(2)}}};
}

// A store with regions 1 (before "m") and 2 (from "m" on). Region 1 has a log of entries 5 to 9
// over base (2, 4), of terms 2, 2, 3, 5, 5, with configurations at 6 and 8, and has applied
// entry 7. Region 2 was just born.
class RecoveryTest : public ::testing::Test {
 protected:
  RecoveryTest() {
    data_.Write(Bootstrap(kIdentity, RegionOf(1, "", "m"), Incarnation(77)).data);
    PutReplica(2, {PeerId(22), false});
    PutRegion(RegionOf(2, "m", ""));
    PutApplied(1, {Term(3), Index(7)});
    PutApplied(2, kRegionBirth);
    logs_.resize(2);
    logs_[0].region = RegionId(1);
    logs_[0].incarnation = Incarnation(77);
    logs_[0].hard_state = {Term(6), PeerId(11)};
    logs_[0].base = {{Term(2), Index(4)}, ConfStateOf(RegionOf(1, "", "m"))};
    logs_[0].terms = {{Index(5), Term(2)}, {Index(7), Term(3)}, {Index(8), Term(5)}};
    logs_[0].last_index = Index(9);
    logs_[0].confs = {{Index(6), logs_[0].base.conf}, {Index(8), logs_[0].base.conf}};
    logs_[1].region = RegionId(2);
    logs_[1].incarnation = Incarnation(78);
    logs_[1].hard_state = {kRegionBirth.term, PeerId()};
    logs_[1].base = {kRegionBirth, ConfStateOf(RegionOf(2, "m", ""))};
    logs_[1].last_index = kRegionBirth.index;
  }

  void PutRegion(const Region& region) {
    data_.rows[RegionRowKey(region.id)] = EncodeRegion(region);
  }
  void PutReplica(uint64_t region, ReplicaRow row) {
    data_.rows[ReplicaRowKey(RegionId(region))] = EncodeReplicaRow(row);
  }
  // Leaves of region 2 what a replica has that did not get its snapshot yet.
  void MakeUninitialized() {
    data_.rows.erase(RegionRowKey(RegionId(2)));
    data_.rows.erase(AppliedRowKey(RegionId(2)));
    logs_[1].base = {};
    logs_[1].last_index = Index();
  }
  void PutApplied(uint64_t region, raft::LogId applied) {
    data_.rows[AppliedRowKey(RegionId(region))] = EncodeApplied(applied);
  }
  void ExpectLoss(const std::string& text) {
    const absl::Status status = Recover(data_, logs_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }

  MapReader data_;
  std::vector<env::LogState> logs_;
};

TEST_F(RecoveryTest, JoinsRowsAndLogsByRegion) {
  std::swap(logs_[0], logs_[1]);
  const absl::StatusOr<RecoveredStore> store = Recover(data_, logs_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->identity, kIdentity);
  ASSERT_EQ(store->regions.size(), 2u);

  const RecoveredRegion& first = store->regions[0];
  EXPECT_EQ(first.region, RegionOf(1, "", "m"));
  EXPECT_EQ(first.applied, (raft::LogId{Term(3), Index(7)}));
  EXPECT_EQ(first.raft.incarnation, Incarnation(77));
  EXPECT_EQ(first.raft.hard_state, (raft::HardState{Term(6), PeerId(11)}));
  EXPECT_EQ(first.peer, PeerId(12));
  EXPECT_EQ(first.raft.conf, ConfStateOf(first.region));
  EXPECT_EQ(first.raft.confs, logs_[1].confs);
  EXPECT_EQ(first.raft.base, (raft::LogId{Term(2), Index(4)}));
  EXPECT_EQ(first.raft.terms, logs_[1].terms);
  EXPECT_EQ(first.raft.last_index, Index(9));
  EXPECT_EQ(first.raft.applied_index, Index(7));

  EXPECT_EQ(store->regions[1].region, RegionOf(2, "m", ""));
  EXPECT_EQ(store->regions[1].peer, PeerId(22));
  EXPECT_EQ(store->regions[1].applied, kRegionBirth);
  EXPECT_EQ(store->regions[1].raft.incarnation, Incarnation(78));
  EXPECT_TRUE(store->tombstones.empty());
}

TEST_F(RecoveryTest, StoreWithoutRegionsIsFine) {
  data_.rows.erase(data_.rows.lower_bound(RegionRowsBegin()), data_.rows.end());
  logs_.clear();
  const absl::StatusOr<RecoveredStore> store = Recover(data_, logs_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(store->regions.empty());
}

TEST_F(RecoveryTest, AppliedMayBeAnywhereInTheLogOrAtItsBase) {
  for (const auto& [term, index] : {std::pair(2, 4), {2, 6}, {3, 7}, {5, 8}, {5, 9}}) {
    PutApplied(1, {Term(term), Index(index)});
    EXPECT_TRUE(Recover(data_, logs_).ok()) << index;
  }
}

TEST_F(RecoveryTest, EmptyStoreWasNeverBootstrapped) {
  EXPECT_EQ(Recover(MapReader(), {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RecoveryTest, DataWithoutIdentityIsLoss) {
  ASSERT_EQ(data_.rows.erase("\x01i"), 1u);
  ExpectLoss("identity");
  data_.rows.clear();
  ExpectLoss("identity");  // Logs alone.
  logs_.clear();
  data_.rows[kv::EncodeKey(kv::NamespaceId::kDefault, "k")] = "user data alone";
  ExpectLoss("identity");
}

TEST_F(RecoveryTest, UndecodableRowIsLossAndNamed) {
  for (const auto& [key, name] : {std::pair(std::string("\x01i"), "identity row"),
                                  {RegionRowKey(RegionId(1)), "region 1: region row"},
                                  {AppliedRowKey(RegionId(2)), "region 2: applied row"},
                                  {ReplicaRowKey(RegionId(2)), "region 2: replica row"}}) {
    const std::string good = std::exchange(data_.rows[key], "\x7f");
    ExpectLoss(name);
    data_.rows[key] = good + "x";
    ExpectLoss(name);
    data_.rows[key] = good;
  }
}

TEST_F(RecoveryTest, IdentityOfNobodyIsLoss) {
  data_.rows["\x01i"] = std::string("\1\0\0\0\0\0\0\0\0\2", 10);
  ExpectLoss("identity");
  data_.rows["\x01i"] = std::string("\1\0\0\0\0\0\0\0\1\0", 10);
  ExpectLoss("identity");
}

TEST_F(RecoveryTest, StrangeKeyAmongRegionRowsIsLoss) {
  data_.rows[RegionRowKey(RegionId(1)) + "x"] = "";
  ExpectLoss("key");
}

TEST_F(RecoveryTest, PartOfARegionWithoutTheOthersIsLoss) {
  const MapReader all = data_;
  data_.rows.erase(RegionRowKey(RegionId(2)));
  ExpectLoss("region 2: the region row is missing");
  data_ = all;
  data_.rows.erase(AppliedRowKey(RegionId(2)));
  ExpectLoss("region 2: the applied row is missing");
  data_ = all;
  logs_.pop_back();
  ExpectLoss("region 2: the log is missing");
  logs_.resize(2);
  logs_[1].region = RegionId(3);
  ExpectLoss("region 2: the log is missing");
}

TEST_F(RecoveryTest, LogWithoutRowsIsLoss) {
  logs_.push_back(logs_[1]);
  logs_.back().region = RegionId(3);
  ExpectLoss("region 3: the replica row is missing, but other parts exist");
}

TEST_F(RecoveryTest, EveryOtherPartNeedsTheReplicaRow) {
  data_.rows.erase(ReplicaRowKey(RegionId(2)));
  ExpectLoss("region 2: the replica row is missing, but other parts exist");
  data_.rows.erase(RegionRowKey(RegionId(2)));
  ExpectLoss("region 2: the replica row is missing, but other parts exist");
  logs_.pop_back();
  ExpectLoss("region 2: the replica row is missing, but other parts exist");
  data_.rows.erase(AppliedRowKey(RegionId(2)));
  EXPECT_TRUE(Recover(data_, logs_).ok()) << "nothing is left of region 2";
}

TEST_F(RecoveryTest, AReplicaThatGotNoSnapshotYetKnowsOnlyWhoItIs) {
  MakeUninitialized();
  for (const Term term : {Term(), Term(4)}) {
    logs_[1].hard_state.term = term;
    const absl::StatusOr<RecoveredStore> store = Recover(data_, logs_);
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_EQ(store->regions.size(), 2u);
    const RecoveredRegion& region = store->regions[1];
    EXPECT_EQ(region.peer, PeerId(22));
    EXPECT_EQ(region.region.id, RegionId(2));
    EXPECT_FALSE(region.region.initialized());
    EXPECT_EQ(region.applied, raft::LogId());
    EXPECT_EQ(region.raft.incarnation, Incarnation(78));
    EXPECT_EQ(region.raft.hard_state.term, term);
    EXPECT_EQ(region.raft.conf, raft::ConfState());
    EXPECT_EQ(region.raft.last_index, Index());
  }
}

TEST_F(RecoveryTest, SeveralReplicasWithoutASnapshotDoNotOverlap) {
  MakeUninitialized();
  PutReplica(3, {PeerId(32), false});
  logs_.push_back(logs_[1]);
  logs_.back().region = RegionId(3);
  EXPECT_TRUE(Recover(data_, logs_).ok());
}

TEST_F(RecoveryTest, AReplicaWithoutASnapshotHasNoLogAndNoRows) {
  MakeUninitialized();
  logs_[1].terms = {{Index(1), Term(1)}};
  logs_[1].last_index = Index(1);
  ExpectLoss("region 2: the region row is missing, but the log has entries");
  MakeUninitialized();
  logs_[1].terms.clear();
  PutApplied(2, {});
  ExpectLoss("region 2: the region row is missing, but other parts exist");
  data_.rows.erase(AppliedRowKey(RegionId(2)));
  PutRegion(RegionOf(2, "m", ""));
  ExpectLoss("region 2: the applied row is missing, but other parts exist");
  MakeUninitialized();
  logs_.pop_back();
  ExpectLoss("region 2: the log is missing, but the rows exist");
}

TEST_F(RecoveryTest, ATombstoneIsAllThatIsLeftOfARemovedReplica) {
  MakeUninitialized();
  logs_.pop_back();
  PutReplica(2, {PeerId(22), true});
  const absl::StatusOr<RecoveredStore> store = Recover(data_, logs_);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(store->regions.size(), 1u);
  EXPECT_EQ(store->regions[0].region.id, RegionId(1));
  EXPECT_EQ(store->tombstones, (std::map<RegionId, PeerId>{{RegionId(2), PeerId(22)}}));
}

TEST_F(RecoveryTest, ARemovedReplicaWithPartsLeftIsLoss) {
  const char* const kText = "region 2: replica row: it says removed, but other parts exist";
  const std::string region_row = data_.rows[RegionRowKey(RegionId(2))];
  const env::LogState log = logs_[1];
  PutReplica(2, {PeerId(22), true});
  MakeUninitialized();
  ExpectLoss(kText);  // The log.
  logs_.pop_back();
  data_.rows[RegionRowKey(RegionId(2))] = region_row;
  ExpectLoss(kText);
  data_.rows.erase(RegionRowKey(RegionId(2)));
  PutApplied(2, kRegionBirth);
  ExpectLoss(kText);
}

TEST_F(RecoveryTest, TwoLogsOfOneRegionAreLoss) {
  logs_.push_back(logs_[1]);
  ExpectLoss("region 2: log: it exists twice");
}

TEST_F(RecoveryTest, RegionRowUnderAnotherIdIsLoss) {
  data_.rows[RegionRowKey(RegionId(2))] = EncodeRegion(RegionOf(3, "m", ""));
  ExpectLoss("region 2: region row: it describes region 3");
}

// A snapshot from before it was added does not name a new peer.
TEST_F(RecoveryTest, RegionNeedNotNameThePeerHere) {
  Region region = RegionOf(2, "m", "");
  region.peers.pop_back();
  PutRegion(region);
  const absl::StatusOr<RecoveredStore> store = Recover(data_, logs_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->regions[1].peer, PeerId(22));
  EXPECT_EQ(store->regions[1].region, region);
}

TEST_F(RecoveryTest, OverlappingRegionsAreLoss) {
  PutRegion(RegionOf(1, "", "n"));
  ExpectLoss("region 1: region row: its range overlaps that of region 2");
  PutRegion(RegionOf(1, "x", ""));
  ExpectLoss("region 2: region row: its range overlaps that of region 1");
}

TEST_F(RecoveryTest, AppliedOutsideTheLogIsLoss) {
  PutApplied(1, {Term(2), Index(3)});
  ExpectLoss("region 1: applied row: before the log's base");
  PutApplied(1, {Term(5), Index(10)});
  ExpectLoss("region 1: applied row: beyond the log's end");
}

TEST_F(RecoveryTest, AppliedOfAnotherTermThanTheLogsIsLoss) {
  for (const auto& [term, index] : {std::pair(1, 4), {3, 6}, {2, 7}, {5, 7}, {6, 9}}) {
    PutApplied(1, {Term(term), Index(index)});
    ExpectLoss("region 1: applied row: the log has another term");
  }
}

TEST_F(RecoveryTest, LogThatNoReplicaCanHaveIsLoss) {
  const std::vector<std::pair<std::string, std::function<void(env::LogState*)>>> defects = {
      {"incarnation", [](env::LogState* log) { log->incarnation = Incarnation(); }},
      {"base", [](env::LogState* log) { log->base.last.term = Term(); }},
      {"ends before its base", [](env::LogState* log) { log->last_index = Index(3); }},
      {"do not exist together", [](env::LogState* log) { log->terms.clear(); }},
      {"do not exist together", [](env::LogState* log) { log->last_index = Index(4); }},
      {"start after its base", [](env::LogState* log) { log->terms[0].first = Index(4); }},
      {"start after its base", [](env::LogState* log) { log->terms[0].first = Index(6); }},
      {"below its base's", [](env::LogState* log) { log->terms[0].term = Term(1); }},
      {"do not ascend", [](env::LogState* log) { log->terms[1].first = Index(5); }},
      {"do not ascend", [](env::LogState* log) { log->terms[1].term = Term(2); }},
      {"do not ascend", [](env::LogState* log) { log->terms[2].term = Term(2); }},
      {"starts after its end", [](env::LogState* log) { log->terms[2].first = Index(10); }},
      {"base has a term", [](env::LogState* log) { log->base.last.index = Index(); }},
      {"do not ascend within it", [](env::LogState* log) { log->confs[0].index = Index(4); }},
      {"do not ascend within it", [](env::LogState* log) { log->confs[1].index = Index(6); }},
      {"do not ascend within it", [](env::LogState* log) { log->confs[1].index = Index(10); }},
      {"a vote without a term", [](env::LogState* log) { log->hard_state.term = Term(); }},
      {"behind the log's", [](env::LogState* log) { log->hard_state.term = Term(4); }},
  };
  const env::LogState sound = logs_[0];
  for (const auto& [text, defect] : defects) {
    defect(&logs_[0]);
    ExpectLoss(text);
    ExpectLoss("region 1: ");
    logs_[0] = sound;
  }
  EXPECT_TRUE(Recover(data_, logs_).ok());
}

TEST_F(RecoveryTest, HardStateMayNotBeBehindTheBaseOfAnEmptyLog) {
  logs_[1].base.last = {Term(2), Index(4)};
  logs_[1].last_index = Index(4);
  PutApplied(2, logs_[1].base.last);
  ExpectLoss("region 2: hard state: its term is behind");
  logs_[1].hard_state.term = Term(2);
  EXPECT_TRUE(Recover(data_, logs_).ok());
}

TEST_F(RecoveryTest, FirstEntryHasATerm) {
  logs_[1].terms = {{Index(2), Term()}};
  logs_[1].last_index = Index(2);
  ExpectLoss("region 2: log: its first term");
}

TEST_F(RecoveryTest, UnreadableDataIsReportedAsSuch) {
  data_.failure = absl::UnavailableError("no disk");
  EXPECT_EQ(Recover(data_, logs_).status(), data_.failure);
}

TEST(Bootstrap, IsOneCommitThatRecovers) {
  const Region region = RegionOf(1, "", "");
  const env::GroupCommit commit = Bootstrap(kIdentity, region, Incarnation(77));
  EXPECT_EQ(commit.token, IoToken(1));
  ASSERT_EQ(commit.log.size(), 1u);
  const env::LogWrite& write = commit.log[0];
  EXPECT_EQ(write.region, RegionId(1));
  EXPECT_EQ(write.create, Incarnation(77));
  EXPECT_EQ(write.persist.token, IoToken(1));
  EXPECT_EQ(write.persist.hard_state, (raft::HardState{kRegionBirth.term, PeerId()}));
  ASSERT_NE(write.persist.base, nullptr);
  EXPECT_EQ(*write.persist.base, (raft::LogBase{kRegionBirth, ConfStateOf(region)}));
  EXPECT_FALSE(write.persist.install);
  EXPECT_FALSE(write.persist.truncate_from);
  EXPECT_TRUE(write.persist.append.empty());

  MapReader data;
  data.Write(commit.data);
  EXPECT_EQ(data.rows["\x01i"],
            std::string("\2\1\2\3\4\5\6\7\10\2\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\x22", 26));
  env::LogState log;
  log.region = write.region;
  log.incarnation = write.create;
  log.hard_state = *write.persist.hard_state;
  log.base = *write.persist.base;
  log.last_index = log.base.last.index;
  const absl::StatusOr<RecoveredStore> store = Recover(data, {log});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->identity, kIdentity);
  ASSERT_EQ(store->regions.size(), 1u);
  EXPECT_EQ(store->regions[0].region, region);
  EXPECT_EQ(store->regions[0].peer, region.PeerOn(StoreId(2))->id);
  EXPECT_EQ(store->regions[0].applied, kRegionBirth);
  EXPECT_EQ(store->regions[0].raft.conf, ConfStateOf(region));
  EXPECT_EQ(store->regions[0].raft.last_index, kRegionBirth.index);
}

TEST(Bootstrap, AFounderHoldsEveryKeyOnceInOneCommit) {
  std::vector<FirstReplica> replicas;
  for (const Region& region : FoundingRegions(StoreId(2))) {
    replicas.push_back({region, Incarnation(70 + region.id.value())});
  }
  const env::GroupCommit commit = Bootstrap(kIdentity, replicas);
  MapReader data;
  data.Write(commit.data);
  std::vector<env::LogState> logs;
  for (const env::LogWrite& write : commit.log) {
    const raft::LogBase& base = *write.persist.base;
    logs.push_back(
        {write.region, write.create, *write.persist.hard_state, base, {}, base.last.index, {}});
  }
  const absl::StatusOr<RecoveredStore> store = Recover(data, logs);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(store->regions.size(), 2u);
  const Region& first = store->regions[0].region;
  const Region& second = store->regions[1].region;
  EXPECT_EQ(first.start_key, "");
  EXPECT_EQ(first.end_key, second.start_key);
  EXPECT_EQ(second.end_key, "");
  EXPECT_TRUE(second.Contains(ObjectPrefix(pd::kObject)));
  EXPECT_TRUE(first.Contains(kv::EncodeKey(kv::NamespaceId::kDefault, "k")));
  EXPECT_NE(store->regions[0].peer, store->regions[1].peer);
}

TEST(Bootstrap, TheDirectoryIsFoundAgain) {
  MapReader data;
  data.Write(Bootstrap(kIdentity).data);
  cluster::Directory directory;
  ASSERT_TRUE(directory.SetPd(Term(3), StoreId(1), FoundingRegions(StoreId(1))[1]));
  data.rows[std::string(cluster::kDirectoryRowKey)] = cluster::EncodeDirectory(directory);
  const absl::StatusOr<RecoveredStore> store = Recover(data, {});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->directory, directory);
  data.rows[std::string(cluster::kDirectoryRowKey)] += "?";
  EXPECT_EQ(Recover(data, {}).status().code(), absl::StatusCode::kDataLoss);
}

TEST(Bootstrap, AStoreMayBeginWithoutARegion) {
  const env::GroupCommit commit = Bootstrap(kIdentity);
  EXPECT_EQ(commit.token, IoToken(1));
  EXPECT_TRUE(commit.log.empty());
  MapReader data;
  data.Write(commit.data);
  const absl::StatusOr<RecoveredStore> store = Recover(data, {});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->identity, kIdentity);
  EXPECT_TRUE(store->regions.empty());
  EXPECT_TRUE(store->tombstones.empty());
}

TEST(Bootstrap, OfWhatCannotRunIsImpossible) {
  const Region region = RegionOf(1, "", "");
  EXPECT_THROW(Bootstrap({0, StoreId(2)}, region, Incarnation(1)), InvariantViolation);
  EXPECT_THROW(Bootstrap({1, StoreId(3)}, region, Incarnation(1)), InvariantViolation);
  EXPECT_THROW(Bootstrap(kIdentity, region, Incarnation(0)), InvariantViolation);
}

}  // namespace
}  // namespace flaredb::store
