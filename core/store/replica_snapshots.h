// SPDX-License-Identifier: Apache-2.0
// The snapshots that a replica sends and the one that it receives, as bytes: what raft::Raft wants
// done with them (raft::SnapshotEffect).
#ifndef FLAREDB_CORE_STORE_REPLICA_SNAPSHOTS_H_
#define FLAREDB_CORE_STORE_REPLICA_SNAPSHOTS_H_

#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/raft/effects.h"
#include "core/region/region_snapshot.h"

namespace flaredb::store {

class ReplicaSnapshots {
 public:
  // Takes a view of the region's durable data. Returns the entry that it covers.
  absl::StatusOr<Index> Take(raft::SnapshotId id, RegionId region, const DataSource& source);
  absl::StatusOr<SnapshotPiece> Read(const raft::ReadSnapshot& read);
  void Drop(raft::SnapshotId id) { views_.erase(id); }

  // Pieces that come in, and what they become.
  absl::Status Stage(const raft::SnapshotChunk& chunk);
  void Unstage() { stage_ = RegionSnapshotStage(); }
  RegionSnapshotStage* stage() { return &stage_; }

 private:
  std::map<raft::SnapshotId, RegionSnapshotReader> views_;
  RegionSnapshotStage stage_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_REPLICA_SNAPSHOTS_H_
