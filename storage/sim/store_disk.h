// SPDX-License-Identifier: Apache-2.0
// The storage layer for the stores of a simulated cluster.
#ifndef FLAREDB_STORAGE_SIM_STORE_DISK_H_
#define FLAREDB_STORAGE_SIM_STORE_DISK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "sim/world/real_disk.h"
#include "storage/sealed_reader.h"
#include "storage/sim/sim_store.h"

namespace flaredb::storage {

// RocksDB on a machine that loses power, and does nothing worse: clusters have disks that fail and
// stall without it, and the storage simulation has damage. Background jobs run between commits,
// some of them.
class StoreDisk : public sim::RealDisk {
 public:
  explicit StoreDisk(uint64_t seed);

  absl::Status Write(const env::GroupCommit& commit) override;
  absl::StatusOr<bool> Crash(const sim::DiskImage& written,
                             const env::GroupCommit* unfinished) override;
  absl::StatusOr<std::vector<env::LogState>> LogStates() const override;
  const DataSource& data() const override { return *data_; }
  absl::StatusOr<raft::EntrySlices> Read(RegionId region, Index first, Index last,
                                         size_t bytes_max) const override;

  // For tests, which break it.
  SimFileSystem& machine() { return store_.machine(); }

 private:
  Rng rng_;
  SimStore store_;                    // Always has a process.
  std::optional<SealedReader> data_;  // Of this process.
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_STORE_DISK_H_
