// SPDX-License-Identifier: Apache-2.0
#include "core/kv/namespace_command.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/probe.h"
#include "core/kv/engine.h"
#include "core/kv/key.h"

namespace flaredb::kv {

namespace {

constexpr uint8_t kFormat = 1;
enum Kind : uint8_t { kLwwBatch = 1, kModeFence = 2, kCollectTombstones = 3 };

// Everything of a row but its key and value; no more than this.
constexpr size_t kRowRoom = 32;

void Put(const LwwBatch& batch, ByteWriter* out) {
  out->U8(kLwwBatch);
  out->Varint(static_cast<uint32_t>(batch.ns));
  out->Varint(batch.mode_epoch.value());
  INVARIANT(!batch.rows.empty());
  out->Varint(batch.rows.size());
  for (const LwwRow& row : batch.rows) {
    INVARIANT(row.hlc && row.origin);
    INVARIANT(!row.deleted || row.value.empty());
    out->U8(row.deleted ? 1 : 0);
    out->U64(row.hlc.value());
    out->Varint(row.origin.value());
    out->Bytes(row.key);
    if (!row.deleted) out->Bytes(row.value);
  }
}

void Put(const ModeFence& fence, ByteWriter* out) {
  out->U8(kModeFence);
  out->Varint(static_cast<uint32_t>(fence.ns));
  out->U8(static_cast<uint8_t>(fence.fence.mode));
  out->Varint(fence.fence.mode_epoch.value());
  out->U64(fence.fence.base_hlc.value());
}

void Put(const CollectTombstones& collect, ByteWriter* out) {
  out->U8(kCollectTombstones);
  out->Varint(static_cast<uint32_t>(collect.ns));
  out->U64(collect.before.value());
  out->Bytes(collect.begin);
  out->Bytes(collect.end);
  INVARIANT(collect.records_max > 0);
  out->Varint(collect.records_max);
}

NamespaceId TakeNamespace(ByteReader* in) {
  const uint64_t ns = in->Varint();
  in->Require(ns != 0 && ns <= UINT32_MAX, "a namespace id has 32 bits and is not 0");
  return NamespaceId{static_cast<uint32_t>(ns)};
}

LwwRow TakeRow(ByteReader* in) {
  LwwRow row;
  const uint8_t deleted = in->U8();
  in->Require(deleted <= 1, "a flag is 0 or 1");
  row.deleted = deleted == 1;
  row.hlc = Hlc(in->U64());
  row.origin = StoreId(in->Varint());
  in->Require(row.hlc && row.origin, "a row has a time and an origin");
  row.key = in->Bytes();
  if (!row.deleted) row.value = in->Bytes();
  return row;
}

LwwBatch TakeLwwBatch(ByteReader* in) {
  LwwBatch batch;
  batch.ns = TakeNamespace(in);
  batch.mode_epoch = ModeEpoch(in->Varint());
  const uint64_t rows = in->Varint();
  in->Require(rows != 0, "a batch has rows");
  for (uint64_t i = 0; in->ok() && i < rows; ++i) batch.rows.push_back(TakeRow(in));
  return batch;
}

ModeFence TakeModeFence(ByteReader* in) {
  ModeFence command;
  command.ns = TakeNamespace(in);
  command.fence.mode = Mode{in->U8()};
  in->Require(command.fence.mode == Mode::kStrong || command.fence.mode == Mode::kEventual,
              "a mode is known to this program");
  command.fence.mode_epoch = ModeEpoch(in->Varint());
  in->Require(static_cast<bool>(command.fence.mode_epoch), "a mode epoch is at least 1");
  command.fence.base_hlc = Hlc(in->U64());
  return command;
}

CollectTombstones TakeCollectTombstones(ByteReader* in) {
  CollectTombstones collect;
  collect.ns = TakeNamespace(in);
  collect.before = Hlc(in->U64());
  collect.begin = in->Bytes();
  collect.end = in->Bytes();
  collect.records_max = in->Varint();
  in->Require(collect.records_max > 0, "a collection looks at records");
  return collect;
}

NamespaceCommand TakeCommand(ByteReader* in) {
  in->FormatVersion(kFormat);
  switch (in->U8()) {
    case kLwwBatch:
      return TakeLwwBatch(in);
    case kModeFence:
      return TakeModeFence(in);
    case kCollectTombstones:
      return TakeCollectTombstones(in);
  }
  in->Require(false, "the kind of command is known to this program");
  return {};
}

absl::Status Carry(const LwwBatch& batch, Index index, const DataReader& data,
                   NamespaceReply* reply, WriteBatch* out) {
  // A batch may have several rows of a key: each sees those before it.
  std::map<std::string, std::optional<Record>> records;
  for (const LwwRow& row : batch.rows) {
    auto [at, is_new] = records.try_emplace(EncodeKey(batch.ns, row.key));
    if (is_new) {
      absl::StatusOr<std::optional<Record>> record = ReadRecord(batch.ns, at->first, data);
      if (!record.ok()) return record.status();
      at->second = *std::move(record);
    }
    Merge(row, reply->state, index, &at->second);
  }
  for (auto& [key, record] : records) {
    if (record && record->changed_index == index) out->Put(key, EncodeRecord(*record));
  }
  return absl::OkStatus();
}

absl::Status Carry(const ModeFence& command, Index, const DataReader&, NamespaceReply* reply,
                   WriteBatch*) {
  std::optional<Fence>& fence = reply->state.fence;
  SOMETIMES(kFenceTooOld, fence && fence->mode_epoch > command.fence.mode_epoch);
  if (!fence || fence->mode_epoch < command.fence.mode_epoch) fence = command.fence;
  return absl::OkStatus();
}

absl::Status Carry(const CollectTombstones& collect, Index index, const DataReader& data,
                   NamespaceReply* reply, WriteBatch* out) {
  const std::optional<Fence>& fence = reply->state.fence;
  Floors& floors = reply->state.floors;
  uint64_t records = 0;
  absl::Status defect;
  const KeyRange range = EncodeRange(collect.ns, collect.begin, collect.end);
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    if (records++ == collect.records_max) {
      reply->next = DecodeKey(key)->user_key;
      return false;
    }
    const absl::StatusOr<Record> record = DecodeRecordOf(collect.ns, bytes);
    defect = record.status();
    if (!record.ok()) return false;
    // One without a time is a strong deletion, from before the namespace was eventual.
    const Hlc base = fence ? fence->base_hlc : Hlc();
    const Hlc deleted_at = record->hlc ? record->hlc : base;
    SOMETIMES(kCollectKeeps, record->tombstone && deleted_at >= collect.before);
    if (!record->tombstone || deleted_at >= collect.before) return true;
    REACHED(kCollected);
    floors.version = std::max(floors.version, record->version);
    floors.index = index;
    floors.collected_hlc = std::max(floors.collected_hlc, collect.before);
    out->Delete(std::string(key));
    return true;
  };
  absl::Status status = data.Scan(range.begin, range.end, visit);
  status.Update(defect);
  return status;
}

bool Admitted(const NamespaceCommand& command, const NamespaceState& state) {
  if (const auto* batch = std::get_if<LwwBatch>(&command)) {
    return state.Admits(Mode::kEventual, batch->mode_epoch);
  }
  return std::holds_alternative<ModeFence>(command) || state.Admits(Mode::kEventual);
}

}  // namespace

FLAREDB_DEFINE_VARIANT(NamespaceCommand)

NamespaceId NamespaceOf(const NamespaceCommand& command) {
  return std::visit([](const auto& c) { return c.ns; }, command);
}

size_t RoughBytes(const NamespaceCommand& command) {
  size_t bytes = kRowRoom;
  if (const auto* batch = std::get_if<LwwBatch>(&command)) {
    for (const LwwRow& row : batch->rows) {
      bytes += kRowRoom + row.key.size() + row.value.size();
    }
  } else if (const auto* collect = std::get_if<CollectTombstones>(&command)) {
    bytes += collect->begin.size() + collect->end.size();
  }
  return bytes;
}

std::string EncodeNamespaceCommand(const NamespaceCommand& command) {
  INVARIANT(NamespaceOf(command) != NamespaceId::kNone);
  ByteWriter out(RoughBytes(command));
  out.U8(kFormat);
  std::visit([&](const auto& c) { Put(c, &out); }, command);
  return out.Take();
}

absl::StatusOr<NamespaceCommand> DecodeNamespaceCommand(std::string_view bytes) {
  ByteReader in(bytes);
  NamespaceCommand command = TakeCommand(&in);
  if (absl::Status status = in.Finish("a command on a namespace"); !status.ok()) return status;
  return command;
}

absl::StatusOr<NamespaceReply> Apply(const NamespaceCommand& command, Index index,
                                     const DataReader& data, NamespaceState* state,
                                     WriteBatch* batch) {
  NamespaceReply reply{Admitted(command, *state), *state};
  if (!reply.admitted) return reply;
  WriteBatch changes;
  const absl::Status status =
      std::visit([&](const auto& c) { return Carry(c, index, data, &reply, &changes); }, command);
  if (!status.ok()) return status;
  *state = reply.state;
  for (Mutation& each : changes.mutations) batch->mutations.push_back(std::move(each));
  return reply;
}

}  // namespace flaredb::kv
