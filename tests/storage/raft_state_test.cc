// SPDX-License-Identifier: Apache-2.0
// Raft logs on the disk: bases, installs, replicas that come and go, and what recovery refuses.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rocksdb/db.h"
#include "storage/record_codec.h"
#include "tests/storage/disk_support.h"
#include "tests/storage/folder_support.h"
#include "tests/storage/model_support.h"

namespace flaredb::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A write to region 5, which exists.
env::LogWrite Write(raft::Persist persist) {
  env::LogWrite write;
  write.region = kRegion;
  write.persist = std::move(persist);
  return write;
}

env::LogWrite Compaction(Term term, Index index, raft::ConfState conf = {}) {
  raft::Persist persist;
  persist.base = BaseAt(term, index, std::move(conf));
  return Write(std::move(persist));
}

env::LogWrite Installation(Term term, Index index, raft::ConfState conf = {}) {
  env::LogWrite write = Compaction(term, index, std::move(conf));
  write.persist.install = true;
  return write;
}

env::LogWrite Destruction() {
  env::LogWrite write;
  write.region = kRegion;
  write.destroy = true;
  return write;
}

// The one log that recovery of `folder` finds.
env::LogState RecoverOne(const std::string& folder) {
  const absl::StatusOr<std::vector<env::LogState>> logs = Recover(folder);
  EXPECT_TRUE(logs.ok()) << logs.status();
  EXPECT_TRUE(logs.ok() && logs->size() == 1);
  return logs.ok() && logs->size() == 1 ? logs->front() : env::LogState();
}

TEST(RaftState, TruncatesToTheEndOfTheOldLog) {
  // 3 deletes entry by entry, 3000 by one range deletion.
  for (const uint64_t entries : {uint64_t{3}, uint64_t{3000}}) {
    const std::string folder = FolderWithLog(entries);
    {
      TestDisk disk(folder);
      ASSERT_TRUE(disk->RecoverLogs().ok());
      env::GroupCommit commit;
      commit.token = IoToken(1);
      commit.log.push_back({.region = kRegion, .create = {}, .persist = {}});
      commit.log[0].persist.truncate_from = Index(2);
      commit.log[0].persist.hard_state = {Term(4), PeerId()};
      commit.log[0].persist.append = Entries(Term(4), Index(2), {"new"});
      disk->Write(std::move(commit));
      ASSERT_TRUE(disk.WaitFor(IoToken(1)).ok());
    }
    const absl::StatusOr<std::vector<env::LogState>> logs = Recover(folder);
    ASSERT_TRUE(logs.ok()) << logs.status();
    ASSERT_EQ(logs->size(), 1u);
    EXPECT_EQ((*logs)[0].last_index, Index(2));
    EXPECT_EQ((*logs)[0].terms,
              (std::vector<raft::TermRun>{{Index(1), Term(1)}, {Index(2), Term(4)}}));
    EXPECT_EQ((*logs)[0].hard_state, (raft::HardState{Term(4), PeerId()}));
    EXPECT_EQ((*logs)[0].incarnation, Incarnation(77));
  }
}

TEST(RaftState, ALogBeginsAfterItsBase) {
  // Deleted entry by entry, and by one range deletion.
  for (const uint64_t base : {uint64_t{3}, uint64_t{2000}}) {
    const raft::ConfState conf = Voters({PeerId(1), PeerId(4)});
    const std::string folder = FolderWithLog(base + 2);
    WriteTo(folder, {Compaction(Term(1), Index(base), conf)});
    EXPECT_EQ(RowsOf(folder, Family::kRaftLog), 2u);

    env::LogState log = RecoverOne(folder);
    EXPECT_EQ(log.base, (raft::LogBase{{Term(1), Index(base)}, conf}));
    EXPECT_EQ(log.terms, (std::vector<raft::TermRun>{{Index(base + 1), Term(1)}}));
    EXPECT_EQ(log.last_index, Index(base + 2));
    EXPECT_EQ(log.hard_state, (raft::HardState{Term(1), PeerId(2)}));
    EXPECT_EQ(log.incarnation, Incarnation(77));

    // To its end, and on from there.
    WriteTo(folder, {Compaction(Term(1), Index(base + 2))});
    EXPECT_EQ(RowsOf(folder, Family::kRaftLog), 0u);
    log = RecoverOne(folder);
    EXPECT_EQ(log.base, (raft::LogBase{{Term(1), Index(base + 2)}, {}}));
    EXPECT_EQ(log.last_index, Index(base + 2));
    EXPECT_TRUE(log.terms.empty());
    raft::Persist next;
    next.append = Entries(Term(1), Index(base + 3), {"next"});
    WriteTo(folder, {Write(std::move(next))});
    EXPECT_EQ(RecoverOne(folder).last_index, Index(base + 3));
  }
}

TEST(RaftState, AnInstallLeavesNothingOfTheOldLog) {
  for (const uint64_t entries : {uint64_t{5}, uint64_t{2000}}) {
    // A snapshot may end below the log's end: what is there is another leader's then.
    for (const uint64_t index : {uint64_t{3}, entries, entries + 50}) {
      const std::string folder = FolderWithLog(entries);
      WriteTo(folder, {Installation(Term(1), Index(index), Voters({PeerId(8)}))});
      EXPECT_EQ(RowsOf(folder, Family::kRaftLog), 0u);
      const env::LogState log = RecoverOne(folder);
      EXPECT_EQ(log.base, (raft::LogBase{{Term(1), Index(index)}, Voters({PeerId(8)})}));
      EXPECT_EQ(log.last_index, Index(index));
      EXPECT_TRUE(log.terms.empty());
      EXPECT_EQ(log.hard_state, (raft::HardState{Term(1), PeerId(2)}));
    }
  }
}

TEST(RaftState, ACommitCarriesOutTheWritesOfARegionInTheirOrder) {
  const std::string folder = FolderWithLog(3);
  raft::Persist append;
  append.append = Entries(Term(1), Index(4), {"4", "5", "6"});
  raft::Persist after_install;
  after_install.append = Entries(Term(1), Index(5), {"new 5"});
  raft::Persist all_at_once;  // Base, truncation, append: in this order.
  all_at_once.base = BaseAt(Term(1), Index(5), Voters({PeerId(1)}));
  all_at_once.truncate_from = Index(6);
  all_at_once.append = Entries(Term(1), Index(6), {"other 6", "other 7"});

  WriteTo(folder, {Write(append), Compaction(Term(1), Index(5)), Compaction(Term(1), Index(6))});
  EXPECT_EQ(RowsOf(folder, Family::kRaftLog), 0u);
  WriteTo(folder, {Destruction(), FirstCommit(6).log[0], Installation(Term(1), Index(4)),
                   Write(after_install)});
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    const auto read = disk->ReadLogNow(kRegion, Index(5), Index(9), 1000);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->front().at(0).payload, "new 5");
    EXPECT_EQ(read->back().last_index(), Index(5));
    raft::Persist more;
    more.append = Entries(Term(1), Index(6), {"6"});
    ASSERT_TRUE(WriteAll(disk, 1, {Write(more), Write(all_at_once)}).ok());
  }
  const env::LogState log = RecoverOne(folder);
  EXPECT_EQ(log.base.last.index, Index(5));
  EXPECT_EQ(log.last_index, Index(7));
}

TEST(RaftState, ADestroyedReplicaLeavesNothingAndMayComeBack) {
  for (const uint64_t entries : {uint64_t{5}, uint64_t{2000}}) {
    const std::string folder = FolderWithLog(entries);
    WriteTo(folder, {Compaction(Term(1), Index(2))});
    WriteTo(folder, {Destruction()});
    EXPECT_EQ(RowsOf(folder, Family::kRaftLog), 0u);
    EXPECT_EQ(RowsOf(folder, Family::kRaftState), 0u);
    EXPECT_TRUE(Recover(folder).value().empty());

    env::LogWrite again = Compaction(Term(1), Index(1), Voters({PeerId(9)}));
    again.create = Incarnation(78);
    WriteTo(folder, {again});
    const env::LogState log = RecoverOne(folder);
    EXPECT_EQ(log.incarnation, Incarnation(78));
    EXPECT_EQ(log.hard_state, raft::HardState());
    EXPECT_EQ(log.base, (raft::LogBase{{Term(1), Index(1)}, Voters({PeerId(9)})}));
    EXPECT_EQ(log.last_index, Index(1));
  }
}

TEST(RaftState, DestroysTheLogOfItsRegionAlone) {
  const std::string folder = ScratchFolder();
  std::vector<env::LogWrite> writes;
  for (const uint64_t region : {4, 5, 6}) {
    writes.push_back(FirstCommit(2000).log[0]);
    writes.back().region = RegionId(region);
  }
  WriteTo(folder, std::move(writes));
  WriteTo(folder, {Destruction()});
  EXPECT_EQ(RowsOf(folder, Family::kRaftLog), 4000u);
  const std::vector<env::LogState> logs = Recover(folder).value();
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_EQ(logs[0].region, RegionId(4));
  EXPECT_EQ(logs[1].region, RegionId(6));
  EXPECT_EQ(logs[1].last_index, Index(2000));
}

TEST(RaftState, RecoversTheConfigurationsOfALog) {
  const std::string folder = FolderWithLog(2);
  raft::Persist confs;
  for (uint64_t i = 3; i <= 5; ++i) {
    confs.append.push_back(ConfEntry(Term(1), Index(i), Voters({PeerId(i)}))[0]);
  }
  WriteTo(folder, {Write(confs)});
  const raft::ConfAt three{Index(3), Voters({PeerId(3)})};
  const raft::ConfAt four{Index(4), Voters({PeerId(4)})};
  const raft::ConfAt five{Index(5), Voters({PeerId(5)})};
  EXPECT_EQ(RecoverOne(folder).confs, (std::vector<raft::ConfAt>{three, four, five}));

  raft::Persist truncation;
  truncation.truncate_from = Index(5);
  WriteTo(folder, {Write(truncation), Compaction(Term(1), Index(3), three.conf)});
  const env::LogState log = RecoverOne(folder);
  EXPECT_EQ(log.base.conf, three.conf);
  EXPECT_EQ(log.confs, std::vector<raft::ConfAt>{four});
}

TEST(RaftState, FindsNoEntryAtOrBelowTheBase) {
  const std::string folder = FolderWithLog(5);
  TestDisk disk(folder);
  ASSERT_TRUE(disk->RecoverLogs().ok());
  ASSERT_TRUE(WriteAll(disk, 1, {Compaction(Term(1), Index(3))}).ok());
  for (const uint64_t first : {1, 3}) {
    disk->ReadLog({kRegion, {.id = 8, .first = Index(first), .last = Index(5), .bytes_max = 100}});
    EXPECT_TRUE(absl::IsNotFound(disk.NextFetched().entries.status())) << first;
  }
  disk->ReadLog({kRegion, {.id = 8, .first = Index(4), .last = Index(5), .bytes_max = 100}});
  EXPECT_TRUE(disk.NextFetched().entries.ok());
}

// A base that goes where no base can go is a bug of the core: the process stops before the disk
// holds a log that no replica could start from.
TEST(RaftStateDeathTest, StopsAtABaseThatTheLogCannotTake) {
  const auto write = [](env::LogWrite wrong) {
    TestDisk disk(ScratchFolder());
    ASSERT_TRUE(disk->RecoverLogs().ok());
    ASSERT_TRUE(WriteAll(disk, 1, {FirstCommit(5).log[0], Compaction(Term(1), Index(3))}).ok());
    (void)WriteAll(disk, 2, {std::move(wrong)});
  };
  EXPECT_DEATH(write(Compaction(Term(1), Index(3))), "region 5");
  EXPECT_DEATH(write(Compaction(Term(1), Index(6))), "region 5");
  EXPECT_DEATH(write(Installation(Term(1), Index(2))), "region 5");
  raft::Persist nameless;
  nameless.install = true;
  EXPECT_DEATH(write(Write(nameless)), "region 5");
  raft::Persist into_base;
  into_base.truncate_from = Index(3);
  EXPECT_DEATH(write(Write(into_base)), "region 5");
  env::LogWrite stranger = Destruction();
  stranger.region = RegionId(6);
  EXPECT_DEATH(write(stranger), "region 6");
  env::LogWrite second = Write({});
  second.create = Incarnation(78);
  EXPECT_DEATH(write(second), "region 5");
  env::LogWrite both = Destruction();
  both.persist.truncate_from = Index(4);
  EXPECT_DEATH(write(both), "region 5");
}

TEST(RaftStateDeathTest, KnowsTheBaseAfterReopening) {
  const auto write = [](env::LogWrite wrong) {
    const std::string folder = FolderWithLog(5);
    WriteTo(folder, {Compaction(Term(1), Index(3))});
    WriteTo(folder, {std::move(wrong)});
  };
  EXPECT_DEATH(write(Compaction(Term(1), Index(2))), "region 5");
}

TEST(Recovery, NamesTheEntryThatBelongsElsewhere) {
  const std::string folder = FolderWithLog(5);
  MoveValue(folder, Family::kRaftLog, LogKey(2), LogKey(3));
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), AllOf(HasSubstr("region 5"), HasSubstr("index 3")));
}

TEST(Recovery, NamesTheGapInALog) {
  const std::string folder = FolderWithLog(5);
  Meddle(folder, [](const OpenedFolder& opened) {
    return opened.db().Delete({}, opened.family(Family::kRaftLog), LogKey(3));
  });
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), AllOf(HasSubstr("region 5"), HasSubstr("index 4"),
                                  HasSubstr("the entry before it is 2")));
}

TEST(Recovery, RefusesALogBaseWithoutAReplica) {
  const std::string folder = FolderWithLog(2);
  Meddle(folder, [](const OpenedFolder& opened) {
    return opened.db().Delete({}, opened.family(Family::kRaftState),
                              StateKey(RaftStateRow::kReplica));
  });
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status),
              AllOf(HasSubstr("region 5"), HasSubstr("a log base, but no replica state")));
}

TEST(Recovery, RefusesEntriesWithoutAReplica) {
  const std::string folder = FolderWithLog(2);
  Meddle(folder, [](const OpenedFolder& opened) {
    rocksdb::WriteBatch both;
    for (const RaftStateRow row : {RaftStateRow::kBase, RaftStateRow::kReplica}) {
      both.Delete(opened.family(Family::kRaftState), StateKey(row));
    }
    return opened.db().Write({}, &both);
  });
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), AllOf(HasSubstr("region 5 is damaged at index 1"),
                                  HasSubstr("the region has no replica state")));
}

TEST(Recovery, RefusesAReplicaWithoutALogBase) {
  const std::string folder = FolderWithLog(2);
  Meddle(folder, [](const OpenedFolder& opened) {
    return opened.db().Delete({}, opened.family(Family::kRaftState), StateKey(RaftStateRow::kBase));
  });
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), AllOf(HasSubstr("region 5"), HasSubstr("no log base")));
}

TEST(Recovery, RefusesAConfigurationThatCannotBeRead) {
  const std::string folder = ScratchFolder();
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    const raft::NewEntry nonsense{raft::EntryKind::kConf, "nonsense"};
    raft::Persist persist;
    persist.append.push_back(
        raft::EntrySlice(raft::EntryBlock::Create(Term(1), Index(3), {&nonsense, 1})));
    ASSERT_TRUE(WriteAll(disk, 1, {FirstCommit(2).log[0], Write(std::move(persist))}).ok());
  }
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status),
              AllOf(HasSubstr("region 5 is damaged at index 3"), HasSubstr("a configuration")));
}

TEST(Recovery, RefusesEntriesThatABaseShouldHaveDeleted) {
  const std::string folder = FolderWithLog(5);
  Meddle(folder, [](const OpenedFolder& opened) {
    return opened.db().Put({}, opened.family(Family::kRaftState), StateKey(RaftStateRow::kBase),
                           EncodeLogBase(kRegion, *BaseAt(Term(1), Index(2))));
  });
  const absl::Status status = Recover(folder).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), AllOf(HasSubstr("region 5"), HasSubstr("index 1")));
}

TEST(Recovery, RefusesEntriesAboveTheReplicasTerm) {
  const std::string folder = FolderWithLog(2);
  Meddle(folder, [](const OpenedFolder& opened) {
    return opened.db().Put({}, opened.family(Family::kRaftState), StateKey(RaftStateRow::kReplica),
                           EncodeReplicaState(kRegion, {Incarnation(1), {}}));
  });
  EXPECT_THAT(Text(Recover(folder).status()), HasSubstr("term is above"));
}

}  // namespace
}  // namespace flaredb::storage
