// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/sim_store.h"

#include <utility>

#include "core/base/check.h"
#include "storage/rocks_error.h"

namespace flaredb::storage {
namespace {

// As in a server: the data folder is there and is somebody else's to make durable, `db` is ours.
constexpr char kDataFolder[] = "/data";
constexpr char kFolder[] = "/data/db";

// RocksDB stops writers at two memtables that wait for their flush, and slows them down at 20 files
// of level 0 (options.h). Jobs are not delayed beyond that.
constexpr uint64_t kWaitingMemtablesMax = 1;
constexpr uint64_t kLevel0FilesMax = 16;

}  // namespace

SimStore::SimStore(uint64_t seed)
    : rng_(seed),
      clock_(std::make_shared<SimClock>()),
      file_system_(std::make_shared<SimFileSystem>(rng_.Next(), clock_)),
      env_(std::make_unique<SimEnv>(file_system_, clock_)) {
  file_system_->volume().MakeDirectory(kDataFolder);
  file_system_->volume().SyncDirectory("/");
}

SimStore::~SimStore() {
  if (running()) Kill();
}

absl::StatusOr<Content> SimStore::Start() {
  INVARIANT(!running());
  absl::StatusOr<std::unique_ptr<OpenedFolder>> folder =
      OpenFolder(env_.get(), kFolder, OpenMode::kReadWrite);
  if (!folder.ok()) {
    INVARIANT(env_->jobs() == 0) << "a folder that could not be opened left jobs behind";
    return folder.status();
  }
  folder_ = *std::move(folder);
  absl::StatusOr<Content> content = ReadContent(*folder_);
  if (!content.ok()) {
    Close();
    return content;
  }
  writer_.emplace(*folder_, content->logs);
  return content;
}

void SimStore::MakeRoom() {
  const auto crowded = [this] {
    for (size_t i = 0; i < kFamilies; ++i) {
      rocksdb::ColumnFamilyHandle* family = folder_->family(static_cast<Family>(i));
      const auto count = [&](const std::string& property) {
        uint64_t value = 0;
        INVARIANT(folder_->db().GetIntProperty(family, property, &value)) << property;
        return value;
      };
      std::string files;
      INVARIANT(folder_->db().GetProperty(family, "rocksdb.num-files-at-level0", &files));
      if (count("rocksdb.num-immutable-mem-table") > kWaitingMemtablesMax) return true;
      if (std::stoull(files) > kLevel0FilesMax) return true;
    }
    return false;
  };
  while (env_->jobs() > 0 && crowded()) env_->RunJob(rng_);
}

absl::Status SimStore::Write(const std::vector<env::GroupCommit>& commits) {
  MakeRoom();
  for (size_t next = 0; next < commits.size();) {
    if (absl::Status s = writer_->WriteSome(commits, next); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<Content> SimStore::Read() const { return ReadContent(*folder_); }

absl::Status SimStore::Flush() {
  MakeRoom();
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  const Family family = static_cast<Family>(rng_.Below(kFamilies));
  const rocksdb::Status s = folder_->db().Flush(options, folder_->family(family));
  return s.ok() ? absl::OkStatus() : ErrorFromRocks(s, "asking for a flush");
}

void SimStore::RunJob() {
  if (env_->jobs() > 0) env_->RunJob(rng_);
}

void SimStore::Close() {
  writer_.reset();
  folder_.reset();
  INVARIANT(env_->jobs() == 0) << "a closed folder left jobs behind";
}

void SimStore::Kill() {
  file_system_->Halt();
  Close();
}

}  // namespace flaredb::storage
