// SPDX-License-Identifier: Apache-2.0
// The end of the write-ahead log: what is forgiven and what is refused.
#include "storage/wal_check.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/rng.h"
#include "storage/open_folder.h"
#include "tests/storage/disk_support.h"
#include "tests/storage/model_support.h"

namespace flaredb::storage {
namespace {

constexpr size_t kSector = 512;

// A folder as a killed process leaves it: its log holds the commits of a Life, one batch each.
struct Killed {
  std::string folder;
  std::string wal;                   // Path of the log.
  std::string bytes;                 // Content of the log.
  std::vector<uint64_t> batch_ends;  // Where each batch ends; the first one is the format row.
  std::vector<Content> contents;     // After each commit; [0] is empty.
};

Killed MakeKilled(uint64_t seed, int commits, size_t payload_bytes_max) {
  Killed killed;
  killed.folder = ScratchFolder();
  const std::string running = ScratchFolder();
  TestDisk disk(running);
  EXPECT_TRUE(disk->RecoverLogs().ok());
  const std::vector<std::string> wals = FilesIn(running, ".log");
  EXPECT_EQ(wals.size(), 1u);
  Life life(seed, payload_bytes_max);
  killed.contents.push_back(life.content());
  killed.batch_ends.push_back(ReadBytes(wals[0]).size());
  for (int i = 0; i < commits; ++i) {
    disk->Write(life.Next());
    EXPECT_TRUE(disk.WaitFor(life.last_token()).ok());
    killed.contents.push_back(life.content());
    killed.batch_ends.push_back(ReadBytes(wals[0]).size());
  }
  CopyFolder(running, killed.folder);
  killed.wal = FilesIn(killed.folder, ".log")[0];
  killed.bytes = ReadBytes(killed.wal);
  return killed;
}

// The content that a start on a copy of `killed` finds when its log holds `bytes` instead.
absl::StatusOr<Content> StartWith(const Killed& killed, const std::string& bytes) {
  static const std::string copy = ScratchFolder();
  CopyFolder(killed.folder, copy);
  WriteBytes(FilesIn(copy, ".log")[0], bytes);
  TestDisk disk(copy);
  if (!disk.opened().ok()) return disk.opened();
  return ReadAll(*disk);
}

// Number of whole commits in the first `size` bytes.
size_t CommitsWithin(const Killed& killed, uint64_t size) {
  const auto past = std::upper_bound(killed.batch_ends.begin(), killed.batch_ends.end(), size);
  return past == killed.batch_ends.begin()
             ? 0
             : static_cast<size_t>(past - killed.batch_ends.begin()) - 1;
}

TEST(ScanWal, CountsTheBatchesOfARealLog) {
  const Killed killed = MakeKilled(1, 40, 9000);  // Batches of several 32 KiB blocks among them.
  ASSERT_GT(killed.bytes.size(), size_t{3} * 32768);
  const LogScan scan = ScanWal(killed.bytes);
  EXPECT_EQ(scan.end, LogEnd::kWhole);
  EXPECT_EQ(scan.batches, 41u);
  EXPECT_EQ(scan.good_bytes, killed.bytes.size());
  EXPECT_EQ(scan.first_sequence, 1u);
}

// A block may end within a batch's own header, and a first fragment may be empty.
TEST(ScanWal, ReadsBatchesWhereverInABlockTheyStart) {
  const std::string folder = ScratchFolder();
  const auto opened = OpenFolder(rocksdb::Env::Default(), folder, OpenMode::kReadWrite);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Rng rng(11);
  constexpr uint64_t kBatches = 30000;
  for (uint64_t i = 0; i < kBatches; ++i) {
    const std::string value(rng.Below(100), 'v');
    ASSERT_TRUE((*opened)->db().Put({}, (*opened)->family(Family::kData), "key", value).ok());
  }
  const std::string bytes = ReadBytes(FilesIn(folder, ".log")[0]);
  std::set<size_t> starts;  // Bytes left in the block where a batch's first fragment lies.
  for (size_t block = 32768; block <= bytes.size(); block += 32768) {
    for (size_t left = 7; left < 32; ++left) {
      const std::string_view fragment = std::string_view(bytes).substr(block - left, 7);
      if (fragment[6] == 2 && static_cast<uint8_t>(fragment[4]) == left - 7) starts.insert(left);
    }
  }
  ASSERT_GT(starts.size(), 5u) << "too few batches start at the end of a block";
  ASSERT_LT(*starts.begin(), 19u);

  const LogScan scan = ScanWal(bytes);
  EXPECT_EQ(scan.end, LogEnd::kWhole);
  EXPECT_EQ(scan.batches, kBatches + 1);
  EXPECT_EQ(scan.next_sequence, kBatches + 2);
}

TEST(ScanWal, ForgivesALogThatStopsAnywhere) {
  for (const size_t payload : {size_t{40}, size_t{9000}}) {
    const Killed killed = MakeKilled(2, 12, payload);
    const size_t step = killed.bytes.size() / 800 + 1;
    for (size_t size = 0; size < killed.bytes.size(); size += step) {
      const LogScan scan = ScanWal(std::string_view(killed.bytes).substr(0, size));
      EXPECT_TRUE(scan.end == LogEnd::kWhole || scan.end == LogEnd::kShort) << size;
      EXPECT_EQ(scan.batches, size < killed.batch_ends[0] ? 0 : CommitsWithin(killed, size) + 1)
          << size;
    }
  }
}

TEST(ScanWal, RefusesEveryFlippedBit) {
  const Killed killed = MakeKilled(3, 6, 40);
  for (size_t bit = 0; bit < killed.bytes.size() * 8; ++bit) {
    std::string bytes = killed.bytes;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(ScanWal(bytes).end, LogEnd::kDamaged) << "bit " << bit << " of " << bytes.size() * 8;
  }
}

TEST(ScanWal, RefusesAFlippedBitBetweenBlocks) {
  const Killed killed = MakeKilled(4, 30, 9000);
  for (size_t at = 5; at < killed.bytes.size(); at += 4001) {
    std::string bytes = killed.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    const LogScan scan = ScanWal(bytes);
    // A flip in the padding between two blocks hurts nothing.
    if (scan.end == LogEnd::kWhole && scan.batches == killed.batch_ends.size()) continue;
    ASSERT_EQ(scan.end, LogEnd::kDamaged) << "byte " << at;
  }
}

TEST(ScanWal, ForgivesMissingSectorsOfTheLastBatchOnly) {
  const Killed killed = MakeKilled(5, 8, 3000);
  const uint64_t last_begin = killed.batch_ends[killed.batch_ends.size() - 2];
  size_t torn = 0;
  for (size_t sector = 0; sector < killed.bytes.size(); sector += kSector) {
    std::string bytes = killed.bytes;
    const size_t begin = std::max<size_t>(sector, sector + kSector > last_begin ? last_begin : 0);
    const size_t end = std::min(sector + kSector, bytes.size());
    std::fill(bytes.begin() + begin, bytes.begin() + end, '\0');
    const bool in_last = begin >= last_begin;
    EXPECT_EQ(ScanWal(bytes).end, in_last ? LogEnd::kTorn : LogEnd::kDamaged)
        << "sector " << sector;
    torn += in_last;
  }
  EXPECT_GT(torn, 3u);
}

TEST(Start, FindsTheAcknowledgedPrefixBehindATornTail) {
  const Killed killed = MakeKilled(6, 12, 60);
  for (size_t cut = 0; cut < 300; cut += 3) {
    const size_t size = killed.bytes.size() - cut;
    const absl::StatusOr<Content> content = StartWith(killed, killed.bytes.substr(0, size));
    ASSERT_TRUE(content.ok()) << content.status() << ", cut " << cut;
    EXPECT_EQ(*content, killed.contents[CommitsWithin(killed, size)]) << "cut " << cut;
  }
}

TEST(Start, FindsTheAcknowledgedPrefixBehindMissingSectors) {
  Killed killed = MakeKilled(7, 8, 3000);
  const uint64_t last_begin = killed.batch_ends[killed.batch_ends.size() - 2];
  const size_t sector = last_begin + kSector - last_begin % kSector;
  for (const bool length_too : {false, true}) {
    std::string bytes = killed.bytes;
    // With its header gone as well, nothing says how long the batch was.
    const size_t begin = length_too ? last_begin : sector;
    std::fill(bytes.begin() + begin, bytes.begin() + sector + kSector, '\0');
    const absl::StatusOr<Content> content = StartWith(killed, bytes);
    ASSERT_TRUE(content.ok()) << content.status();
    EXPECT_EQ(*content, killed.contents[killed.contents.size() - 2]);
  }
}

TEST(Start, IsRefusedAfterAnyFlippedBitInTheLog) {
  const Killed killed = MakeKilled(8, 10, 60);
  for (size_t at = 0; at < killed.bytes.size(); at += 5) {
    std::string bytes = killed.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    const absl::Status status = StartWith(killed, bytes).status();
    ASSERT_TRUE(absl::IsDataLoss(status)) << status << ", byte " << at;
  }
}

TEST(Start, GoesOnBehindATornTailAgainAndAgain) {
  const std::string folder = ScratchFolder();
  const std::string copy = ScratchFolder();
  IoToken kept;
  for (int round = 0; round < 12; ++round) {
    TestDisk disk(folder);
    ASSERT_TRUE(disk.opened().ok()) << disk.opened() << ", round " << round;
    const absl::StatusOr<Content> content = ReadAll(*disk);
    ASSERT_TRUE(content.ok()) << content.status();
    ASSERT_GE(LastToken(*content), kept) << "round " << round;
    Life life(99);
    while (life.last_token() < LastToken(*content)) life.Next();
    ASSERT_EQ(*content, life.content()) << "round " << round;
    for (int i = 0; i < 10; ++i) {
      kept = life.last_token();
      disk->Write(life.Next());
      ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
    }
    // The last commit is torn: all before it are kept.
    CopyFolder(folder, copy);
    disk.Close();
    CopyFolder(copy, folder);
    const std::string wal = FilesIn(folder, ".log").back();
    const std::string bytes = ReadBytes(wal);
    WriteBytes(wal, bytes.substr(0, bytes.size() - 1 - round));
  }
}

// Long enough for the log to be continued in new files and the old ones to become tables.
TEST(Start, ReadsALogOfManyFiles) {
  const std::string folder = ScratchFolder();
  Life life(12, 6000);
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    for (int i = 0; i < 2000; ++i) disk->Write(life.Next());
    ASSERT_TRUE(disk.WaitFor(life.last_token()).ok());
  }
  ASSERT_GT(FilesIn(folder, ".log").size(), 1u);
  TestDisk disk(folder);
  ASSERT_TRUE(disk.opened().ok()) << disk.opened();
  const absl::StatusOr<Content> content = ReadAll(*disk);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(*content, life.content());
}

// Two log files, of which the first one is gone.
TEST(Start, IsRefusedWhenALogFileIsMissing) {
  const std::string folder = ScratchFolder();
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    Life life(13);
    for (int i = 0; i < 5; ++i) disk->Write(life.Next());
  }
  {
    const auto opened = OpenFolder(rocksdb::Env::Default(), folder, OpenMode::kReadWrite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto put = [&](Family family) {
      return (*opened)->db().Put(synced, (*opened)->family(family), "key", "value");
    };
    ASSERT_TRUE(put(Family::kData).ok());
    ASSERT_TRUE(put(Family::kRaftLog).ok());
    ASSERT_TRUE((*opened)->db().Flush({}, (*opened)->family(Family::kRaftLog)).ok());
    ASSERT_TRUE(put(Family::kData).ok());
    ASSERT_TRUE(put(Family::kData).ok());
  }
  const std::vector<std::string> logs = FilesIn(folder, ".log");
  ASSERT_EQ(logs.size(), 2u);
  ASSERT_EQ(unlink(logs[0].c_str()), 0);
  const auto opened = OpenFolder(rocksdb::Env::Default(), folder, OpenMode::kReadWrite);
  EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
}

// A bit that flips in a table file is noticed or does no harm; wrong data is never seen.
TEST(Start, NeverShowsAFlippedBitOfATableFile) {
  const std::string folder = ScratchFolder();
  Life life(10);
  {
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    for (int i = 0; i < 60; ++i) disk->Write(life.Next());
  }
  TestDisk(folder).Close();  // A start turns the log into table files.
  const std::vector<std::string> tables = FilesIn(folder, ".sst");
  ASSERT_GE(tables.size(), 4u);
  const std::string copy = ScratchFolder();
  size_t noticed = 0;
  size_t flips = 0;
  for (size_t t = 0; t < tables.size(); ++t) {
    const std::string bytes = ReadBytes(tables[t]);
    const size_t step = bytes.size() / 40 + 1;
    for (size_t at = t; at < bytes.size(); at += step) {
      CopyFolder(folder, copy);
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
      WriteBytes(FilesIn(copy, ".sst")[t], bad);
      ++flips;
      TestDisk disk(copy);
      const absl::StatusOr<Content> content =
          disk.opened().ok() ? ReadAll(*disk) : absl::StatusOr<Content>(disk.opened());
      if (content.ok()) {
        EXPECT_EQ(*content, life.content()) << tables[t] << " byte " << at;
      } else {
        EXPECT_TRUE(absl::IsDataLoss(content.status())) << content.status() << " byte " << at;
        ++noticed;
      }
    }
  }
  // The rest hit properties and the like.
  EXPECT_GT(noticed * 2, flips) << noticed << " of " << flips;
}

}  // namespace
}  // namespace flaredb::storage
