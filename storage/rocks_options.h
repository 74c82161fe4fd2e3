// SPDX-License-Identifier: Apache-2.0
// Every RocksDB setting that is not RocksDB's default, with its reason. Nothing else in the
// project sets one.
#ifndef FLAREDB_STORAGE_ROCKS_OPTIONS_H_
#define FLAREDB_STORAGE_ROCKS_OPTIONS_H_

#include <vector>

#include "rocksdb/db.h"

namespace flaredb::storage {

// How far the end of the write-ahead log may be trusted; decided by CheckWal before each open.
enum class WalTail {
  kWhole,  // Ends with a whole record, or with one that stops short.
  kTorn,   // The last record has its full length, but not all of it reached the disk.
};

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env, WalTail tail);

// One descriptor per Family, in the order of its values.
std::vector<rocksdb::ColumnFamilyDescriptor> MakeColumnFamilies();

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_ROCKS_OPTIONS_H_
