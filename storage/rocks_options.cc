// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_options.h"

#include <memory>
#include <string>

#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "storage/key_space.h"

namespace flaredb::storage {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

rocksdb::ColumnFamilyOptions MakeFamily(const std::shared_ptr<rocksdb::Cache>& cache,
                                        Family family) {
  rocksdb::BlockBasedTableOptions table;
  // Also the default of this RocksDB, but it is part of our format: not to change with a package.
  table.checksum = rocksdb::kXXH3;
  // One cache for all, and indexes and filters inside it: the bound below is then the bound.
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  if (family == Family::kData) {
    // A compare-and-swap of a new key asks for a key that is not there: answered without a read.
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  }

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // Memtables fill in pieces, so an idle store does not pay these; a busy one stops here.
  const bool small = family == Family::kMeta || family == Family::kRaftState;
  options.write_buffer_size = small ? 1 * kMiB : 4 * kMiB;
  // Log entries are read once, at a restart or by a follower far behind, and die young: the
  // cycles are worth more than the bytes. The state rows are incompressible.
  options.compression =
      family == Family::kData ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  // Reads back each new file before the ones it replaces are deleted: a bad write of a compaction
  // is met while there is still another copy.
  options.paranoid_file_checks = true;
  return options;
}

}  // namespace

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env, WalTail tail) {
  rocksdb::DBOptions options;
  options.env = env;
  // OpenFolder has decided before that the folder is new or ours.
  options.create_if_missing = true;
  options.create_missing_column_families = true;

  // Nothing acknowledged may vanish, so RocksDB's default (kPointInTimeRecovery: stop quietly at
  // the first bad record, wherever it is) is wrong here: after a flipped bit in the middle it
  // would serve an old state as if it were the new one. This mode refuses damage and forgives only
  // a last record that stops short: the write that a crash interrupted, which nobody was told of.
  // One torn write looks different: after a loss of power its length may be on disk while some of
  // its sectors are not. CheckWal tells that case from damage; only then the default is right.
  options.wal_recovery_mode = tail == WalTail::kTorn
                                  ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                  : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // A closed log that went missing or shorter is noticed at the next open.
  options.track_and_verify_wals_in_manifest = true;
  // A rarely written family (raft_state of a quiet group) pins every log since its last flush:
  // beyond this it is flushed, so that restart time and disk space stay bounded.
  options.max_total_wal_size = 64 * kMiB;
  // After a failed write the store stops for good (see RocksDisk::Write): no healing on its
  // own, which could make a write durable that was reported as failed.
  options.max_bgerror_resume_count = 0;

  // Bounds all memtables together.
  options.db_write_buffer_size = 12 * kMiB;
  // One flush and one compaction at a time: the cores belong to the event loop.
  options.max_background_jobs = 2;
  // A folder has few files; 16 threads to open them is RocksDB's default.
  options.max_file_opening_threads = 1;
  // Bounds file descriptors and the memory of open tables.
  options.max_open_files = 256;
  // There is one writer thread: no group of writers to form, no spinning while waiting for it.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  // No periodic wake-ups: an idle store sleeps.
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;

  // RocksDB's own diary: warnings only, at most 2 MiB.
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 1 * kMiB;
  options.keep_log_file_num = 2;
  // The manifest is read whole at each start; the default lets it grow to 1 GiB.
  options.max_manifest_file_size = 4 * kMiB;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> MakeColumnFamilies() {
  // One shard: 64 would each get too little of it to hold a block.
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(8 * kMiB, 0);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t i = 0; i < kFamilies; ++i) {
    const Family family = static_cast<Family>(i);
    families.emplace_back(std::string(FamilyName(family)), MakeFamily(cache, family));
  }
  return families;
}

}  // namespace flaredb::storage
