// SPDX-License-Identifier: Apache-2.0
#include "core/region/region_machine.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/strings.h"
#include "core/kv/engine.h"
#include "core/kv/key.h"
#include "core/raft/membership.h"
#include "core/region/state_rows.h"

namespace flaredb {

namespace {

// The format of a region command tells what kind of command it carries.
constexpr uint8_t kKvFormat = 1;
constexpr uint8_t kMachineFormat = 2;
constexpr uint8_t kNamespaceFormat = 3;
constexpr size_t kHeaderBytesMax = 21;

uint8_t FormatOf(const Command& command) {
  if (std::holds_alternative<MachineCommand>(command)) return kMachineFormat;
  return std::holds_alternative<kv::Command>(command) ? kKvFormat : kNamespaceFormat;
}

bool Holds(const Region& region, const kv::Command& command) {
  return region.Contains(
      std::visit([](const auto& c) { return kv::EncodeKey(c.ns, c.key); }, command));
}
bool Holds(const Region& region, const MachineCommand& command) {
  return region.Contains(ObjectPrefix(command.object));
}
}  // namespace

FLAREDB_DEFINE_VARIANT(Command)
FLAREDB_DEFINE_VARIANT(ApplyReply)

bool Holds(const Region& region, const kv::NamespaceCommand& command) {
  if (const auto* batch = std::get_if<kv::LwwBatch>(&command)) {
    return std::all_of(batch->rows.begin(), batch->rows.end(), [&](const kv::LwwRow& row) {
      return region.Contains(kv::EncodeKey(batch->ns, row.key));
    });
  }
  if (const auto* collect = std::get_if<kv::CollectTombstones>(&command)) {
    const kv::KeyRange range = kv::EncodeRange(collect->ns, collect->begin, collect->end);
    return region.Contains(range.begin) && (region.end_key.empty() || range.end <= region.end_key);
  }
  return true;
}

std::string EncodeRegionCommand(const RegionCommand& command) {
  const auto* own = std::get_if<MachineCommand>(&command.command);
  std::string bytes;
  if (own != nullptr) {
    bytes = own->bytes;
  } else if (const auto* record = std::get_if<kv::Command>(&command.command)) {
    bytes = kv::EncodeCommand(*record);
  } else {
    bytes = kv::EncodeNamespaceCommand(std::get<kv::NamespaceCommand>(command.command));
  }
  ByteWriter out(kHeaderBytesMax + bytes.size());
  out.U8(FormatOf(command.command));
  out.Varint(command.epoch.conf_version);
  out.Varint(command.epoch.version);
  if (own != nullptr) out.Bytes(own->object);
  out.Raw(bytes);
  return out.Take();
}

absl::StatusOr<RegionCommand> DecodeRegionCommand(std::string_view bytes) {
  ByteReader in(bytes);
  const uint8_t format = in.U8();
  const bool own = format == kMachineFormat;
  in.Require(own || format == kKvFormat || format == kNamespaceFormat,
             "the format version is known to this program");
  RegionEpoch epoch;
  epoch.conf_version = in.Varint();
  epoch.version = in.Varint();
  const std::string_view object = own ? in.Bytes() : std::string_view();
  const std::string_view rest = in.Rest();
  if (absl::Status status = in.Finish("a region command"); !status.ok()) return status;
  if (own) return RegionCommand{epoch, MachineCommand{std::string(object), std::string(rest)}};
  if (format == kNamespaceFormat) {
    absl::StatusOr<kv::NamespaceCommand> command = kv::DecodeNamespaceCommand(rest);
    if (!command.ok()) return command.status();
    return RegionCommand{epoch, *std::move(command)};
  }
  absl::StatusOr<kv::Command> command = kv::DecodeCommand(rest);
  if (!command.ok()) return command.status();
  return RegionCommand{epoch, *std::move(command)};
}

kv::NamespaceState RegionMachine::StateOf(kv::NamespaceId ns) const {
  const auto found = namespaces_.find(ns);
  return found != namespaces_.end() ? found->second : kv::NamespaceState();
}

absl::StatusOr<ApplyReply> RegionMachine::ApplyOn(const kv::Command& command, Index index,
                                                  const DataReader& data, WriteBatch* batch) const {
  const kv::NamespaceState state = StateOf(std::visit([](const auto& c) { return c.ns; }, command));
  if (!state.Admits(kv::Mode::kStrong)) return kv::NamespaceReply{false, state};
  absl::StatusOr<kv::WriteReply> reply = kv::Apply(command, index, state, data, batch);
  if (!reply.ok()) return reply.status();
  return *std::move(reply);
}

absl::StatusOr<ApplyReply> RegionMachine::ApplyOn(const MachineCommand& command, Index index,
                                                  const DataReader& data, WriteBatch* batch) const {
  if (machine_ == nullptr) {
    return absl::FailedPreconditionError(
        "it is for a state machine that this store was started without");
  }
  MutableObjectRows rows(command.object, data);
  std::string reply = machine_->Apply(command.bytes, &rows);
  if (!rows.status().ok()) return rows.status();
  const std::vector<Mutation>& changes = rows.changes().mutations;
  batch->mutations.insert(batch->mutations.end(), changes.begin(), changes.end());
  return MachineReply{std::move(reply), index};
}

absl::StatusOr<ApplyReply> RegionMachine::ApplyOn(const kv::NamespaceCommand& command, Index index,
                                                  const DataReader& data, WriteBatch* batch) {
  const kv::NamespaceId ns = kv::NamespaceOf(command);
  const kv::NamespaceState before = StateOf(ns);
  kv::NamespaceState state = before;
  absl::StatusOr<kv::NamespaceReply> reply = kv::Apply(command, index, data, &state, batch);
  if (!reply.ok()) return reply.status();
  if (state != before) {
    namespaces_[ns] = state;
    batch->Put(NamespacesRowKey(region_.id), kv::EncodeNamespaceStates(namespaces_));
  }
  return *std::move(reply);
}

absl::StatusOr<ApplyReply> RegionMachine::ApplyCommand(const raft::EntryView& entry,
                                                       const DataReader& data, WriteBatch* batch) {
  const absl::StatusOr<RegionCommand> decoded = DecodeRegionCommand(entry.payload);
  if (!decoded.ok()) return decoded.status();
  if (decoded->epoch.version > region_.epoch.version) {
    return absl::DataLossError("its epoch is ahead of the region's");
  }
  if (decoded->epoch.version < region_.epoch.version) return EpochChanged{};
  return std::visit(
      [&](const auto& command) -> absl::StatusOr<ApplyReply> {
        if (!Holds(region_, command)) {
          return absl::DataLossError("its key lies outside the region, at the same epoch");
        }
        return ApplyOn(command, entry.index, data, batch);
      },
      decoded->command);
}

absl::StatusOr<ApplyReply> RegionMachine::ApplyConf(const raft::EntryView& entry,
                                                    WriteBatch* batch) {
  absl::StatusOr<raft::ConfState> conf = raft::DecodeConfState(entry.payload);
  if (!conf.ok()) return conf.status();
  absl::StatusOr<std::vector<Peer>> peers = PeersOf(*conf);
  if (!peers.ok()) return peers.status();
  if (*peers != region_.peers) {
    region_.peers = *std::move(peers);
    ++region_.epoch.conf_version;
    batch->Put(RegionRowKey(region_.id), EncodeRegion(region_));
  }
  return ConfChanged{*std::move(conf)};
}

absl::StatusOr<ApplyReply> RegionMachine::ApplyEntry(const raft::EntryView& entry,
                                                     const DataReader& data, WriteBatch* batch) {
  switch (entry.kind) {
    case raft::EntryKind::kNoop:
      return ApplyReply();
    case raft::EntryKind::kCommand:
      return ApplyCommand(entry, data, batch);
    case raft::EntryKind::kConf:
      return ApplyConf(entry, batch);
  }
  return absl::DataLossError("its kind is unknown to this program");
}

absl::StatusOr<ApplyReply> RegionMachine::Apply(const raft::EntryView& entry,
                                                const DataReader& data, WriteBatch* batch) {
  INVARIANT(entry.index == applied_.index.next())
      << "region " << region_.id << " applied " << applied_.index << ", got " << entry.index;
  INVARIANT(entry.term >= applied_.term) << "region " << region_.id << " index " << entry.index;
  INVARIANT(region_.initialized()) << "region " << region_.id << " index " << entry.index;
  absl::StatusOr<ApplyReply> reply = ApplyEntry(entry, data, batch);
  if (!reply.ok()) {
    return absl::Status(reply.status().code(),
                        absl::StrCat("region ", region_.id.value(), " cannot apply entry ",
                                     entry.index.value(), ": ", reply.status().message()));
  }
  applied_ = {entry.term, entry.index};
  batch->Put(AppliedRowKey(region_.id), EncodeApplied(applied_));
  return reply;
}

}  // namespace flaredb
