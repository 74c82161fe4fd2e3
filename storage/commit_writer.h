// SPDX-License-Identifier: Apache-2.0
// Group commits on their way to the disk: what the writer thread does, without the thread.
#ifndef FLAREDB_STORAGE_COMMIT_WRITER_H_
#define FLAREDB_STORAGE_COMMIT_WRITER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "core/env/disk.h"
#include "storage/commit_batch.h"
#include "storage/open_folder.h"

namespace flaredb::storage {

// One thread.
class CommitWriter {
 public:
  // `folder` is borrowed; `logs` is what it holds.
  CommitWriter(const OpenedFolder& folder, const std::vector<env::LogState>& logs);

  // Writes commits of `queued` from number `next` on as one synced batch, at least one, and steps
  // over them: they are durable. After an error nothing may be written any more: what the disk
  // holds then is unknown, and even a retry that succeeds proves nothing about pages that a failed
  // sync dropped.
  absl::Status WriteSome(const std::vector<env::GroupCommit>& queued, size_t& next);

 private:
  const OpenedFolder& folder_;
  CommitBatch batch_;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_COMMIT_WRITER_H_
