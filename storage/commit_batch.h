// SPDX-License-Identifier: Apache-2.0
// Group commits, as one RocksDB batch.
#ifndef FLAREDB_STORAGE_COMMIT_BATCH_H_
#define FLAREDB_STORAGE_COMMIT_BATCH_H_

#include <cstddef>
#include <map>
#include <vector>

#include "core/base/types.h"
#include "core/env/disk.h"
#include "rocksdb/write_batch.h"
#include "storage/open_folder.h"
#include "storage/record_codec.h"

namespace flaredb::storage {

// Collects any number of group commits. Knows each replica's state row and where its log ends,
// since a group commit states changes of them. One thread.
class CommitBatch {
 public:
  // `folder` is borrowed; `logs` is what it holds.
  CommitBatch(const OpenedFolder& folder, const std::vector<env::LogState>& logs);

  // Adds `commit` behind what is there. Payloads are copied once, into the batch. Requires that
  // logs stay without gaps; that bases move forward, and except for an install or a first write not
  // beyond the end; that a region's first write, and only that, has `create`; and that a replica
  // that is destroyed is there.
  void Add(const env::GroupCommit& commit);

  size_t bytes() const { return batch_.GetDataSize(); }
  rocksdb::WriteBatch& batch() { return batch_; }
  // Empties the batch; what was added counts as written. Keeps the capacity.
  void Clear() { batch_.Clear(); }

 private:
  struct Replica {
    ReplicaState state;
    Index base;
    Index last_index;
  };

  void AddLog(const env::LogWrite& write);
  void Destroy(const env::LogWrite& write);
  // The first part of a persist. Deletes what the base leaves behind and puts the base's row.
  void MoveBase(RegionId region, const raft::LogBase& base, bool install, bool creates,
                Replica& replica);
  void AddData(const WriteBatch& data);
  void PutBase(RegionId region, const raft::LogBase& base);
  void PutEntry(RegionId region, const raft::EntryView& entry);
  // Removes the entries [first, last], of which there may be none.
  void DeleteEntries(RegionId region, Index first, Index last);

  const OpenedFolder& folder_;
  std::map<RegionId, Replica> replicas_;
  rocksdb::WriteBatch batch_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_COMMIT_BATCH_H_
