// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_disk.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "storage/commit_writer.h"
#include "storage/log_reader.h"
#include "storage/open_folder.h"
#include "storage/sealed_reader.h"
#include "storage/work_queue.h"

namespace flaredb::storage {

class RocksDisk::Impl {
 public:
  Impl(std::unique_ptr<OpenedFolder> folder, RocksDiskOptions options)
      : folder_(std::move(folder)),
        data_(*folder_),
        options_(std::move(options)),
        reader_([this] { ReaderLoop(); }) {}

  ~Impl() {
    commits_.Close();
    fetches_.CloseAndDrop();
    if (writer_.joinable()) writer_.join();
    reader_.join();
  }

  absl::StatusOr<std::vector<env::LogState>> RecoverLogs() {
    INVARIANT(!writer_.joinable()) << "logs are recovered once";
    absl::StatusOr<std::vector<env::LogState>> logs = ReadLogStates(*folder_);
    if (!logs.ok()) return logs;
    commit_writer_.emplace(*folder_, *logs);
    writer_ = std::thread([this] { WriterLoop(); });
    return logs;
  }

  void Write(env::GroupCommit commit) {
    INVARIANT(writer_.joinable()) << "logs are recovered before the first write";
    INVARIANT(last_token_ < commit.token) << "token " << commit.token;
    last_token_ = commit.token;
    commits_.Push(std::move(commit));
  }

  void ReadLog(env::LogFetch fetch) { fetches_.Push(std::move(fetch)); }

  const OpenedFolder& folder() const { return *folder_; }
  const DataSource& data() const { return data_; }
  WriteStats stats() const { return {durable_commits_.load(), syncs_.load()}; }

 private:
  void WriterLoop() {
    std::vector<env::GroupCommit> queued;
    while (commits_.TakeAll(queued)) {
      for (size_t next = 0; next < queued.size();) {
        if (!WriteSome(queued, next)) return;
      }
      queued.clear();
    }
  }

  // False when the write failed, which ends all writing.
  bool WriteSome(const std::vector<env::GroupCommit>& queued, size_t& next) {
    const size_t first = next;
    if (absl::Status s = commit_writer_->WriteSome(queued, next); !s.ok()) {
      commits_.CloseAndDrop();
      options_.on_failed(std::move(s));
      return false;
    }
    syncs_ += 1;
    durable_commits_ += next - first;
    options_.on_done(queued[next - 1].token);
    return true;
  }

  void ReaderLoop() {
    std::vector<env::LogFetch> queued;
    while (fetches_.TakeAll(queued)) {
      for (const env::LogFetch& want : queued) {
        const raft::Fetch& fetch = want.fetch;
        options_.on_fetched(
            {want.region, fetch.id,
             ReadEntries(*folder_, want.region, fetch.first, fetch.last, fetch.bytes_max)});
      }
      queued.clear();
    }
  }

  const std::unique_ptr<OpenedFolder> folder_;
  const SealedReader data_;
  const RocksDiskOptions options_;
  IoToken last_token_;
  WorkQueue<env::GroupCommit> commits_;
  WorkQueue<env::LogFetch> fetches_;
  std::optional<CommitWriter> commit_writer_;  // The writer thread's, once that runs.
  std::atomic<uint64_t> durable_commits_ = 0;
  std::atomic<uint64_t> syncs_ = 0;
  std::thread writer_;  // Runs from RecoverLogs on.
  std::thread reader_;
};

absl::StatusOr<std::unique_ptr<RocksDisk>> RocksDisk::Open(const std::string& path,
                                                           RocksDiskOptions options) {
  INVARIANT(options.on_done != nullptr);
  INVARIANT(options.on_failed != nullptr);
  INVARIANT(options.on_fetched != nullptr);
  rocksdb::Env* env = options.env == nullptr ? rocksdb::Env::Default() : options.env;
  absl::StatusOr<std::unique_ptr<OpenedFolder>> folder =
      OpenFolder(env, path, OpenMode::kReadWrite);
  if (!folder.ok()) return folder.status();
  return std::unique_ptr<RocksDisk>(
      new RocksDisk(std::make_unique<Impl>(*std::move(folder), std::move(options))));
}

RocksDisk::RocksDisk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDisk::~RocksDisk() = default;

absl::StatusOr<std::vector<env::LogState>> RocksDisk::RecoverLogs() { return impl_->RecoverLogs(); }
void RocksDisk::Write(env::GroupCommit commit) { impl_->Write(std::move(commit)); }
const DataSource& RocksDisk::data() const { return impl_->data(); }
void RocksDisk::ReadLog(env::LogFetch fetch) { impl_->ReadLog(std::move(fetch)); }
absl::StatusOr<raft::EntrySlices> RocksDisk::ReadLogNow(RegionId region, Index first, Index last,
                                                        size_t bytes_max) const {
  return ReadEntries(impl_->folder(), region, first, last, bytes_max);
}
WriteStats RocksDisk::stats() const { return impl_->stats(); }

}  // namespace flaredb::storage
