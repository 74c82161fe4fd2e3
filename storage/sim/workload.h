// SPDX-License-Identifier: Apache-2.0
// Group commits as a store makes them, at random.
#ifndef FLAREDB_STORAGE_SIM_WORKLOAD_H_
#define FLAREDB_STORAGE_SIM_WORKLOAD_H_

#include <cstdint>
#include <string>

#include "core/base/rng.h"
#include "core/env/disk.h"
#include "core/region/region.h"
#include "sim/world/disk_image.h"

namespace flaredb::storage {

// Every commit is one that the core could make: what is on the disk after it can be recovered, and
// applied positions are those of the rows that come with them. Regions 1 to `regions`: created,
// filled by a snapshot, appended to, truncated, compacted, overtaken by a snapshot, destroyed.
class Workload {
 public:
  // Commits are at most some tens of KiB, and rarely above one.
  Workload(uint64_t seed, uint64_t regions) : rng_(seed), regions_(regions) {}

  // A commit that a disk with the content `image` can take. Its token is `token`; the first commit
  // of a store, on an empty disk, is its bootstrap.
  env::GroupCommit Next(IoToken token, const sim::DiskImage& image);

 private:
  // One region's next write and the rows that belong to it.
  env::GroupCommit Step(RegionId region, const sim::DiskImage& image);
  void InstallSnapshot(const Region& region, const sim::DiskImage& image, raft::HardState now,
                       env::GroupCommit* commit);
  void Advance(RegionId region, const sim::DiskImage& image, raft::HardState now,
               env::GroupCommit* commit);
  // Entries after `last`, and by chance a configuration among them.
  void Append(Term term, Index last, raft::Persist* persist);
  void PutRows(RegionId region, env::GroupCommit* commit);
  std::string Bytes();

  Rng rng_;
  uint64_t regions_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_WORKLOAD_H_
