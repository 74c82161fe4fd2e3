// SPDX-License-Identifier: Apache-2.0
// Raft logs and replica states, read from the disk.
#ifndef FLAREDB_STORAGE_LOG_READER_H_
#define FLAREDB_STORAGE_LOG_READER_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/raft/entry_slices.h"
#include "storage/open_folder.h"

namespace flaredb::storage {

// Every replica's Raft state, by region id. Reads and checks each entry once: O(bytes of all logs).
// DATA_LOSS names region and index: a gap, a term that goes backwards or beyond the hard state's,
// a configuration that cannot be decoded, an entry of no replica, a replica with one of its two
// rows, anything that fails its checksum.
absl::StatusOr<std::vector<env::LogState>> ReadLogStates(const OpenedFolder& folder);

// The entries from `first` on: up to `last`, up to the first gap, and up to `bytes_max` payload
// bytes, but at least one. NOT_FOUND: there is none at `first`, as when it was truncated or
// fell behind the base after the caller asked. DATA_LOSS: an entry in the range is damaged.
// Requires first <= last.
absl::StatusOr<raft::EntrySlices> ReadEntries(const OpenedFolder& folder, RegionId region,
                                              Index first, Index last, size_t bytes_max);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_LOG_READER_H_
