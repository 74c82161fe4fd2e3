// SPDX-License-Identifier: Apache-2.0
// A store's disk: one folder, one writer thread, one reader thread.
#ifndef FLAREDB_STORAGE_ROCKS_DISK_H_
#define FLAREDB_STORAGE_ROCKS_DISK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/raft/entry_slices.h"

namespace rocksdb {
class Env;
}

namespace flaredb::storage {

// The callbacks run on the disk's threads and should do no more than post an event. They may run
// until the disk's destructor returns.
struct RocksDiskOptions {
  // Writer thread: every group commit up to this one is durable and visible in data(). Tokens
  // increase; one call may cover many commits.
  std::function<void(IoToken)> on_done;
  // Writer thread, at most once: a write failed. Nothing is written or reported after it.
  std::function<void(absl::Status)> on_failed;
  // Reader thread: the answer to a ReadLog, in the order of the calls.
  std::function<void(env::LogFetched)> on_fetched;
  // The file system, borrowed, outliving the disk. Null: the machine's.
  rocksdb::Env* env = nullptr;
};

// Counts since Open.
struct WriteStats {
  uint64_t commits = 0;  // Group commits that are durable.
  uint64_t syncs = 0;    // Synced writes that it took.
};

// The life of a disk: Open, RecoverLogs once, then Write and the reads, from one thread.
class RocksDisk {
 public:
  // Opens the folder `path`, creating it when missing, and locks it against other processes. All
  // three callbacks must be set. Errors: OpenFolder (storage/open_folder.h).
  static absl::StatusOr<std::unique_ptr<RocksDisk>> Open(const std::string& path,
                                                         RocksDiskOptions options);
  // Finishes the writes that are queued, unless one failed; drops queued reads.
  ~RocksDisk();
  RocksDisk(const RocksDisk&) = delete;
  RocksDisk& operator=(const RocksDisk&) = delete;

  // Every replica's Raft state, by region id. Reads and checks each log entry: O(bytes of all
  // logs). Must succeed once before the first Write, and is not called after. DATA_LOSS names
  // region and index of what is wrong.
  absl::StatusOr<std::vector<env::LogState>> RecoverLogs();

  // Queues a group commit. Those that queue up while the disk is busy share the next sync; each is
  // still atomic, and they become durable in order. Tokens must increase. After a failure, dropped.
  void Write(env::GroupCommit commit);

  // The newest durable rows; may run ahead of the last on_done. Thread-safe, lives as long as the
  // disk.
  const DataSource& data() const;

  // Queues a read; answered by on_fetched.
  void ReadLog(env::LogFetch fetch);
  // The same at once, on the calling thread. The entries from `first` on: up to `last`, up to the
  // first gap, and up to `bytes_max` payload bytes, but at least one. NOT_FOUND: there is none at
  // `first`, as when it was truncated or fell behind the base after the caller asked.
  absl::StatusOr<raft::EntrySlices> ReadLogNow(RegionId region, Index first, Index last,
                                               size_t bytes_max) const;

  WriteStats stats() const;

 private:
  class Impl;
  explicit RocksDisk(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_ROCKS_DISK_H_
