// SPDX-License-Identifier: Apache-2.0
// What a command does to a record: the state machine of a strong namespace.
#ifndef FLAREDB_CORE_KV_ENGINE_H_
#define FLAREDB_CORE_KV_ENGINE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/data_reader.h"
#include "core/base/write_batch.h"
#include "core/kv/command.h"
#include "core/kv/hlc.h"
#include "core/kv/namespace_state.h"
#include "core/kv/record.h"

namespace flaredb::kv {

// Decides one command. Pure: the answer and the new record follow from the arguments alone.
//   current          the key's record, nullopt when it never had one
//   index            the log index of the command, above that of any earlier change
//   new_record       set to what replaces `current`; left empty when nothing changes
// Rules, first match wins; "known" means that the id is unset or seen_index >= the named index:
//   the id is remembered                                 -> kApplied with the version it produced
//   live version == expected, known since changed_index  -> applied
//   live version == expected >= 1                        -> kOvertaken: versions are never reused,
//                                                           so no earlier attempt was applied
//   not known since forgotten_index                      -> kForgotten
//   live version == expected == 0                        -> kOvertaken
//   otherwise                                            -> kMismatch
WriteReply Decide(const Command& command, const std::optional<Record>& current, Index index,
                  std::optional<Record>* new_record);

// Reads the record that `command` concerns from `data`, decides, and adds the change to `batch`.
// `state` is that of the command's namespace. Fails only when the data cannot be read or decoded;
// `batch` is then unchanged.
absl::StatusOr<WriteReply> Apply(const Command& command, Index index, const NamespaceState& state,
                                 const DataReader& data, WriteBatch* batch);

// The record under an encoded key of `ns`; nullopt without one. DATA_LOSS says where it lies.
absl::StatusOr<std::optional<Record>> ReadRecord(NamespaceId ns, std::string_view encoded_key,
                                                 const DataReader& data);
absl::StatusOr<Record> DecodeRecordOf(NamespaceId ns, std::string_view bytes);

// A live key as readers see it.
struct VersionedValue {
  std::string value;
  Version version;
  Hlc hlc = {};  // Of the write that won, in an eventual namespace; zero in a strong one.

  friend bool operator==(const VersionedValue&, const VersionedValue&) = default;
};
// nullopt when the key does not exist or is deleted.
absl::StatusOr<std::optional<VersionedValue>> Get(NamespaceId ns, std::string_view key,
                                                  const DataReader& data);

struct ScanRow {
  std::string key;  // The user's key.
  std::string value;
  Version version;
  Hlc hlc = {};  // As in VersionedValue.

  friend bool operator==(const ScanRow&, const ScanRow&) = default;
};
struct ScanPage {
  std::vector<ScanRow> rows;
  // Where the next page begins; empty when the range is exhausted.
  std::string next_key;
};
// Live keys of [begin, end) in order; an empty `end` means the end of the namespace. Stops before
// exceeding `rows_max` rows or `bytes_max` bytes of keys and values, but returns at least one row
// when there is one; also stops after `visits_max` records, live or not, so that a run of
// tombstones cannot hold the turn: the page may then be empty and still have a next_key. Requires
// rows_max and visits_max of at least 1. With keys_only rows have no value and values do not count.
struct ScanLimits {
  size_t rows_max = 0;
  size_t bytes_max = 0;
  size_t visits_max = 0;
  bool keys_only = false;
};
absl::StatusOr<ScanPage> Scan(NamespaceId ns, std::string_view begin, std::string_view end,
                              const ScanLimits& limits, const DataReader& data);

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_ENGINE_H_
