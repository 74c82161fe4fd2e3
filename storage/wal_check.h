// SPDX-License-Identifier: Apache-2.0
// Is the end of the write-ahead log an interrupted write, or damage?
//
// RocksDB cannot tell: a record that runs past the end of its file counts as interrupted, even if
// that is because a bit of its length flipped; and a record with a wrong checksum counts as
// damaged, even if a loss of power kept some of its sectors from the disk. The first would lose
// acknowledged writes in silence, the second would keep a healthy store from starting.
//
// What is known here and not there: each record was synced before the next one was written. So
//   - a bad record with a good one behind it was acknowledged: damage;
//   - a last record that stops short is an interrupted write, unless its checksum fits the bytes
//     that are there: then its length is wrong, which is damage;
//   - a last record of full length is damaged if one flipped bit explains what is wrong with it;
//   - otherwise it is an interrupted write only if what it has of some sector is missing (reads as
//     zeros): a sector is written as a unit, so damage within one is damage.
// What remains undecidable: a very last record that is damaged in more than one bit and also has
// nothing but zeros of its own in some sector is taken for an interrupted write.
#ifndef FLAREDB_STORAGE_WAL_CHECK_H_
#define FLAREDB_STORAGE_WAL_CHECK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "rocksdb/env.h"
#include "storage/rocks_options.h"

namespace flaredb::storage {

enum class LogEnd : uint8_t { kWhole, kShort, kTorn, kDamaged };

struct LogScan {
  LogEnd end = LogEnd::kWhole;
  uint64_t good_bytes = 0;      // Length of the prefix of whole, valid batches.
  uint64_t batches = 0;         // Number of them.
  uint64_t first_sequence = 0;  // RocksDB's sequence number of the first one; 0 without any.
  uint64_t next_sequence = 0;   // One past the last one's; 0 without any.
};
struct ManifestScan {
  LogEnd end = LogEnd::kWhole;
  uint64_t good_bytes = 0;
  // The greatest sequence number of all files that the manifest lists, or ever listed.
  uint64_t last_sequence = 0;
};

// Judges one log file by its content. O(size); a damaged one may cost O(size * 32 KiB).
LogScan ScanWal(std::string_view content);
// The same of a manifest, which has the same format.
ManifestScan ScanManifest(std::string_view content);

// Judges all log files of `folder` together. They must continue each other, and what the manifest
// says: a file or an end of one that is missing leaves a gap in the sequence numbers.
//   flushed  the manifest's last_sequence
// DATA_LOSS names the file and the offset.
absl::StatusOr<WalTail> CheckWal(rocksdb::Env* env, const std::string& folder, uint64_t flushed);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_WAL_CHECK_H_
