// SPDX-License-Identifier: Apache-2.0
// RocksDB's errors in our words.
#ifndef FLAREDB_STORAGE_ROCKS_ERROR_H_
#define FLAREDB_STORAGE_ROCKS_ERROR_H_

#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/status.h"

namespace flaredb::storage {

// Requires !status.ok(). One sentence: `what` was being done, what is wrong, what to do about it.
//   Corruption                   DATA_LOSS
//   lock held by another process FAILED_PRECONDITION
//   permission denied            PERMISSION_DENIED
//   no space left                RESOURCE_EXHAUSTED
//   anything else                INTERNAL
absl::Status ErrorFromRocks(const rocksdb::Status& status, std::string_view what);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_ROCKS_ERROR_H_
