// SPDX-License-Identifier: Apache-2.0
// Everything that is read from a disk, or taken out of a log entry or a piece of a snapshot. The
// first byte says as what the rest is read. Every decoder is exact (core/base/codec.h): it refuses
// bytes with DATA_LOSS, or they are the encoding of what it returns.
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/kv/command.h"
#include "core/kv/key.h"
#include "core/kv/namespace_command.h"
#include "core/kv/namespace_state.h"
#include "core/kv/record.h"
#include "core/raft/membership.h"
#include "core/region/region.h"
#include "core/region/region_snapshot.h"
#include "core/region/state_rows.h"
#include "storage/key_space.h"
#include "storage/record_codec.h"
#include "tests/fuzz/fuzz.h"

namespace flaredb {
namespace {

constexpr RegionId kRegion(7);

void ExpectDataLoss(const absl::Status& status) {
  if (!absl::IsDataLoss(status)) FailFuzzing("refused with " + status.ToString());
}

template <typename T>
void TryExact(std::string_view bytes, absl::StatusOr<T> (*decode)(std::string_view),
              const auto& encode) {
  const absl::StatusOr<T> value = decode(bytes);
  if (!value.ok()) return ExpectDataLoss(value.status());
  if (encode(*value) != bytes) FailFuzzing("two encodings of one value");
}

// A fuzzer can't guess a checksum: the body gets the right one.
template <size_t N>
std::string Sealed(storage::Family family, const std::array<char, N>& key, std::string_view body) {
  const storage::SealBytes seal =
      storage::MakeSeal(family, std::string_view(key.data(), key.size()), {body});
  return std::string(seal.data(), seal.size()).append(body);
}

void TryEntry(std::string_view body) {
  const storage::RaftLogKey key = storage::MakeRaftLogKey(kRegion, Index(9));
  const std::string value = Sealed(storage::Family::kRaftLog, key, body);
  const auto entry = storage::DecodeEntry(std::string_view(key.data(), key.size()), value);
  if (!entry.ok()) return ExpectDataLoss(entry.status());
  const storage::EntryHead head = storage::EncodeEntryHead(entry->term, entry->kind);
  if (std::string(head.data(), head.size()).append(entry->payload) != body) {
    FailFuzzing("two encodings of one entry");
  }
}

template <typename T>
void TryState(std::string_view body, storage::RaftStateRow row,
              absl::StatusOr<T> (*decode)(std::string_view, std::string_view),
              std::string (*encode)(RegionId, const T&)) {
  const storage::RaftStateKey key = storage::MakeRaftStateKey(kRegion, row);
  const std::string value = Sealed(storage::Family::kRaftState, key, body);
  const auto state = decode(std::string_view(key.data(), key.size()), value);
  if (!state.ok()) return ExpectDataLoss(state.status());
  if (encode(kRegion, *state) != value) FailFuzzing("two encodings of one state");
}

// As written: with a seal that is wrong nearly always.
void TrySeal(std::string_view value) {
  const auto body = storage::Unseal(storage::Family::kData, "key", value);
  if (body.ok() || absl::IsFailedPrecondition(body.status())) return;
  ExpectDataLoss(body.status());
}

void TryKeys(std::string_view key) {
  if (const auto user = kv::DecodeKey(key);
      user && kv::EncodeKey(user->ns, user->user_key) != key) {
    FailFuzzing("two encodings of one key");
  }
  if (const auto row = DecodeRegionRowKey(key)) {
    if (RegionRowKey(*row) != key) FailFuzzing("two keys of one row");
  }
  if (const auto position = storage::ParseRaftLogKey(key)) {
    const storage::RaftLogKey again = storage::MakeRaftLogKey(position->region, position->index);
    if (std::string_view(again.data(), again.size()) != key) FailFuzzing("two keys of one entry");
  }
  if (const auto place = storage::ParseRaftStateKey(key)) {
    const storage::RaftStateKey again = storage::MakeRaftStateKey(place->region, place->row);
    if (std::string_view(again.data(), again.size()) != key) FailFuzzing("two keys of one state");
  }
}

// Pieces, each behind its length in one byte.
void TrySnapshot(std::string_view pieces) {
  RegionSnapshotStage stage;
  while (!pieces.empty()) {
    const auto size = static_cast<uint8_t>(pieces[0]);
    const std::string_view piece = pieces.substr(1, size);
    pieces.remove_prefix(1 + piece.size());
    if (const absl::Status s = stage.Add(piece); !s.ok()) ExpectDataLoss(s);
  }
}

}  // namespace
}  // namespace flaredb

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flaredb;
  using storage::RaftStateRow;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'r':
      TryExact(bytes, kv::DecodeRecord, kv::EncodeRecord);
      break;
    case 'c':
      TryExact(bytes, kv::DecodeCommand, kv::EncodeCommand);
      break;
    case 'n':
      TryExact(bytes, kv::DecodeNamespaceCommand, kv::EncodeNamespaceCommand);
      break;
    case 'f':
      TryExact(bytes, kv::DecodeNamespaceStates, kv::EncodeNamespaceStates);
      break;
    case 'm':
      TryExact(bytes, raft::DecodeConfState, raft::EncodeConfState);
      break;
    case 'g':
      TryExact(bytes, DecodeRegion, EncodeRegion);
      break;
    case 'a':
      TryExact(bytes, DecodeApplied, EncodeApplied);
      break;
    case 'p':
      TryExact(bytes, DecodeReplicaRow, EncodeReplicaRow);
      break;
    case 'e':
      TryEntry(bytes);
      break;
    case 's':
      TryState(bytes, RaftStateRow::kReplica, storage::DecodeReplicaState,
               storage::EncodeReplicaState);
      break;
    case 'b':
      TryState(bytes, RaftStateRow::kBase, storage::DecodeLogBase, storage::EncodeLogBase);
      break;
    case 'v':
      TrySeal(bytes);
      break;
    case 'k':
      TryKeys(bytes);
      break;
    case 't':
      TrySnapshot(bytes);
      break;
  }
  return 0;
}
