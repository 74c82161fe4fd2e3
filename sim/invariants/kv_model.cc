// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/kv_model.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/kv/record.h"
#include "core/region/region_machine.h"

namespace flaredb::sim {
namespace {

struct Write {
  const std::string& key;
  const std::string* value;  // Null: deletes.
  kv::Version expected;
  const kv::Retry& retry;
};

Write WriteOf(const kv::Command& command) {
  if (const auto* swap = std::get_if<kv::CompareAndSwap>(&command)) {
    return {swap->key, &swap->value, swap->expected, swap->retry};
  }
  const auto& deletion = std::get<kv::CompareAndDelete>(command);
  return {deletion.key, nullptr, deletion.expected, deletion.retry};
}

// The key after `write` took effect at `index`.
KvModel::State After(const KvModel::State& before, const Write& write, Index index) {
  KvModel::State after = before;
  after.index = index;
  after.version = before.version.next();
  after.live = write.value != nullptr;
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
  auto* record = std::get_if<kv::Command>(&command->command);
  if (record == nullptr || command->epoch.version != epoch_.version) return std::nullopt;

  const Write write = WriteOf(*record);
  const State* current = At(write.key, entry.index);
  const State before = current != nullptr ? *current : State();
  auto [reply, changes] = Answer(write, before);
  if (changes) {
    const auto it = keys_.try_emplace(write.key).first;
    it->second.push_back(After(before, write, entry.index));
    entries_.back().changed = &it->first;
  }
  std::optional<std::string> taken_back = Settle(write.retry.id, reply.result, changes);
  entries_.back().decided = Decided{std::move(*record), std::move(reply)};
  return taken_back;
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
  entries_.resize(kept.value());
  for (auto key = keys_.begin(); key != keys_.end();) {
    std::vector<State>& states = key->second;
    while (!states.empty() && states.back().index > kept) states.pop_back();
    key = states.empty() ? keys_.erase(key) : std::next(key);
  }
  for (auto& [id, fate] : fates_) {
    if (fate.applied > kept) fate.applied = Index();
    if (fate.denied > kept) fate.denied = Index();
  }
}

const KvModel::State* KvModel::At(std::string_view key, Index index) const {
  const auto it = keys_.find(key);
  if (it == keys_.end()) return nullptr;
  const std::vector<State>& states = it->second;
  const auto after = std::upper_bound(states.begin(), states.end(), index,
                                      [](Index i, const State& state) { return i < state.index; });
  return after == states.begin() ? nullptr : &*std::prev(after);
}

}  // namespace flaredb::sim
