// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/codecs.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/base/codec.h"
#include "core/base/strings.h"
#include "core/kv/key.h"
#include "core/kv/namespace_command.h"
#include "core/kv/namespace_state.h"
#include "core/kv/record.h"
#include "core/raft/membership.h"
#include "core/region/region.h"
#include "core/region/region_machine.h"
#include "core/region/state_rows.h"

namespace flaredb::sim {
namespace {

constexpr uint64_t kEntries = 2;  // Drawn of a disk's log,
constexpr uint64_t kRows = 2;     // and of its rows.
constexpr int kTries = 6;         // Of each.
constexpr uint64_t kChangesMax = 3;
// What says how the rest is read lies here.
constexpr size_t kFront = 8;
constexpr size_t kRangeMax = 24;

struct Sample {
  Codec codec;
  std::string bytes;
};

// What the headers of the types promise, said once more: an encoder that a decoder has misled need
// not notice.

bool Ascend(const std::vector<PeerId>& ids) {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end() &&
         (ids.empty() || ids.front());
}

bool IsSound(const raft::ConfState& conf) {
  std::vector<PeerId> members;
  for (const raft::Member& member : conf.members) members.push_back(member.id);
  return Ascend(conf.voters) && Ascend(conf.voters_outgoing) && Ascend(conf.learners) &&
         Ascend(members) && (!conf.joint() || !conf.voters.empty()) &&
         std::all_of(members.begin(), members.end(),
                     [&](PeerId id) { return conf.IsMember(id); }) &&
         std::none_of(conf.learners.begin(), conf.learners.end(), [&](PeerId id) {
           return std::find(conf.voters.begin(), conf.voters.end(), id) != conf.voters.end();
         });
}

bool IsSound(const kv::Record& record) {
  std::set<kv::RequestId> ids;
  kv::Version last;
  for (const kv::RememberedRequest& request : record.requests) {
    if (!request.id || !ids.insert(request.id).second || request.version <= last) return false;
    last = request.version;
  }
  return record.version && record.changed_index && last <= record.version &&
         ids.size() <= kv::Record::kRequestsMax && (!record.tombstone || record.value.empty()) &&
         record.forgotten_index <= record.changed_index;
}

bool IsSound(const kv::LwwBatch& batch) {
  return !batch.rows.empty() &&
         std::all_of(batch.rows.begin(), batch.rows.end(), [](const kv::LwwRow& row) {
           return row.hlc && row.origin && (!row.deleted || row.value.empty());
         });
}

bool IsSound(const kv::Fence& fence) {
  return fence.mode_epoch && (fence.mode == kv::Mode::kStrong || fence.mode == kv::Mode::kEventual);
}

bool IsSound(const kv::ModeFence& command) { return IsSound(command.fence); }

bool IsSound(const kv::CollectTombstones& collect) { return collect.records_max > 0; }

bool IsSound(const kv::NamespaceStates& states) {
  return std::all_of(states.begin(), states.end(), [](const auto& entry) {
    const auto& [ns, state] = entry;
    return ns != kv::NamespaceId::kNone && state != kv::NamespaceState() &&
           (!state.fence || IsSound(*state.fence)) &&
           static_cast<bool>(state.floors.version) == static_cast<bool>(state.floors.index);
  });
}

bool IsSound(const RegionCommand& command) {
  if (const auto* of_namespace = std::get_if<kv::NamespaceCommand>(&command.command)) {
    return kv::NamespaceOf(*of_namespace) != kv::NamespaceId::kNone &&
           std::visit([](const auto& c) { return IsSound(c); }, *of_namespace);
  }
  const auto* of_kv = std::get_if<kv::Command>(&command.command);
  if (of_kv == nullptr) return true;
  const auto* erase = std::get_if<kv::CompareAndDelete>(of_kv);
  return std::visit([](const auto& c) { return c.ns != kv::NamespaceId::kNone; }, *of_kv) &&
         (erase == nullptr || erase->expected);
}

bool IsSound(const Region& region) {
  std::vector<PeerId> ids;
  std::set<StoreId> stores;
  for (const Peer& peer : region.peers) {
    ids.push_back(peer.id);
    stores.insert(peer.store);
  }
  return region.id && (region.end_key.empty() || region.start_key < region.end_key) &&
         !ids.empty() && Ascend(ids) && stores.size() == ids.size() && *stores.begin();
}

bool IsSound(const raft::LogId& applied) {
  return static_cast<bool>(applied.term) == static_cast<bool>(applied.index);
}

bool IsSound(const ReplicaRow& row) { return static_cast<bool>(row.peer); }

template <auto kDecode, auto kEncode>
std::optional<std::string> Again(std::string_view bytes) {
  const auto value = kDecode(bytes);
  if (!value.ok()) return std::nullopt;
  return IsSound(*value) ? kEncode(*value) : std::string();
}

std::optional<std::string> KeyAgain(std::string_view bytes) {
  const std::optional<kv::DecodedKey> key = kv::DecodeKey(bytes);
  return key ? std::optional(kv::EncodeKey(key->ns, key->user_key)) : std::nullopt;
}

std::optional<std::string> RowKeyAgain(std::string_view bytes) {
  const std::optional<RegionRow> row = DecodeRegionRowKey(bytes);
  if (!row) return std::nullopt;
  switch (row->kind) {
    case RegionRowKind::kRegion:
      return RegionRowKey(row->region);
    case RegionRowKind::kApplied:
      return AppliedRowKey(row->region);
    case RegionRowKind::kNamespaces:
      return NamespacesRowKey(row->region);
    case RegionRowKind::kReplica:
      return ReplicaRowKey(row->region);
  }
  return std::string();
}

// Of namespaces: all other numbers have the whole of their type, or come near the end in a run.
constexpr kv::NamespaceId kEnds[] = {kv::NamespaceId{1}, kv::NamespaceId{UINT32_MAX}};

std::vector<std::string> CommandAtEnds(std::string_view bytes) {
  std::vector<std::string> all;
  absl::StatusOr<RegionCommand> command = DecodeRegionCommand(bytes);
  if (!command.ok()) return all;
  for (const kv::NamespaceId ns : kEnds) {
    const auto name = [&](auto& c) { c.ns = ns; };
    if (auto* of_namespace = std::get_if<kv::NamespaceCommand>(&command->command)) {
      std::visit(name, *of_namespace);
    } else if (auto* of_kv = std::get_if<kv::Command>(&command->command)) {
      std::visit(name, *of_kv);
    }
    all.push_back(EncodeRegionCommand(*command));
  }
  return all;
}

std::vector<std::string> NamespacesAtEnds(std::string_view bytes) {
  std::vector<std::string> all;
  const absl::StatusOr<kv::NamespaceStates> states = kv::DecodeNamespaceStates(bytes);
  if (!states.ok() || states->empty()) return all;
  for (const kv::NamespaceId ns : kEnds) {
    all.push_back(kv::EncodeNamespaceStates({{ns, states->begin()->second}}));
  }
  return all;
}

constexpr Codec kCommand = {"a command", Again<DecodeRegionCommand, EncodeRegionCommand>,
                            CommandAtEnds};
constexpr Codec kConf = {"a configuration", Again<raft::DecodeConfState, raft::EncodeConfState>};
constexpr Codec kRecordKey = {"the key of a record", KeyAgain};
constexpr Codec kRecord = {"a record", Again<kv::DecodeRecord, kv::EncodeRecord>};
constexpr Codec kRowKey = {"the key of a region's row", RowKeyAgain};
constexpr Codec kRegion = {"a region", Again<DecodeRegion, EncodeRegion>};
constexpr Codec kApplied = {"an applied position", Again<DecodeApplied, EncodeApplied>};
constexpr Codec kNamespaces = {"the states of namespaces",
                               Again<kv::DecodeNamespaceStates, kv::EncodeNamespaceStates>,
                               NamespacesAtEnds};
constexpr Codec kReplica = {"a replica row", Again<DecodeReplicaRow, EncodeReplicaRow>};

void AddEntry(const raft::EntryView& entry, std::vector<Sample>* samples) {
  const bool is_conf = entry.kind == raft::EntryKind::kConf;
  if (entry.payload.empty()) return;
  samples->push_back({is_conf ? kConf : kCommand, std::string(entry.payload)});
}

const Codec& CodecOf(RegionRowKind kind) {
  switch (kind) {
    case RegionRowKind::kRegion:
      return kRegion;
    case RegionRowKind::kApplied:
      return kApplied;
    case RegionRowKind::kNamespaces:
      return kNamespaces;
    case RegionRowKind::kReplica:
      break;
  }
  return kReplica;
}

void AddRow(const std::string& key, const std::string& value, std::vector<Sample>* samples) {
  if (const std::optional<kv::DecodedKey> user = kv::DecodeKey(key)) {
    samples->push_back({kRecordKey, key});
    if (user->ns != kv::NamespaceId::kMachine) samples->push_back({kRecord, value});
  } else if (const std::optional<RegionRow> row = DecodeRegionRowKey(key)) {
    samples->push_back({kRowKey, key});
    samples->push_back({CodecOf(row->kind), value});
  }
}

std::vector<Sample> Draw(RegionId region, const DiskImage& disk, Rng* rng) {
  std::vector<Sample> samples;
  const LogImage& log = disk.log(region);
  if (disk.replicas().contains(region)) {
    samples.push_back({kConf, raft::EncodeConfState(log.ConfAt(log.last_index()))});
  }
  const uint64_t entries = log.last_index() - log.base().last.index;
  for (uint64_t i = 0; i < std::min(kEntries, entries); ++i) {
    AddEntry(log.At(Index(log.last_index().value() - rng->Below(entries))), &samples);
  }
  const DiskImage::Rows& rows = disk.rows();
  for (uint64_t i = 0; i < std::min<uint64_t>(kRows, rows.size()); ++i) {
    const auto row = std::next(rows.begin(), static_cast<ptrdiff_t>(rng->Below(rows.size())));
    AddRow(row->first, row->second, &samples);
  }
  return samples;
}

std::string Hex(std::string_view bytes) {
  return bytes.empty() ? "no bytes" : "0x" + absl::BytesToHexString(ToAbsl(bytes));
}

// One change.
std::string Altered(std::string bytes, Rng* rng) {
  if (bytes.empty()) return std::string(1, static_cast<char>(rng->Next()));
  const size_t at = rng->Below(rng->Below(2) == 0 ? std::min(bytes.size(), kFront) : bytes.size());
  const size_t size = 1 + rng->Below(std::min(bytes.size() - at, kRangeMax));
  const auto range = bytes.begin() + static_cast<ptrdiff_t>(at);
  const auto any_byte = [&](uint64_t values) { return static_cast<char>(rng->Below(values)); };
  switch (rng->Below(8)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << rng->Below(8));
      break;
    case 1:  // Many fields have few values.
      bytes[at] = any_byte(rng->Below(2) == 0 ? 4 : 256);
      break;
    case 2: {
      ByteWriter number;
      number.Varint(rng->Next() >> rng->Below(64));
      bytes.replace(at, 1, number.Take());
      break;
    }
    case 3:
      bytes.resize(at);
      break;
    case 4:
      bytes.erase(at, size);
      break;
    case 5:
      bytes.insert(at, bytes.substr(at, size));
      break;
    case 6:
      bytes.replace(at, size, size, '\0');
      break;
    case 7:
      std::rotate(range, range + static_cast<ptrdiff_t>(size) - 1,
                  range + static_cast<ptrdiff_t>(size));
      break;
  }
  return bytes;
}

// A sentence if the bytes are taken and are not what their value is encoded to.
std::optional<std::string> Inexact(const Codec& codec, std::string_view bytes,
                                   const std::optional<std::string>& again) {
  if (!again || *again == bytes) return std::nullopt;
  const std::string taken = Hex(bytes) + " is taken for " + codec.what;
  if (again->empty()) return taken + ", though there is none like that.";
  return taken + " that is encoded as " + Hex(*again) + ".";
}

}  // namespace

std::optional<std::string> BrokenCodec(const Codec& codec, std::string_view bytes, Rng* rng) {
  const std::optional<std::string> again = codec.again(bytes);
  if (!again) return std::string(codec.what) + " that a run wrote is refused: " + Hex(bytes) + ".";
  if (auto broken = Inexact(codec, bytes, again)) return broken;
  if (codec.at_ends != nullptr) {
    for (const std::string& value : codec.at_ends(bytes)) {
      if (codec.again(value) == value) continue;
      return std::string(codec.what) + " with a number at its end is refused: " + Hex(value) + ".";
    }
  }
  for (int i = 0; i < kTries; ++i) {
    std::string altered(bytes);
    for (uint64_t left = 1 + rng->Below(kChangesMax); left > 0; --left) {
      altered = Altered(std::move(altered), rng);
    }
    if (auto broken = Inexact(codec, altered, codec.again(altered))) return broken;
  }
  return std::nullopt;
}

std::optional<std::string> BrokenCodec(RegionId region, const DiskImage& disk, Rng* rng) {
  for (const Sample& sample : Draw(region, disk, rng)) {
    if (auto broken = BrokenCodec(sample.codec, sample.bytes, rng)) return broken;
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
