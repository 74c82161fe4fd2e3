// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/folder_support.h"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "rocksdb/db.h"
#include "storage/slices.h"
#include "tests/storage/model_support.h"

namespace flaredb::storage {

std::string Text(const absl::Status& status) { return std::string(status.message()); }

env::GroupCommit FirstCommit(uint64_t entries) {
  std::vector<std::string> payloads;
  for (uint64_t i = 1; i <= entries; ++i) payloads.push_back(std::to_string(i));
  env::GroupCommit commit;
  commit.token = IoToken(1);
  commit.log.push_back({.region = kRegion, .create = Incarnation(77), .persist = {}});
  commit.log[0].persist.hard_state = {Term(1), PeerId(2)};
  commit.log[0].persist.append = Entries(Term(1), Index(1), payloads);
  return commit;
}

std::string FolderWithLog(uint64_t entries) {
  const std::string folder = ScratchFolder();
  TestDisk disk(folder);
  EXPECT_TRUE(disk->RecoverLogs().ok());
  disk->Write(FirstCommit(entries));
  EXPECT_TRUE(disk.WaitFor(IoToken(1)).ok());
  return folder;
}

absl::Status WriteAll(TestDisk& disk, uint64_t token, std::vector<env::LogWrite> writes) {
  env::GroupCommit commit;
  commit.token = IoToken(token);
  commit.log = std::move(writes);
  disk->Write(std::move(commit));
  return disk.WaitFor(IoToken(token));
}

void WriteTo(const std::string& folder, std::vector<env::LogWrite> writes) {
  TestDisk disk(folder);
  ASSERT_TRUE(disk->RecoverLogs().ok());
  ASSERT_TRUE(WriteAll(disk, 1, std::move(writes)).ok());
}

size_t RowsOf(const std::string& folder, Family family) {
  const auto opened = OpenFolder(rocksdb::Env::Default(), folder, OpenMode::kReadOnly);
  EXPECT_TRUE(opened.ok()) << opened.status();
  const std::unique_ptr<rocksdb::Iterator> it(
      (*opened)->db().NewIterator({}, (*opened)->family(family)));
  size_t rows = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++rows;
  return rows;
}

absl::StatusOr<std::vector<env::LogState>> Recover(const std::string& folder) {
  TestDisk disk(folder);
  if (!disk.opened().ok()) return disk.opened();
  return disk->RecoverLogs();
}

void Meddle(const std::string& folder,
            const std::function<rocksdb::Status(const OpenedFolder&)>& change) {
  const auto opened = OpenFolder(rocksdb::Env::Default(), folder, OpenMode::kReadWrite);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const rocksdb::Status s = change(**opened);
  ASSERT_TRUE(s.ok()) << s.ToString();
}

void MoveValue(const std::string& folder, Family family, const std::string& from,
               const std::string& to) {
  Meddle(folder, [&](const OpenedFolder& opened) {
    std::string value;
    rocksdb::Status s = opened.db().Get({}, opened.family(family), from, &value);
    return s.ok() ? opened.db().Put({}, opened.family(family), to, value) : s;
  });
}

std::string LogKey(uint64_t index) {
  return ToSlice(MakeRaftLogKey(kRegion, Index(index))).ToString();
}

std::string StateKey(RaftStateRow row) {
  return ToSlice(MakeRaftStateKey(kRegion, row)).ToString();
}

}  // namespace flaredb::storage
