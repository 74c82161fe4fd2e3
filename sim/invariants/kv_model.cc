// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/kv_model.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/kv/record.h"
#include "core/region/region_machine.h"

namespace flaredb::sim {

std::optional<std::string> KvModel::Apply(const raft::EntryView& entry) {
  INVARIANT(entry.index == applied().next());
  changed_.push_back(nullptr);
  if (entry.kind != raft::EntryKind::kCommand) return std::nullopt;
  const absl::StatusOr<RegionCommand> command = DecodeRegionCommand(entry.payload);
  if (!command.ok()) {
    return "the committed entry at index " + std::to_string(entry.index.value()) +
           " can't be decoded: " + std::string(command.status().message());
  }
  const auto* record = std::get_if<kv::Command>(&command->command);
  if (record == nullptr || command->epoch.version != epoch_.version) return std::nullopt;

  const auto& [key, expected, retry] = std::visit(
      [](const auto& c) {
        return std::tuple<const std::string&, kv::Version, const kv::Retry&>(c.key, c.expected,
                                                                             c.retry);
      },
      *record);
  const State* current = At(key, entry.index);
  if (current != nullptr && retry.id &&
      std::find(current->remembered.begin(), current->remembered.end(), retry.id) !=
          current->remembered.end()) {
    return std::nullopt;
  }
  const kv::Version live = current != nullptr && current->live ? current->version : kv::Version();
  if (live != expected) return std::nullopt;
  if (retry.id && current != nullptr && retry.seen_index < current->index) return std::nullopt;

  if (retry.id) {
    const auto [it, first] = applied_requests_.try_emplace(retry.id, entry.index);
    if (!first) {
      std::ostringstream out;
      out << "request " << retry.id.client_lo << "/" << retry.id.seq << " took effect at index "
          << it->second << ", and the rules let it take effect again at index " << entry.index;
      return out.str();
    }
  }
  State next;
  if (current != nullptr) next.remembered = current->remembered;
  next.version = current != nullptr ? current->version.next() : kv::Version(1);
  next.index = entry.index;
  if (const auto* swap = std::get_if<kv::CompareAndSwap>(record)) {
    next.live = true;
    next.value = swap->value;
  }
  if (retry.id) {
    if (next.remembered.size() == kv::Record::kRequestsMax) {
      next.remembered.erase(next.remembered.begin());
    }
    next.remembered.push_back(retry.id);
  }
  const auto it = keys_.try_emplace(key).first;
  it->second.push_back(std::move(next));
  changed_.back() = &it->first;
  return std::nullopt;
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
