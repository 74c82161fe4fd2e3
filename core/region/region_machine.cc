// SPDX-License-Identifier: Apache-2.0
#include "core/region/region_machine.h"

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
constexpr size_t kHeaderBytesMax = 21;

std::string KeyOf(const Command& command) {
  if (const auto* own = std::get_if<MachineCommand>(&command)) return ObjectPrefix(own->object);
  return std::visit([](const auto& c) { return kv::EncodeKey(c.ns, c.key); },
                    std::get<kv::Command>(command));
}

absl::StatusOr<ApplyReply> ApplyMachineCommand(const MachineCommand& command, Index index,
                                               const StateMachine* machine, const DataReader& data,
                                               WriteBatch* batch) {
  if (machine == nullptr) {
    return absl::FailedPreconditionError(
        "it is for a state machine that this store was started without");
  }
  MutableObjectRows rows(command.object, data);
  std::string reply = machine->Apply(command.bytes, &rows);
  if (!rows.status().ok()) return rows.status();
  const std::vector<Mutation>& changes = rows.changes().mutations;
  batch->mutations.insert(batch->mutations.end(), changes.begin(), changes.end());
  return MachineReply{std::move(reply), index};
}

absl::StatusOr<ApplyReply> ApplyCommand(const Region& region, const raft::EntryView& entry,
                                        const StateMachine* machine, const DataReader& data,
                                        WriteBatch* batch) {
  const absl::StatusOr<RegionCommand> decoded = DecodeRegionCommand(entry.payload);
  if (!decoded.ok()) return decoded.status();
  if (decoded->epoch.version > region.epoch.version) {
    return absl::DataLossError("its epoch is ahead of the region's");
  }
  if (decoded->epoch.version < region.epoch.version) return EpochChanged{};
  if (!region.Contains(KeyOf(decoded->command))) {
    return absl::DataLossError("its key lies outside the region, at the same epoch");
  }
  if (const auto* own = std::get_if<MachineCommand>(&decoded->command)) {
    return ApplyMachineCommand(*own, entry.index, machine, data, batch);
  }
  absl::StatusOr<kv::WriteReply> reply =
      kv::Apply(std::get<kv::Command>(decoded->command), entry.index, data, batch);
  if (!reply.ok()) return reply.status();
  return *std::move(reply);
}

absl::StatusOr<ApplyReply> ApplyConf(const raft::EntryView& entry, Region* region,
                                     WriteBatch* batch) {
  absl::StatusOr<raft::ConfState> conf = raft::DecodeConfState(entry.payload);
  if (!conf.ok()) return conf.status();
  absl::StatusOr<std::vector<Peer>> peers = PeersOf(*conf);
  if (!peers.ok()) return peers.status();
  if (*peers != region->peers) {
    region->peers = *std::move(peers);
    ++region->epoch.conf_version;
    batch->Put(RegionRowKey(region->id), EncodeRegion(*region));
  }
  return ConfChanged{*std::move(conf)};
}

// Changes `region` and `batch` only when it succeeds.
absl::StatusOr<ApplyReply> ApplyEntry(const raft::EntryView& entry, const StateMachine* machine,
                                      const DataReader& data, Region* region, WriteBatch* batch) {
  switch (entry.kind) {
    case raft::EntryKind::kNoop:
      return ApplyReply();
    case raft::EntryKind::kCommand:
      return ApplyCommand(*region, entry, machine, data, batch);
    case raft::EntryKind::kConf:
      return ApplyConf(entry, region, batch);
  }
  return absl::DataLossError("its kind is unknown to this program");
}

}  // namespace

std::string EncodeRegionCommand(const RegionCommand& command) {
  const auto* own = std::get_if<MachineCommand>(&command.command);
  const std::string bytes =
      own != nullptr ? own->bytes : kv::EncodeCommand(std::get<kv::Command>(command.command));
  ByteWriter out(kHeaderBytesMax + bytes.size());
  out.U8(own != nullptr ? kMachineFormat : kKvFormat);
  out.Varint(command.epoch.conf_version);
  out.Varint(command.epoch.version);
  if (own != nullptr) out.Bytes(own->object);
  out.Raw(bytes);
  return out.Take();
}

absl::StatusOr<RegionCommand> DecodeRegionCommand(std::string_view bytes) {
  ByteReader in(bytes);
  const bool own = !bytes.empty() && static_cast<uint8_t>(bytes.front()) == kMachineFormat;
  in.FormatVersion(own ? kMachineFormat : kKvFormat);
  RegionEpoch epoch;
  epoch.conf_version = in.Varint();
  epoch.version = in.Varint();
  const std::string_view object = own ? in.Bytes() : std::string_view();
  const std::string_view rest = in.Rest();
  if (absl::Status status = in.Finish("a region command"); !status.ok()) return status;
  if (own) return RegionCommand{epoch, MachineCommand{std::string(object), std::string(rest)}};
  absl::StatusOr<kv::Command> command = kv::DecodeCommand(rest);
  if (!command.ok()) return command.status();
  return RegionCommand{epoch, *std::move(command)};
}

absl::StatusOr<ApplyReply> RegionMachine::Apply(const raft::EntryView& entry,
                                                const DataReader& data, WriteBatch* batch) {
  INVARIANT(entry.index == applied_.index.next())
      << "region " << region_.id << " applied " << applied_.index << ", got " << entry.index;
  INVARIANT(entry.term >= applied_.term) << "region " << region_.id << " index " << entry.index;
  INVARIANT(region_.initialized()) << "region " << region_.id << " index " << entry.index;
  absl::StatusOr<ApplyReply> reply = ApplyEntry(entry, machine_, data, &region_, batch);
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
