// SPDX-License-Identifier: Apache-2.0
// Is the end of the manifest an interrupted write, or damage?
//
// The manifest lists the files of the database, in the format of the write-ahead log, and RocksDB
// judges its end in the same two wrong ways (storage/wal_check.h): a record that a loss of power
// kept some sectors of counts as damage, and a last record whose length has a flipped bit as
// interrupted: then the files that it lists are deleted, with what they hold.
#ifndef FLAREDB_STORAGE_MANIFEST_CHECK_H_
#define FLAREDB_STORAGE_MANIFEST_CHECK_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/env.h"

namespace flaredb::storage {

// Checks the manifest of the database in `folder` and returns its ManifestScan::last_sequence;
// without a manifest there is nothing to check, and 0.
//   may_cut  an interrupted record is cut off: nothing was done yet that depends on it
// DATA_LOSS names the manifest and the offset. FAILED_PRECONDITION: there is something to cut, but
// it may not be.
absl::StatusOr<uint64_t> CheckManifest(rocksdb::Env* env, const std::string& folder, bool may_cut);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_MANIFEST_CHECK_H_
