// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/rows.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "core/kv/key.h"
#include "core/kv/namespace_state.h"
#include "core/kv/record.h"
#include "core/region/state_rows.h"
#include "core/store/outbox.h"

namespace flaredb::sim {
namespace {

std::string Tell(const KvModel::State* state) {
  if (state == nullptr) return "no record";
  return "version " + std::to_string(state->version.value()) +
         (state->live ? "" : " (a tombstone)") + " of index " +
         std::to_string(state->index.value()) +
         (state->hlc ? " and time " + std::to_string(state->hlc.value()) : "");
}

// A sentence unless `bytes` are the record that `state` describes.
std::optional<std::string> BrokenRecord(const std::string& store, std::string_view key, Index at,
                                        std::string_view bytes, const KvModel::State* state) {
  const absl::StatusOr<kv::Record> record = kv::DecodeRecord(bytes);
  if (!record.ok()) {
    std::ostringstream out;
    out << store << " has a record of key " << key
        << " that can't be decoded: " << record.status().message();
    return out.str();
  }
  if (state != nullptr && record->version == state->version && record->tombstone != state->live &&
      record->value == state->value && record->changed_index == state->index &&
      record->forgotten_index == state->forgotten_index && record->hlc == state->hlc &&
      record->origin == state->origin &&
      std::equal(record->requests.begin(), record->requests.end(), state->remembered.begin(),
                 state->remembered.end())) {
    return std::nullopt;
  }
  std::ostringstream out;
  out << "by the log up to index " << at << " key " << key << " has " << Tell(state) << ", but "
      << store << " has version " << record->version << (record->tombstone ? " (a tombstone)" : "")
      << " of index " << record->changed_index;
  if (record->hlc) out << " and time " << record->hlc << " of store " << record->origin;
  if (state != nullptr && record->version == state->version && record->tombstone != state->live) {
    out << (record->value == state->value ? ", and remembers other things of it"
                                          : ", with another value");
  }
  out << ".";
  return out.str();
}

// The applied position that the batch writes last: absent when it writes none.
std::optional<raft::LogId> PositionIn(RegionId region, const WriteBatch& batch) {
  std::optional<raft::LogId> position;
  const std::string key = AppliedRowKey(region);
  for (const Mutation& mutation : batch.mutations) {
    if (mutation.key != key) continue;
    position.reset();
    if (!mutation.value) continue;
    const absl::StatusOr<raft::LogId> decoded = DecodeApplied(*mutation.value);
    if (decoded.ok()) position = *decoded;
  }
  return position;
}

std::optional<std::string> NotCommitted(const std::string& store, raft::LogId position,
                                        const Commits& commits) {
  if (position.index <= commits.last() && position.term == commits.TermAt(position.index)) {
    return std::nullopt;
  }
  std::ostringstream out;
  out << store << " has applied up to " << position.term << ":" << position.index
      << ", but the history is committed up to " << commits.TermAt(commits.last()) << ":"
      << commits.last() << ".";
  return out.str();
}

// The configuration that the entries after `before`, up to `upto`, make; null when none does.
const raft::ConfState* ConfIn(Index before, Index upto, const Commits& commits) {
  const raft::ConfState* found = nullptr;
  for (const raft::ConfAt& at : commits.confs()) {
    if (before < at.index && at.index <= upto) found = &at.conf;
  }
  return found;
}

// How a sentence names a row of a machine: the object's name with its escapes, and the row's key.
std::string MachineRow(std::string_view row) {
  return Quoted(row.substr(ObjectPrefix("").size() - 2));
}

// A sentence unless `value` (null: there is none) is what the machine's row holds at `at`.
std::optional<std::string> BrokenMachineRow(const std::string& store, std::string_view row,
                                            Index at, const std::string* value,
                                            const MachineHistory& machine) {
  const std::string* expected = machine.RowAt(row, at);
  if (expected == nullptr ? value == nullptr : value != nullptr && *value == *expected) {
    return std::nullopt;
  }
  std::ostringstream out;
  out << "the machine's row " << MachineRow(row);
  if (value != nullptr) {
    out << " holds " << Quoted(*value);
  } else {
    out << " is not there";
  }
  out << " at " << store << " after index " << at << ", but ";
  if (expected != nullptr) {
    out << "the same commands made it " << Quoted(*expected) << " elsewhere.";
  } else {
    out << "after the same commands there is none elsewhere.";
  }
  return out.str();
}

bool IsMachineRow(std::string_view row) {
  const std::optional<kv::DecodedKey> key = kv::DecodeKey(row);
  return key && key->ns == kv::NamespaceId::kMachine;
}

std::optional<std::string> BrokenRegionRow(const std::string& store, std::string_view bytes,
                                           Index at, const Commits& commits) {
  const absl::StatusOr<Region> region = DecodeRegion(bytes);
  if (region.ok() && region->peers == *PeersOf(commits.ConfAt(at)) &&
      region->epoch.conf_version == commits.ConfVersionAt(at)) {
    return std::nullopt;
  }
  return store + " has a region row that is not what the entries up to index " +
         std::to_string(at.value()) + " make of it.";
}

// A sentence unless `bytes` (null: there is no row) say what the region knows of namespaces at
// `at`.
std::optional<std::string> BrokenNamespaces(const std::string& store, const std::string* bytes,
                                            Index at, const KvModel& model) {
  const kv::NamespaceStates expected = model.NamespacesAt(at);
  if (bytes == nullptr && expected.empty()) return std::nullopt;
  if (bytes != nullptr) {
    const absl::StatusOr<kv::NamespaceStates> states = kv::DecodeNamespaceStates(*bytes);
    if (states.ok() && *states == expected) return std::nullopt;
  }
  return store + " holds another row of namespaces than the log up to index " +
         std::to_string(at.value()) + " makes.";
}

std::optional<ReplicaRow> ReplicaIn(RegionId region,
                                    const std::map<std::string, std::string, std::less<>>& rows) {
  const auto row = rows.find(ReplicaRowKey(region));
  if (row == rows.end()) return std::nullopt;
  const absl::StatusOr<ReplicaRow> replica = DecodeReplicaRow(row->second);
  return replica.ok() ? std::optional(*replica) : std::nullopt;
}

}  // namespace

Index AppliedIn(RegionId region, const std::map<std::string, std::string, std::less<>>& rows) {
  const auto row = rows.find(AppliedRowKey(region));
  if (row == rows.end()) return Index();
  const absl::StatusOr<raft::LogId> applied = DecodeApplied(row->second);
  return applied.ok() ? applied->index : Index();
}

PeerId PeerIn(RegionId region, const std::map<std::string, std::string, std::less<>>& rows) {
  const std::optional<ReplicaRow> replica = ReplicaIn(region, rows);
  return replica && !replica->removed ? replica->peer : PeerId();
}

PeerId RemovedIn(RegionId region, const std::map<std::string, std::string, std::less<>>& rows) {
  const std::optional<ReplicaRow> replica = ReplicaIn(region, rows);
  return replica && replica->removed ? replica->peer : PeerId();
}

std::optional<std::string> BrokenTurnover(RegionId region, const std::string& store,
                                          const WriteBatch& batch, const Commits& commits,
                                          Index* applied) {
  const std::optional<raft::LogId> position = PositionIn(region, batch);
  if (!position) {
    *applied = Index();
    return std::nullopt;
  }
  *applied = position->index;
  return NotCommitted(store, *position, commits);
}

std::optional<std::string> BrokenBatch(RegionId region, const std::string& store,
                                       const WriteBatch& batch, const Commits& commits,
                                       Index* applied) {
  if (batch.empty()) return std::nullopt;
  const KvModel& model = commits.model();
  const MachineHistory& machine = commits.machine();
  const Index before = *applied;
  // The batch takes effect as a whole, so only the last word on a key counts.
  std::map<std::string_view, const std::string*> last;             // Null: deleted.
  std::map<std::string_view, const std::string*> last_of_machine;  // Null: deleted.
  const std::string applied_key = AppliedRowKey(region);
  for (const Mutation& mutation : batch.mutations) {
    if (IsMachineRow(mutation.key)) {
      last_of_machine[mutation.key] = mutation.value ? &*mutation.value : nullptr;
      continue;
    }
    if (store::IsOutboxRow(mutation.key)) continue;
    last[mutation.key] = mutation.value ? &*mutation.value : nullptr;
  }
  if (last.empty() && last_of_machine.empty()) return std::nullopt;
  const auto position_row = last.find(applied_key);
  if (position_row == last.end() || position_row->second == nullptr) {
    return store + " writes rows without the applied position that covers them.";
  }
  const absl::StatusOr<raft::LogId> position = DecodeApplied(*position_row->second);
  std::ostringstream out;
  if (!position.ok()) {
    return store + " writes an applied position that can't be decoded.";
  }
  if (position->index <= before) {
    out << store << " has applied up to " << before << ", and now writes " << position->index
        << " as its applied position.";
    return out.str();
  }
  if (auto broken = NotCommitted(store, *position, commits)) return broken;
  *applied = position->index;

  std::set<std::string_view> changed_of_machine = machine.ChangedIn(before, position->index);
  for (const auto& [row, value] : last_of_machine) {
    if (changed_of_machine.erase(row) == 0) {
      out << store << " changes the machine's row " << MachineRow(row) << " with the entries "
          << before.next() << ".." << position->index
          << ", none of which changed it when they were carried out elsewhere.";
      return out.str();
    }
    if (auto broken = BrokenMachineRow(store, row, position->index, value, machine)) return broken;
  }
  if (!changed_of_machine.empty()) {
    out << "the entries " << before.next() << ".." << position->index
        << " changed the machine's row " << MachineRow(*changed_of_machine.begin())
        << " elsewhere, but " << store << " applied them without writing it.";
    return out.str();
  }
  std::set<KvModel::RowName> changed;
  for (Index i = before.next(); i <= position->index; ++i) {
    const auto& rows = model.ChangedAt(i);
    changed.insert(rows.begin(), rows.end());
  }
  for (const auto& [row, bytes] : last) {
    const std::optional<kv::DecodedKey> key = kv::DecodeKey(row);
    if (!key) {
      if (row == applied_key) continue;
      if (row == RegionRowKey(region)) {
        if (bytes == nullptr) return store + " deletes the region row, which no entry asks for.";
        if (ConfIn(before, position->index, commits) == nullptr) {
          return store + " writes the region row, which no entry changes.";
        }
        if (auto broken = BrokenRegionRow(store, *bytes, position->index, commits)) return broken;
        continue;
      }
      if (row == NamespacesRowKey(region) && model.NamespacesChanged(before, position->index)) {
        if (auto broken = BrokenNamespaces(store, bytes, position->index, model)) return broken;
        continue;
      }
      return store + " writes a system row that no entry asks for.";
    }
    if (changed.erase({key->ns, key->user_key}) == 0) {
      out << store << " changes key " << key->user_key << " with the entries " << before.next()
          << ".." << position->index << ", none of which changes it.";
      return out.str();
    }
    const KvModel::State* state = model.At(key->ns, key->user_key, position->index);
    if (bytes == nullptr && state == nullptr) continue;
    if (bytes == nullptr) {
      return store + " deletes key " + std::string(key->user_key) + ", which has " + Tell(state) +
             " by the log up to index " + std::to_string(position->index.value()) + ".";
    }
    if (auto broken = BrokenRecord(store, key->user_key, position->index, *bytes, state)) {
      return broken;
    }
  }
  if (model.NamespacesChanged(before, position->index) &&
      !last.contains(NamespacesRowKey(region))) {
    return store + " applied what changes a namespace without writing the row of namespaces.";
  }
  const raft::ConfState* conf = ConfIn(before, position->index, commits);
  const bool peers_change = conf != nullptr && *PeersOf(*conf) != *PeersOf(commits.ConfAt(before));
  if (peers_change && !last.contains(RegionRowKey(region))) {
    return store + " applied a change of peers without writing the region row.";
  }
  if (changed.empty()) return std::nullopt;
  out << "the entries " << before.next() << ".." << position->index << " change key "
      << changed.begin()->key << ", but " << store << " applied them without writing it.";
  return out.str();
}

std::optional<std::string> BrokenRows(RegionId region, const std::string& store,
                                      const std::map<std::string, std::string, std::less<>>& rows,
                                      Index applied, const Commits& commits) {
  const KvModel& model = commits.model();
  for (const auto& [row, changes] : commits.machine().rows()) {
    const auto found = rows.find(row);
    const std::string* value = found != rows.end() ? &found->second : nullptr;
    if (auto broken = BrokenMachineRow(store, row, applied, value, commits.machine())) {
      return broken;
    }
  }
  const auto of_region = rows.find(RegionRowKey(region));
  if (of_region != rows.end() && applied >= commits.confs().front().index) {
    if (auto broken = BrokenRegionRow(store, of_region->second, applied, commits)) return broken;
  }
  size_t records = 0;
  for (const auto& [row, bytes] : rows) {
    if (IsMachineRow(row)) {
      if (auto broken = BrokenMachineRow(store, row, applied, &bytes, commits.machine())) {
        return broken;
      }
      continue;
    }
    const std::optional<kv::DecodedKey> key = kv::DecodeKey(row);
    if (!key) continue;
    ++records;
    if (auto broken = BrokenRecord(store, key->user_key, applied, bytes,
                                   model.At(key->ns, key->user_key, applied))) {
      return broken;
    }
  }
  const auto namespaces = rows.find(NamespacesRowKey(region));
  const std::string* bytes = namespaces != rows.end() ? &namespaces->second : nullptr;
  if (auto broken = BrokenNamespaces(store, bytes, applied, model)) return broken;
  size_t expected = 0;
  for (const auto& [ns, space] : model.spaces()) {
    for (const auto& [key, states] : space.keys) {
      if (model.At(ns, key, applied) != nullptr) ++expected;
    }
  }
  if (records == expected) return std::nullopt;
  return store + " holds " + std::to_string(records) + " records, but the log up to index " +
         std::to_string(applied.value()) + " makes " + std::to_string(expected) + ".";
}

}  // namespace flaredb::sim
