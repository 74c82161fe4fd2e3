// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_disk.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rocksdb/db.h"
#include "storage/open_folder.h"
#include "storage/record_codec.h"
#include "tests/storage/disk_support.h"
#include "tests/storage/folder_support.h"
#include "tests/storage/model_support.h"

namespace flaredb::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(RocksDisk, NewFolderIsEmpty) {
  TestDisk disk(ScratchFolder());
  ASSERT_TRUE(disk.opened().ok()) << disk.opened();
  EXPECT_EQ(ReadAll(*disk).value(), Content());
}

TEST(RocksDisk, HoldsWhatWasWrittenAfterReopening) {
  const std::string folder = ScratchFolder();
  Life life(1);
  for (int round = 0; round < 8; ++round) {
    TestDisk disk(folder);
    ASSERT_TRUE(disk.opened().ok()) << disk.opened();
    const absl::StatusOr<Content> content = ReadAll(*disk);
    ASSERT_TRUE(content.ok()) << content.status();
    ASSERT_EQ(*content, life.content()) << "round " << round;
    for (int i = 0; i < 40; ++i) disk->Write(life.Next());
    ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
  }
}

TEST(RocksDisk, FinishesQueuedWritesWhenClosed) {
  const std::string folder = ScratchFolder();
  Life life(2);
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    for (int i = 0; i < 100; ++i) disk->Write(life.Next());
  }
  TestDisk disk(folder);
  EXPECT_EQ(ReadAll(*disk).value(), life.content());
}

TEST(RocksDisk, NeverServesAValueThatBelongsToAnotherKey) {
  const std::string folder = ScratchFolder();
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    env::GroupCommit commit;
    commit.token = IoToken(1);
    commit.data.Put("a", "value of a");
    disk->Write(std::move(commit));
  }
  MoveValue(folder, Family::kData, "a", "b");
  TestDisk disk(folder);
  EXPECT_EQ(disk->data().Get("a").value(), "value of a");
  const absl::Status got = disk->data().Get("b").status();
  EXPECT_TRUE(absl::IsDataLoss(got));
  const std::unique_ptr<DataReader> pinned = disk->data().Pin();
  EXPECT_EQ(pinned->Get("a").value(), "value of a");
  EXPECT_TRUE(absl::IsDataLoss(pinned->Get("b").status()));
  const auto ignore = [](std::string_view, std::string_view) { return true; };
  EXPECT_TRUE(absl::IsDataLoss(pinned->Scan("", "", ignore)));
  EXPECT_THAT(Text(got), HasSubstr("column family data, key 62"));
  std::vector<std::string> seen;
  const absl::Status scanned =
      disk->data().Scan("", "", [&seen](std::string_view key, std::string_view) {
        seen.emplace_back(key);
        return true;
      });
  EXPECT_TRUE(absl::IsDataLoss(scanned));
  EXPECT_EQ(seen, std::vector<std::string>{"a"});
}

TEST(RocksDisk, APinnedReaderDoesNotSeeLaterWrites) {
  TestDisk disk(ScratchFolder());
  ASSERT_TRUE(disk->RecoverLogs().ok());
  Life life(9);
  for (int i = 0; i < 100; ++i) disk->Write(life.Next());
  ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
  const std::map<std::string, std::string> then = life.content().data;
  const std::unique_ptr<DataReader> pinned = disk->data().Pin();
  for (int i = 0; i < 100; ++i) disk->Write(life.Next());
  ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());

  const auto all = [](const DataReader& data) {
    std::map<std::string, std::string> rows;
    const absl::Status scanned =
        data.Scan("", "", [&rows](std::string_view key, std::string_view value) {
          rows.emplace(key, value);
          return true;
        });
    EXPECT_TRUE(scanned.ok()) << scanned;
    return rows;
  };
  EXPECT_EQ(all(*pinned), then);
  EXPECT_EQ(pinned->Get("last_token").value(), "100");
  EXPECT_EQ(all(disk->data()), life.content().data);
  EXPECT_EQ(disk->data().Get("last_token").value(), "200");
}

TEST(RocksDisk, ReadsAndScansData) {
  TestDisk disk(ScratchFolder());
  ASSERT_TRUE(disk->RecoverLogs().ok());
  env::GroupCommit commit;
  commit.token = IoToken(1);
  for (const char* key : {"a", "b", "c", "d"}) commit.data.Put(key, std::string("of ") + key);
  commit.data.Put("empty", "");
  commit.data.Delete("c");
  disk->Write(std::move(commit));
  ASSERT_TRUE(disk.WaitFor(IoToken(1)).ok());

  EXPECT_EQ(disk->data().Get("a").value(), "of a");
  EXPECT_EQ(disk->data().Get("empty").value(), "");
  EXPECT_EQ(disk->data().Get("c").value(), std::nullopt);
  std::string seen;
  const auto collect = [&seen](std::string_view key, std::string_view value) {
    seen += std::string(key) + "=" + std::string(value) + ";";
    return seen.size() < 12;
  };
  ASSERT_TRUE(disk->data().Scan("a", "d", collect).ok());
  EXPECT_EQ(seen, "a=of a;b=of b;");
}

TEST(RocksDisk, FetchesWithinTheByteBudgetButAtLeastOneEntry) {
  const std::string folder = FolderWithLog(50);
  TestDisk disk(folder);
  ASSERT_TRUE(disk->RecoverLogs().ok());
  disk->ReadLog({kRegion, {.id = 8, .first = Index(10), .last = Index(50), .bytes_max = 7}});
  disk->ReadLog({kRegion, {.id = 9, .first = Index(20), .last = Index(50), .bytes_max = 0}});
  disk->ReadLog({kRegion, {.id = 10, .first = Index(51), .last = Index(60), .bytes_max = 10}});

  env::LogFetched fetched = disk.NextFetched();
  EXPECT_EQ(fetched.id, 8u);
  EXPECT_EQ(fetched.region, kRegion);
  ASSERT_TRUE(fetched.entries.ok()) << fetched.entries.status();
  ASSERT_EQ(fetched.entries->size(), 1u);
  EXPECT_EQ(fetched.entries->front().first_index(), Index(10));
  EXPECT_EQ(fetched.entries->front().last_index(), Index(12));
  EXPECT_EQ(fetched.entries->front().at(2).payload, "12");

  fetched = disk.NextFetched();
  ASSERT_TRUE(fetched.entries.ok());
  EXPECT_EQ(fetched.entries->front().size(), 1u);

  fetched = disk.NextFetched();
  EXPECT_TRUE(absl::IsNotFound(fetched.entries.status()));
}

TEST(RocksDisk, CommitsThatQueueUpShareOneSync) {
  FaultyFileSystem faults;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<bool> hold = false;
  std::promise<void> held;
  faults.before_wal_sync = [&] {
    if (hold.exchange(false)) {
      held.set_value();
      released.wait();
    }
  };
  const std::shared_ptr<rocksdb::FileSystem> shared(&faults, [](rocksdb::FileSystem*) {});
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(shared);
  TestDisk disk(ScratchFolder(), env.get());
  ASSERT_TRUE(disk->RecoverLogs().ok());

  Life life(3);
  hold = true;
  disk->Write(life.Next());
  ASSERT_EQ(held.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready)
      << "a commit was not synced";
  for (int i = 0; i < 63; ++i) disk->Write(life.Next());
  EXPECT_TRUE(disk.done().empty());
  release.set_value();
  ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());

  EXPECT_EQ(disk->stats().commits, 64u);
  EXPECT_EQ(disk->stats().syncs, 2u);
  EXPECT_EQ(disk.done(), (std::vector<IoToken>{IoToken(1), IoToken(64)}));
}

TEST(RocksDisk, ReportsARisingWatermark) {
  TestDisk disk(ScratchFolder());
  ASSERT_TRUE(disk->RecoverLogs().ok());
  Life life(4);
  for (int i = 0; i < 2000; ++i) disk->Write(life.Next());
  ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
  const std::vector<IoToken> done = disk.done();
  for (size_t i = 1; i < done.size(); ++i) EXPECT_LT(done[i - 1], done[i]);
  EXPECT_EQ(done.back(), life.last_token());
  EXPECT_LT(disk->stats().syncs, disk->stats().commits);
}

TEST(RocksDisk, WhatIsReportedDoneSurvivesALossOfPower) {
  FaultyFileSystem faults;
  const std::shared_ptr<rocksdb::FileSystem> shared(&faults, [](rocksdb::FileSystem*) {});
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(shared);
  const std::string folder = ScratchFolder();
  const std::string copy = ScratchFolder();
  TestDisk disk(folder, env.get());
  ASSERT_TRUE(disk->RecoverLogs().ok());
  Life life(5);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 5; ++i) disk->Write(life.Next());
    ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
    faults.CopySynced(folder, copy);
    TestDisk after(copy);
    ASSERT_TRUE(after.opened().ok()) << after.opened();
    const absl::StatusOr<Content> content = ReadAll(*after);
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_EQ(*content, life.content()) << "round " << round;
  }
}

// A failed write is reported once, and neither it nor anything after it is written.
void ExpectSilenceAfterFailure(std::atomic<bool> FaultyFileSystem::*fault) {
  FaultyFileSystem faults;
  const std::shared_ptr<rocksdb::FileSystem> shared(&faults, [](rocksdb::FileSystem*) {});
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(shared);
  const std::string folder = ScratchFolder();
  Life life(6);
  Content before;
  Content with_failed;  // Nobody knows whether a failed write reached the disk.
  {
    TestDisk disk(folder, env.get());
    ASSERT_TRUE(disk->RecoverLogs().ok());
    for (int i = 0; i < 20; ++i) disk->Write(life.Next());
    ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
    before = life.content();

    faults.*fault = true;
    disk->Write(life.Next());
    with_failed = life.content();
    const absl::Status failure = disk.WaitFor(life.last_token());
    EXPECT_THAT(Text(failure), AllOf(HasSubstr("writing to disk"), HasSubstr("injected")));
    // The fault goes away: a disk that tried again would now succeed.
    faults.*fault = false;
    const uint64_t appends = faults.wal_appends;
    for (int i = 0; i < 20; ++i) disk->Write(life.Next());
    disk->ReadLog({RegionId(1), {.id = 1, .first = Index(1), .last = Index(1), .bytes_max = 1}});
    disk.NextFetched();  // Reads go on.
    EXPECT_EQ(disk.failures().size(), 1u);
    EXPECT_EQ(disk.done().back(), IoToken(20));
    disk.Close();
    EXPECT_EQ(faults.wal_appends, appends);
    EXPECT_EQ(disk.failures().size(), 1u);
    EXPECT_EQ(disk.done().back(), IoToken(20));
  }
  TestDisk disk(folder);
  const absl::StatusOr<Content> content = ReadAll(*disk);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_TRUE(*content == before || *content == with_failed) << LastToken(*content);
}

TEST(RocksDisk, WritesNothingAfterAFailedAppend) {
  ExpectSilenceAfterFailure(&FaultyFileSystem::fail_wal_appends);
}

TEST(RocksDisk, WritesNothingAfterAFailedSync) {
  ExpectSilenceAfterFailure(&FaultyFileSystem::fail_wal_syncs);
}

TEST(OpenFolder, IsRefusedWhileAnotherDiskHasIt) {
  const std::string folder = ScratchFolder();
  TestDisk first(folder);
  TestDisk second(folder);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.opened()));
  EXPECT_THAT(Text(second.opened()),
              AllOf(HasSubstr(folder), HasSubstr("in use by another process")));
  first.Close();
  EXPECT_TRUE(TestDisk(folder).opened().ok());
}

TEST(OpenFolder, RefusesForeignFilesAndLeavesThemAlone) {
  const std::string folder = ScratchFolder();
  std::filesystem::create_directories(folder);
  WriteBytes(folder + "/notes.txt", "mine");
  TestDisk disk(folder);
  EXPECT_TRUE(absl::IsFailedPrecondition(disk.opened()));
  EXPECT_THAT(Text(disk.opened()), AllOf(HasSubstr("notes.txt"), HasSubstr("not a FlareDB")));
  EXPECT_EQ(FilesIn(folder, "").size(), 1u);
}

TEST(OpenFolder, RefusesTheRocksDbOfAnotherProgram) {
  for (const bool own_family : {false, true}) {
    const std::string folder = ScratchFolder();
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, folder, &db).ok());
    const std::unique_ptr<rocksdb::DB> owner(db);
    ASSERT_TRUE(db->Put({}, "their key", "their value").ok());
    if (own_family) {
      rocksdb::ColumnFamilyHandle* handle = nullptr;
      ASSERT_TRUE(db->CreateColumnFamily({}, "theirs", &handle).ok());
      ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    }
    ASSERT_TRUE(db->Close().ok());
    TestDisk disk(folder);
    EXPECT_TRUE(absl::IsFailedPrecondition(disk.opened())) << disk.opened();
    EXPECT_THAT(Text(disk.opened()), HasSubstr("not a FlareDB folder"));
  }
}

TEST(OpenFolder, RefusesAFolderOfAnotherFormat) {
  const std::string folder = FolderWithLog(1);
  Meddle(folder, [](const OpenedFolder& opened) {
    const std::string body = "flaredb store, format 1";
    const SealBytes seal = MakeSeal(Family::kMeta, kFormatKey, {body});
    return opened.db().Put({}, opened.family(Family::kMeta), std::string(kFormatKey),
                           std::string(seal.data(), seal.size()) + body);
  });
  TestDisk disk(folder);
  EXPECT_TRUE(absl::IsFailedPrecondition(disk.opened())) << disk.opened();
  EXPECT_THAT(Text(disk.opened()),
              AllOf(HasSubstr(folder), HasSubstr("holds a \"flaredb store, format 1\""),
                    HasSubstr("use the version of FlareDB that wrote it")));
}

TEST(OpenFolder, SaysWhenPermissionIsDenied) {
  FaultyFileSystem faults;
  const std::shared_ptr<rocksdb::FileSystem> shared(&faults, [](rocksdb::FileSystem*) {});
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(shared);
  const std::string folder = FolderWithLog(1);
  faults.deny = true;
  TestDisk disk(folder, env.get());
  EXPECT_TRUE(absl::IsPermissionDenied(disk.opened())) << disk.opened();
  EXPECT_THAT(Text(disk.opened()), AllOf(HasSubstr(folder), HasSubstr("permission denied")));
}

TEST(OpenFolder, NeverStartsAnewOverADatabaseWithoutItsCurrentFile) {
  const std::string folder = FolderWithLog(1);
  std::filesystem::remove(folder + "/CURRENT");
  TestDisk disk(folder);
  EXPECT_TRUE(absl::IsDataLoss(disk.opened())) << disk.opened();
  EXPECT_THAT(Text(disk.opened()), HasSubstr("CURRENT is missing"));
}

TEST(OpenFolder, NoticesAMissingWriteAheadLog) {
  const std::string folder = FolderWithLog(1);
  for (const std::string& log : FilesIn(folder, ".log")) std::filesystem::remove(log);
  TestDisk disk(folder);
  EXPECT_TRUE(absl::IsDataLoss(disk.opened())) << disk.opened();
  EXPECT_THAT(Text(disk.opened()), HasSubstr("write-ahead log"));
}

}  // namespace
}  // namespace flaredb::storage
