// SPDX-License-Identifier: Apache-2.0
#include "storage/commit_writer.h"

#include "rocksdb/db.h"
#include "storage/rocks_error.h"

namespace flaredb::storage {
namespace {

// Beyond this a sync costs what its bytes cost: merging more would only delay the first of them.
constexpr size_t kMergedBytesMax = size_t{4} << 20;

}  // namespace

CommitWriter::CommitWriter(const OpenedFolder& folder, const std::vector<env::LogState>& logs)
    : folder_(folder), batch_(folder, logs) {}

absl::Status CommitWriter::WriteSome(const std::vector<env::GroupCommit>& queued, size_t& next) {
  batch_.Clear();
  do {
    batch_.Add(queued[next++]);
  } while (next < queued.size() && batch_.bytes() < kMergedBytesMax);

  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status s = folder_.db().Write(synced, &batch_.batch());
  return s.ok() ? absl::OkStatus() : ErrorFromRocks(s, "writing to disk");
}

}  // namespace flaredb::storage
