// SPDX-License-Identifier: Apache-2.0
#include "core/store/replica_snapshots.h"

#include <utility>

#include "core/base/check.h"

namespace flaredb::store {

absl::StatusOr<Index> ReplicaSnapshots::Take(raft::SnapshotId id, RegionId region,
                                             const DataSource& source) {
  absl::StatusOr<RegionSnapshotReader> reader = RegionSnapshotReader::Open(region, source.Pin());
  if (!reader.ok()) return reader.status();
  const Index applied = reader->applied().index;
  views_.emplace(id, *std::move(reader));
  return applied;
}

absl::StatusOr<SnapshotPiece> ReplicaSnapshots::Read(const raft::ReadSnapshot& read) {
  const auto view = views_.find(read.id);
  INVARIANT(view != views_.end()) << "snapshot " << read.id << " was not taken, or is dropped";
  return view->second.Read(read.number, read.bytes_max);
}

absl::Status ReplicaSnapshots::Stage(const raft::SnapshotChunk& chunk) {
  if (chunk.number == 0) Unstage();
  return stage_.Add(chunk.data);
}

}  // namespace flaredb::store
