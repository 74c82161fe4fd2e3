// SPDX-License-Identifier: Apache-2.0
// The content of a region's snapshot (thesis 5): read in pieces from a view of the sender's data,
// staged at the receiver until it takes the place of what is there. docs/FORMAT.md has the bytes.
#ifndef FLAREDB_CORE_REGION_REGION_SNAPSHOT_H_
#define FLAREDB_CORE_REGION_REGION_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/codec.h"
#include "core/base/data_reader.h"
#include "core/base/types.h"
#include "core/base/write_batch.h"
#include "core/kv/key.h"
#include "core/kv/namespace_state.h"
#include "core/raft/types.h"
#include "core/region/region.h"

namespace flaredb {

// One piece, as one message carries it.
struct SnapshotPiece {
  std::string bytes;
  bool last = false;
};

// Reads the pieces in order; holds the view and no row between two calls.
class RegionSnapshotReader {
 public:
  // Reads from `view`, which must not change any more, what the snapshot is of. DATA_LOSS when the
  // rows that say so are missing or damaged.
  static absl::StatusOr<RegionSnapshotReader> Open(RegionId region,
                                                   std::unique_ptr<DataReader> view);

  const Region& region() const { return region_; }
  // The snapshot stands for all entries up to here.
  raft::LogId applied() const { return applied_; }

  // Piece `number`: as many rows as have at most `bytes_max` bytes of keys and values, but at least
  // one while there are any. The same number and `bytes_max` give the same bytes again. After a
  // failure, which is the view's, the same piece may be asked for again.
  // Requires that `number` is 0, which begins anew, or follows the last one read, which was not the
  // last piece.
  absl::StatusOr<SnapshotPiece> Read(uint64_t number, size_t bytes_max);

 private:
  RegionSnapshotReader(std::unique_ptr<DataReader> view, Region region, raft::LogId applied,
                       kv::NamespaceStates namespaces);

  std::unique_ptr<DataReader> view_;
  Region region_;
  raft::LogId applied_;
  kv::NamespaceStates namespaces_;
  kv::KeyRange rest_;  // Of the rows: [begin, end) was not read yet.
  uint64_t next_number_ = 0;
  bool ended_ = false;
};

// Takes the pieces in and keeps all their rows in memory: a region's data must fit there.
class RegionSnapshotStage {
 public:
  // The next piece. Number 0 throws away what was staged before. DATA_LOSS when the bytes are not a
  // piece, or not the one that follows; then every other piece is refused until number 0 comes.
  absl::Status Add(std::string_view bytes);

  // Adds to `batch` what turns the replica into the snapshot: the rows of its range as it was and
  // as it will be that the snapshot lacks are deleted, all others, the region row and the applied
  // row are put. Afterwards the stage is empty.
  //   now      shows the data with all that comes before `batch`
  //   applied  what the snapshot must stand for
  //   region   the replica's region: an uninitialized one has nothing to delete outside of the new
  //            range. Becomes the snapshot's.
  //   namespaces   becomes what the snapshot's region knows of them
  // DATA_LOSS when the last piece was not added, or the snapshot is of something else; or whatever
  // `now` fails with. Then `region` and `batch` have not changed.
  // Requires that no other region's data lies in either range. O(rows there + rows staged).
  absl::Status Finish(const DataReader& now, raft::LogId applied, Region* region,
                      kv::NamespaceStates* namespaces, WriteBatch* batch);

 private:
  // Takes in what follows the number of a piece, up to the first defect.
  absl::Status AddFields(ByteReader* in);

  absl::Status defect_;  // Of the first piece that was refused.
  uint64_t next_number_ = 0;
  bool complete_ = false;
  Region region_;
  raft::LogId applied_;
  kv::NamespaceStates namespaces_;
  WriteBatch puts_;  // The rows, ascending.
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_REGION_REGION_SNAPSHOT_H_
