// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/kv_model.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <tuple>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/kv/record.h"
#include "core/region/region_machine.h"

namespace flaredb::sim {
namespace {

struct Write {
  kv::NamespaceId ns;
  const std::string& key;
  const std::string* value;  // Null: deletes.
  kv::Version expected;
  const kv::Retry& retry;
};

Write WriteOf(const kv::Command& command) {
  if (const auto* swap = std::get_if<kv::CompareAndSwap>(&command)) {
    return {swap->ns, swap->key, &swap->value, swap->expected, swap->retry};
  }
  const auto& deletion = std::get<kv::CompareAndDelete>(command);
  return {deletion.ns, deletion.key, nullptr, deletion.expected, deletion.retry};
}

// The key after `write` took effect at `index`.
KvModel::State After(const KvModel::State& before, const Write& write, Index index) {
  KvModel::State after = before;
  after.index = index;
  after.version = before.version.next();
  after.live = write.value != nullptr;
  after.hlc = kv::Hlc();
  after.origin = StoreId();
  after.value = write.value != nullptr ? *write.value : "";
  if (!write.retry.id) return after;
  after.remembered.push_back({write.retry.id, after.version});
  if (after.remembered.size() > kv::Record::kRequestsMax) {
    after.remembered.erase(after.remembered.begin());
    after.forgotten_index = index;
  }
  return after;
}

// The answer to `write`, and whether it takes effect now. The rules are those of kv::Decide, put as
// questions to the key's past.
std::pair<kv::WriteReply, bool> Answer(const Write& write, const KvModel::State& before) {
  const kv::Version live = before.live ? before.version : kv::Version();
  const auto applied = [&](kv::Version version) {
    return kv::WriteReply{kv::WriteResult::kApplied,
                          write.value != nullptr ? version : kv::Version(), ""};
  };
  bool in_time = true;   // Nothing changed since the client began to ask.
  bool is_known = true;  // If it took effect before, that is still remembered.
  if (write.retry.id) {
    for (const kv::RememberedRequest& request : before.remembered) {
      if (request.id == write.retry.id) return {applied(request.version), false};
    }
    in_time = before.index <= write.retry.seen_index;
    is_known = before.forgotten_index <= write.retry.seen_index;
  }
  if (live != write.expected) {
    if (!is_known) return {{kv::WriteResult::kForgotten, live, ""}, false};
    return {{kv::WriteResult::kMismatch, live, before.value}, false};
  }
  if (in_time) return {applied(before.version.next()), true};
  // Of a version that is still there, no attempt took effect.
  const bool never_applied = is_known || before.live;
  return {{never_applied ? kv::WriteResult::kOvertaken : kv::WriteResult::kForgotten, live, ""},
          false};
}

}  // namespace

std::optional<std::string> KvModel::Apply(const raft::EntryView& entry) {
  INVARIANT(entry.index == applied().next());
  entries_.emplace_back();
  if (entry.kind != raft::EntryKind::kCommand) return std::nullopt;
  absl::StatusOr<RegionCommand> command = DecodeRegionCommand(entry.payload);
  if (!command.ok()) {
    return "the committed entry at index " + std::to_string(entry.index.value()) +
           " can't be decoded: " + std::string(command.status().message());
  }
  if (command->epoch.version != epoch_.version) return std::nullopt;
  if (auto* record = std::get_if<kv::Command>(&command->command)) {
    return Apply(std::move(*record), entry.index);
  }
  if (const auto* of_namespace = std::get_if<kv::NamespaceCommand>(&command->command)) {
    std::visit([&](const auto& c) { Apply(c, entry.index); }, *of_namespace);
  }
  return std::nullopt;
}

std::optional<std::string> KvModel::Apply(kv::Command command, Index index) {
  const Write write = WriteOf(command);
  const kv::NamespaceState state = StateAt(write.ns, index);
  if (state.fence && state.fence->mode != kv::Mode::kStrong) return std::nullopt;
  const State before = Before(write.ns, write.key);
  auto [reply, changes] = Answer(write, before);
  if (changes) Push(write.ns, write.key, After(before, write, index));
  std::optional<std::string> taken_back = Settle(write.retry.id, reply.result, changes);
  entries_.back().decided = Decided{std::move(command), std::move(reply)};
  return taken_back;
}

// A row wins by a later time; of the same time a deletion, and then the greater store.
void KvModel::Apply(const kv::LwwBatch& batch, Index index) {
  const kv::NamespaceState state = StateAt(batch.ns, index);
  if (state.fence &&
      (state.fence->mode != kv::Mode::kEventual || batch.mode_epoch < state.fence->mode_epoch)) {
    return;
  }
  for (const kv::LwwRow& row : batch.rows) {
    kv::Hlc& carried = carried_[{batch.ns, row.key, row.origin}];
    carried = std::max(carried, row.hlc);
    if (row.hlc < state.floors.collected_hlc) continue;
    State after = Before(batch.ns, row.key);
    if (const State* record = At(batch.ns, row.key, index)) {
      kv::Hlc since = record->hlc;
      if (!since && state.fence) since = state.fence->base_hlc;
      const auto theirs = std::tie(row.hlc, row.deleted, row.origin, row.value);
      const bool deleted = !record->live;
      if (theirs <= std::tie(since, deleted, record->origin, record->value)) continue;
    }
    after.index = index;
    after.version = after.version.next();
    after.live = !row.deleted;
    after.value = row.value;
    after.hlc = row.hlc;
    after.origin = row.origin;
    Push(batch.ns, row.key, std::move(after));
  }
}

void KvModel::Apply(const kv::ModeFence& command, Index index) {
  kv::NamespaceState state = StateAt(command.ns, index);
  if (state.fence && state.fence->mode_epoch >= command.fence.mode_epoch) return;
  state.fence = command.fence;
  Push(command.ns, state);
}

void KvModel::Apply(const kv::CollectTombstones& collect, Index index) {
  const kv::NamespaceState before = StateAt(collect.ns, index);
  if (before.fence && before.fence->mode != kv::Mode::kEventual) return;
  kv::NamespaceState after = before;
  Space& space = spaces_[collect.ns];
  uint64_t records = 0;
  for (const auto& [key, states] : space.keys) {
    if (key < collect.begin || (!collect.end.empty() && key >= collect.end)) continue;
    const State* record = At(collect.ns, key, index);
    if (record == nullptr) continue;
    if (records++ == collect.records_max) break;
    if (record->live) continue;
    kv::Hlc since = record->hlc;
    if (!since && before.fence) since = before.fence->base_hlc;
    if (since >= collect.before) continue;
    after.floors.version = std::max(after.floors.version, record->version);
    after.floors.index = index;
    after.floors.collected_hlc = std::max(after.floors.collected_hlc, collect.before);
    State gone = *record;
    gone.index = index;
    gone.collected = true;
    Push(collect.ns, key, std::move(gone));
  }
  if (after != before) Push(collect.ns, after);
}

KvModel::State KvModel::Before(kv::NamespaceId ns, std::string_view key) const {
  if (const State* record = At(ns, key, applied())) return *record;
  const kv::NamespaceState state = StateAt(ns, applied());
  State nothing;
  nothing.version = state.floors.version;
  nothing.index = state.floors.index;
  nothing.forgotten_index = state.floors.index;
  return nothing;
}

void KvModel::Push(kv::NamespaceId ns, const std::string& key, State after) {
  const auto it = spaces_[ns].keys.try_emplace(key).first;
  it->second.push_back(std::move(after));
  entries_.back().changed.push_back({ns, it->first});
}

void KvModel::Push(kv::NamespaceId ns, const kv::NamespaceState& after) {
  spaces_[ns].states.emplace_back(applied(), after);
}

// What becomes of a request is decided once, however many attempts there are.
std::optional<std::string> KvModel::Settle(const kv::RequestId& id, kv::WriteResult result,
                                           bool changes) {
  if (!id) return std::nullopt;
  Fate& fate = fates_[id];
  const bool denies = result == kv::WriteResult::kMismatch || result == kv::WriteResult::kOvertaken;
  const Fate before = fate;
  if (changes) fate.applied = applied();
  if (result != kv::WriteResult::kApplied && !fate.denied) fate.denied = applied();
  const bool applied_before = before.applied && (changes || denies);
  if (!applied_before && !(changes && before.denied)) return std::nullopt;
  std::ostringstream out;
  out << "request " << id.client_lo << "/" << id.seq
      << (applied_before ? " took effect at index " : " was denied any effect at index ")
      << (applied_before ? before.applied : before.denied) << ", and the rules "
      << (changes ? "let it take effect" : "deny it any effect") << " at index " << applied();
  return out.str();
}

void KvModel::GoBackTo(Index kept) {
  INVARIANT(kept <= applied());
  INVARIANT(carried_.empty());
  entries_.resize(kept.value());
  for (auto& [ns, space] : spaces_) {
    for (auto key = space.keys.begin(); key != space.keys.end();) {
      std::vector<State>& states = key->second;
      while (!states.empty() && states.back().index > kept) states.pop_back();
      key = states.empty() ? space.keys.erase(key) : std::next(key);
    }
    while (!space.states.empty() && space.states.back().first > kept) space.states.pop_back();
  }
  for (auto& [id, fate] : fates_) {
    if (fate.applied > kept) fate.applied = Index();
    if (fate.denied > kept) fate.denied = Index();
  }
}

const KvModel::State* KvModel::At(kv::NamespaceId ns, std::string_view key, Index index) const {
  const auto space = spaces_.find(ns);
  if (space == spaces_.end()) return nullptr;
  const auto it = space->second.keys.find(key);
  if (it == space->second.keys.end()) return nullptr;
  const std::vector<State>& states = it->second;
  const auto after = std::upper_bound(states.begin(), states.end(), index,
                                      [](Index i, const State& state) { return i < state.index; });
  if (after == states.begin() || std::prev(after)->collected) return nullptr;
  return &*std::prev(after);
}

kv::Hlc KvModel::Carried(kv::NamespaceId ns, std::string_view key, StoreId origin) const {
  const auto row = carried_.find({ns, std::string(key), origin});
  return row == carried_.end() ? kv::Hlc() : row->second;
}

kv::NamespaceState KvModel::StateAt(kv::NamespaceId ns, Index index) const {
  const auto space = spaces_.find(ns);
  if (space == spaces_.end()) return {};
  const auto& states = space->second.states;
  const auto after = std::upper_bound(states.begin(), states.end(), index,
                                      [](Index i, const auto& state) { return i < state.first; });
  return after == states.begin() ? kv::NamespaceState() : std::prev(after)->second;
}

kv::NamespaceStates KvModel::NamespacesAt(Index index) const {
  kv::NamespaceStates all;
  for (const auto& [ns, space] : spaces_) {
    const kv::NamespaceState state = StateAt(ns, index);
    if (state != kv::NamespaceState()) all.emplace(ns, state);
  }
  return all;
}

bool KvModel::NamespacesChanged(Index before, Index upto) const {
  return std::any_of(spaces_.begin(), spaces_.end(), [&](const auto& entry) {
    const auto& states = entry.second.states;
    return std::any_of(states.begin(), states.end(), [&](const auto& state) {
      return before < state.first && state.first <= upto;
    });
  });
}

}  // namespace flaredb::sim
