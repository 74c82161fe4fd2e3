// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/disk_support.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace flaredb::storage {
namespace fs = std::filesystem;
namespace {

bool IsWal(const std::string& name) { return name.ends_with(".log"); }

// One file of a FaultyFileSystem.
class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(FaultyFileSystem* owner, std::string name,
             std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), owner_(owner), name_(std::move(name)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (IsWal(name_)) {
      if (owner_->fail_wal_appends) return rocksdb::IOStatus::IOError("injected append failure");
      ++owner_->wal_appends;
    }
    size_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&,
                           rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    return Durably(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    return Durably(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }

 private:
  rocksdb::IOStatus Durably(rocksdb::IOStatus result) {
    if (IsWal(name_)) {
      owner_->before_wal_sync();
      if (owner_->fail_wal_syncs) return rocksdb::IOStatus::IOError("injected sync failure");
    }
    if (result.ok()) owner_->Synced(name_, size_);
    return result;
  }

  FaultyFileSystem* owner_;
  std::string name_;
  uint64_t size_ = 0;
};

}  // namespace

std::string ScratchFolder() {
  struct Root {
    Root() {
      const char* given = std::getenv("TEST_TMPDIR");
      path = std::string(given == nullptr ? "/tmp" : given) + "/storage_XXXXXX";
      if (mkdtemp(path.data()) == nullptr) std::abort();
    }
    ~Root() { fs::remove_all(path); }
    std::string path;
    int folders = 0;
  };
  static Root root;
  return root.path + "/" + std::to_string(++root.folders);
}

void CopyFolder(const std::string& from, const std::string& to) {
  // A file that is deleted between listing and copying was not needed any more; begin again, so
  // that the copy is of one moment's listing.
  std::error_code error = std::make_error_code(std::errc::no_such_file_or_directory);
  for (int attempt = 0; attempt < 100 && error == std::errc::no_such_file_or_directory; ++attempt) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive, error);
  }
  if (error) throw fs::filesystem_error("CopyFolder", from, to, error);
}

std::vector<std::string> FilesIn(const std::string& folder, const std::string& suffix) {
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().ends_with(suffix)) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}

void FaultyFileSystem::CopySynced(const std::string& folder, const std::string& to) {
  const std::lock_guard lock(mutex_);
  CopyFolder(folder, to);
  for (const auto& [name, bytes] : synced_bytes_) {
    const fs::path copy = fs::path(to) / fs::path(name).filename();
    if (fs::path(name).parent_path() == folder && fs::exists(copy) && fs::file_size(copy) > bytes) {
      fs::resize_file(copy, bytes);
    }
  }
}

rocksdb::IOStatus FaultyFileSystem::NewWritableFile(const std::string& name,
                                                    const rocksdb::FileOptions& options,
                                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                    rocksdb::IODebugContext* debug) {
  if (deny) return rocksdb::IOStatus::IOError("While open a file " + name, "Permission denied");
  std::unique_ptr<rocksdb::FSWritableFile> inner;
  rocksdb::IOStatus s = FileSystemWrapper::NewWritableFile(name, options, &inner, debug);
  if (!s.ok()) return s;
  Synced(name, 0);
  *file = std::make_unique<FaultyFile>(this, name, std::move(inner));
  return s;
}

rocksdb::IOStatus FaultyFileSystem::RenameFile(const std::string& from, const std::string& to,
                                               const rocksdb::IOOptions& options,
                                               rocksdb::IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  const rocksdb::IOStatus s = FileSystemWrapper::RenameFile(from, to, options, debug);
  if (s.ok() && synced_bytes_.contains(from)) {
    synced_bytes_[to] = synced_bytes_[from];
    synced_bytes_.erase(from);
  }
  return s;
}

void FaultyFileSystem::Synced(const std::string& name, uint64_t size) {
  const std::lock_guard lock(mutex_);
  synced_bytes_[name] = size;
}

TestDisk::TestDisk(const std::string& folder, rocksdb::Env* env) {
  RocksDiskOptions options;
  options.env = env;
  options.on_done = [this](IoToken token) {
    const std::lock_guard lock(mutex_);
    done_.push_back(token);
    changed_.notify_all();
  };
  options.on_failed = [this](absl::Status status) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(std::move(status));
    changed_.notify_all();
  };
  options.on_fetched = [this](env::LogFetched fetched) {
    const std::lock_guard lock(mutex_);
    fetched_.push_back(std::move(fetched));
    changed_.notify_all();
  };
  absl::StatusOr<std::unique_ptr<RocksDisk>> disk = RocksDisk::Open(folder, std::move(options));
  opened_ = disk.status();
  if (disk.ok()) disk_ = *std::move(disk);
}

absl::Status TestDisk::WaitFor(IoToken token) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [&] { return !failures_.empty() || (!done_.empty() && done_.back() >= token); });
  return failures_.empty() ? absl::OkStatus() : failures_.front();
}

env::LogFetched TestDisk::NextFetched() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !fetched_.empty(); });
  env::LogFetched first = std::move(fetched_.front());
  fetched_.erase(fetched_.begin());
  return first;
}

std::vector<IoToken> TestDisk::done() {
  const std::lock_guard lock(mutex_);
  return done_;
}
std::vector<absl::Status> TestDisk::failures() {
  const std::lock_guard lock(mutex_);
  return failures_;
}

}  // namespace flaredb::storage
