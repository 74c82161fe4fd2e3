// SPDX-License-Identifier: Apache-2.0
#include "storage/record_codec.h"

// Inlined: the streaming state lives on the stack, and short values are hashed without a call.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/codec.h"
#include "core/base/strings.h"
#include "core/raft/membership.h"
#include "storage/bytes.h"

namespace flaredb::storage {
namespace {

constexpr uint8_t kFormatVersion = 1;

// Everything that places a body: the hash of its key, seeded with family and format version. Used
// as the seed for the hash of the body, so key and body need not lie side by side.
uint64_t PlaceHash(uint8_t version, Family family, std::string_view key) {
  const uint64_t seed = uint64_t{version} << 8 | static_cast<uint8_t>(family);
  return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

std::string Place(Family family, std::string_view key) {
  return absl::StrCat("column family ", ToAbsl(FamilyName(family)), ", key ", Hex(key));
}

std::string SealedState(RegionId region, RaftStateRow row, std::string_view body) {
  const RaftStateKey key = MakeRaftStateKey(region, row);
  const SealBytes seal = MakeSeal(Family::kRaftState, View(key), {body});
  return std::string(View(seal)).append(body);
}

absl::Status Damaged(Family family, std::string_view key, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("damaged record: ", ToAbsl(what), " (", Place(family, key), ")"));
}

}  // namespace

SealBytes MakeSeal(Family family, std::string_view key,
                   std::initializer_list<std::string_view> body) {
  const uint64_t place = PlaceHash(kFormatVersion, family, key);
  SealBytes seal;
  seal[0] = kFormatVersion;
  if (body.size() == 1) {
    const std::string_view only = *body.begin();
    StoreBe64(seal.data() + 1, XXH3_64bits_withSeed(only.data(), only.size(), place));
    return seal;
  }
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, place);
  for (std::string_view part : body) XXH3_64bits_update(&state, part.data(), part.size());
  StoreBe64(seal.data() + 1, XXH3_64bits_digest(&state));
  return seal;
}

absl::StatusOr<std::string_view> Unseal(Family family, std::string_view key,
                                        std::string_view value) {
  if (value.size() < kSealBytes) return Damaged(family, key, "shorter than its seal");
  const uint8_t version = static_cast<uint8_t>(value[0]);
  const std::string_view body = value.substr(kSealBytes);
  const uint64_t actual =
      XXH3_64bits_withSeed(body.data(), body.size(), PlaceHash(version, family, key));
  if (actual != LoadBe64(value.data() + 1)) return Damaged(family, key, "checksum mismatch");
  // Behind the checksum: an unknown version is then a fact, not a flipped bit.
  if (version != kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("record format ", version, " is not known to this program, which knows ",
                     kFormatVersion, " (", Place(family, key), "): use a newer one"));
  }
  return body;
}

EntryHead EncodeEntryHead(Term term, raft::EntryKind kind) {
  EntryHead head;
  StoreBe64(head.data(), term.value());
  head[8] = static_cast<char>(kind);
  return head;
}

absl::StatusOr<raft::EntryView> DecodeEntry(std::string_view key, std::string_view value) {
  const std::optional<LogPosition> position = ParseRaftLogKey(key);
  if (!position) return Damaged(Family::kRaftLog, key, "not a log key");
  const absl::StatusOr<std::string_view> body = Unseal(Family::kRaftLog, key, value);
  if (!body.ok()) return body.status();
  if (body->size() < kEntryHeadBytes) return Damaged(Family::kRaftLog, key, "entry too short");
  const uint8_t kind = static_cast<uint8_t>((*body)[8]);
  if (kind > static_cast<uint8_t>(raft::EntryKind::kConf)) {
    return Damaged(Family::kRaftLog, key, "unknown kind of entry");
  }
  return raft::EntryView{position->index, Term(LoadBe64(body->data())),
                         static_cast<raft::EntryKind>(kind), body->substr(kEntryHeadBytes)};
}

std::string EncodeReplicaState(RegionId region, const ReplicaState& state) {
  ByteWriter writer;
  writer.U64(state.incarnation.value());
  writer.U64(state.hard_state.term.value());
  writer.U64(state.hard_state.vote.value());
  return SealedState(region, RaftStateRow::kReplica, writer.Take());
}

absl::StatusOr<ReplicaState> DecodeReplicaState(std::string_view key, std::string_view value) {
  const absl::StatusOr<std::string_view> body = Unseal(Family::kRaftState, key, value);
  if (!body.ok()) return body.status();
  ByteReader reader(*body);
  ReplicaState state;
  state.incarnation = Incarnation(reader.U64());
  state.hard_state.term = Term(reader.U64());
  state.hard_state.vote = PeerId(reader.U64());
  reader.Require(static_cast<bool>(state.incarnation), "an incarnation is not zero");
  const absl::Status decoded = reader.Finish(absl::StrCat("replica state under key ", Hex(key)));
  if (!decoded.ok()) return decoded;
  return state;
}

std::string EncodeLogBase(RegionId region, const raft::LogBase& base) {
  ByteWriter writer;
  writer.U64(base.last.term.value());
  writer.U64(base.last.index.value());
  writer.Raw(raft::EncodeConfState(base.conf));
  return SealedState(region, RaftStateRow::kBase, writer.Take());
}

absl::StatusOr<raft::LogBase> DecodeLogBase(std::string_view key, std::string_view value) {
  const absl::StatusOr<std::string_view> body = Unseal(Family::kRaftState, key, value);
  if (!body.ok()) return body.status();
  ByteReader reader(*body);
  raft::LogBase base;
  base.last.term = Term(reader.U64());
  base.last.index = Index(reader.U64());
  reader.Require(static_cast<bool>(base.last.term) == static_cast<bool>(base.last.index),
                 "a base has a term and an index, or neither");
  const std::string_view conf = reader.Rest();
  const std::string what = absl::StrCat("log base under key ", Hex(key));
  if (absl::Status s = reader.Finish(what); !s.ok()) return s;
  absl::StatusOr<raft::ConfState> decoded = raft::DecodeConfState(conf);
  if (!decoded.ok()) {
    return absl::DataLossError(absl::StrCat(what, ": ", decoded.status().message()));
  }
  base.conf = *std::move(decoded);
  return base;
}

std::string Hex(std::string_view bytes) {
  constexpr size_t kShown = 64;
  std::string hex = absl::BytesToHexString(ToAbsl(bytes.substr(0, kShown)));
  if (bytes.size() > kShown) absl::StrAppend(&hex, "... (", bytes.size(), " bytes)");
  return hex;
}

}  // namespace flaredb::storage
