// SPDX-License-Identifier: Apache-2.0
// The production storage layer below a simulated disk, in runs that have it.
#ifndef FLAREDB_SIM_WORLD_REAL_DISK_H_
#define FLAREDB_SIM_WORLD_REAL_DISK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/raft/entry_slices.h"
#include "sim/world/disk_image.h"

namespace flaredb::sim {

// Time, latencies and failures stay SimDisk's; what is written goes here as well, and the store
// reads it from here alone. Empty at first. A status that is not OK is a failure of the run.
class RealDisk {
 public:
  virtual ~RealDisk() = default;

  // As a whole, behind those before, synced.
  virtual absl::Status Write(const env::GroupCommit& commit) = 0;

  // The process is gone, the machine may lose power at the same time, and the next process finds
  // what is on the disk. That has to be `written`; or, when there is a commit `unfinished` (else
  // null), what that makes of it: true. Nobody reads by data() meanwhile.
  virtual absl::StatusOr<bool> Crash(const DiskImage& written,
                                     const env::GroupCommit* unfinished) = 0;

  virtual absl::StatusOr<std::vector<env::LogState>> LogStates() const = 0;
  // Until the next Crash.
  virtual const DataSource& data() const = 0;
  // As LogImage::Read; NOT_FOUND instead of nothing.
  virtual absl::StatusOr<raft::EntrySlices> Read(RegionId region, Index first, Index last,
                                                 size_t bytes_max) const = 0;
};

// `seed` decides what the run's other choices do not.
using NewRealDisk = std::function<std::unique_ptr<RealDisk>(uint64_t seed)>;

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_REAL_DISK_H_
