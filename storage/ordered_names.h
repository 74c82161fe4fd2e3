// SPDX-License-Identifier: Apache-2.0
// File names that survive a loss of power in the order in which they were made.
#ifndef FLAREDB_STORAGE_ORDERED_NAMES_H_
#define FLAREDB_STORAGE_ORDERED_NAMES_H_

#include <memory>

#include "rocksdb/env.h"

namespace flaredb::storage {

// `env` with a file system on which a file gets another name only after everything before that in
// its new directory is durable. RocksDB renames a file to CURRENT that names a manifest, and syncs
// the directory once, behind both: where the disk may take the two names in any order, a loss of
// power in between can leave a CURRENT that names a manifest that does not exist. The journals of
// ext4, XFS and btrfs keep the order by themselves; POSIX does not promise it. Costs one sync of
// the directory for each start and each new manifest.
//
// `env` is borrowed.
std::unique_ptr<rocksdb::Env> WithOrderedNames(rocksdb::Env* env);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_ORDERED_NAMES_H_
