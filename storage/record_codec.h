// SPDX-License-Identifier: Apache-2.0
// What every value on disk looks like: sealed by a checksum that knows where the value belongs.
//
// RocksDB's block checksums stop at its own files: they say nothing about a value that was put
// under another key, came from another column family, or was damaged in memory before it was
// written. A seal does: value and key are checked together, end to end, at each read.
#ifndef FLAREDB_STORAGE_RECORD_CODEC_H_
#define FLAREDB_STORAGE_RECORD_CODEC_H_

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/raft/entry.h"
#include "core/raft/types.h"
#include "storage/key_space.h"

namespace flaredb::storage {

// Format version (1 byte) and checksum (XXH3-64, big-endian), in front of the body.
inline constexpr size_t kSealBytes = 9;
using SealBytes = std::array<char, kSealBytes>;

// The seal of the value whose body is the concatenation of `body`. The parts are not copied.
SealBytes MakeSeal(Family family, std::string_view key,
                   std::initializer_list<std::string_view> body);

// The body of `value`, borrowed from it. DATA_LOSS: the value is not what was written under this
// key of this family; FAILED_PRECONDITION: a newer program wrote it. The text names both in hex.
absl::StatusOr<std::string_view> Unseal(Family family, std::string_view key,
                                        std::string_view value);

// A log entry's body is this head and then its payload. The index is in the key.
inline constexpr size_t kEntryHeadBytes = 9;
using EntryHead = std::array<char, kEntryHeadBytes>;
EntryHead EncodeEntryHead(Term term, raft::EntryKind kind);

// Unseals and decodes; `payload` is borrowed from `value`. Errors as Unseal.
absl::StatusOr<raft::EntryView> DecodeEntry(std::string_view key, std::string_view value);

// One replica's durable Raft facts beside its log and what lies before that.
struct ReplicaState {
  Incarnation incarnation;  // Never zero.
  raft::HardState hard_state;

  friend bool operator==(const ReplicaState&, const ReplicaState&) = default;
};
// The whole value, sealed for MakeRaftStateKey(region, kReplica).
std::string EncodeReplicaState(RegionId region, const ReplicaState& state);
absl::StatusOr<ReplicaState> DecodeReplicaState(std::string_view key, std::string_view value);

// As above, for MakeRaftStateKey(region, kBase).
std::string EncodeLogBase(RegionId region, const raft::LogBase& base);
absl::StatusOr<raft::LogBase> DecodeLogBase(std::string_view key, std::string_view value);

// Lower-case hexadecimal, for the texts of errors; long input is cut and says so.
std::string Hex(std::string_view bytes);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_RECORD_CODEC_H_
