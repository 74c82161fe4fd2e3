// SPDX-License-Identifier: Apache-2.0
// The storage layer for the stores of a simulated cluster.
#ifndef FLAREDB_STORAGE_SIM_STORE_DISK_H_
#define FLAREDB_STORAGE_SIM_STORE_DISK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "sim/real_disk.h"
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
  const DataSource& data() const override { return data_; }
  absl::StatusOr<raft::EntrySlices> Read(RegionId region, Index first, Index last,
                                         size_t bytes_max) const override;

  // For tests, which break it.
  SimFileSystem& machine() { return store_.machine(); }

 private:
  // Of the process that there is at the time.
  class Data final : public DataSource {
   public:
    explicit Data(const SimStore& store) : store_(store) {}
    absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
    absl::Status Scan(
        std::string_view begin, std::string_view end,
        absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const override;
    std::unique_ptr<DataReader> Pin() const override;

   private:
    const SimStore& store_;
  };

  Rng rng_;
  SimStore store_;  // Always has a process.
  const Data data_{store_};
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_STORE_DISK_H_
