// SPDX-License-Identifier: Apache-2.0
// A disk in a scratch folder, and a file system that can fail, wait and forget.
#ifndef FLAREDB_TESTS_STORAGE_DISK_SUPPORT_H_
#define FLAREDB_TESTS_STORAGE_DISK_SUPPORT_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "storage/rocks_disk.h"

namespace flaredb::storage {

// A new path for a folder, which does not exist yet. All of them go with the test.
std::string ScratchFolder();
// `from` may be in use.
void CopyFolder(const std::string& from, const std::string& to);
// The paths in `folder` that end in `suffix`, sorted.
std::vector<std::string> FilesIn(const std::string& folder, const std::string& suffix);
std::string ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, const std::string& bytes);

// The machine's file system with three powers. Thread-safe.
class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FaultyFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  // Fail: writes to write-ahead logs answer with an I/O error while set.
  std::atomic<bool> fail_wal_appends = false;
  std::atomic<bool> fail_wal_syncs = false;
  // Any open for writing answers "Permission denied".
  std::atomic<bool> deny = false;
  // Wait: called before each sync of a write-ahead log. Set before the disk is opened.
  std::function<void()> before_wal_sync = [] {};
  std::atomic<uint64_t> wal_appends = 0;

  // Forget: copies `folder` as a loss of power would leave it, every file cut to its synced length.
  void CopySynced(const std::string& folder, const std::string& to);

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  void Synced(const std::string& name, uint64_t size);

 private:
  std::mutex mutex_;
  std::map<std::string, uint64_t> synced_bytes_;  // Of the files written through this object.
};

// A RocksDisk whose callbacks are recorded.
class TestDisk {
 public:
  explicit TestDisk(const std::string& folder, rocksdb::Env* env = nullptr);

  const absl::Status& opened() const { return opened_; }
  RocksDisk& operator*() { return *disk_; }
  RocksDisk* operator->() { return disk_.get(); }
  void Close() { disk_.reset(); }

  // Waits until `token` is done or a write failed; the failure in that case.
  absl::Status WaitFor(IoToken token);
  // Waits for the next answer to ReadLog.
  env::LogFetched NextFetched();

  std::vector<IoToken> done();
  std::vector<absl::Status> failures();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<IoToken> done_;
  std::vector<absl::Status> failures_;
  std::vector<env::LogFetched> fetched_;
  absl::Status opened_;
  std::unique_ptr<RocksDisk> disk_;  // Last: its threads use the above until it is gone.
};

}  // namespace flaredb::storage

#endif  // FLAREDB_TESTS_STORAGE_DISK_SUPPORT_H_
