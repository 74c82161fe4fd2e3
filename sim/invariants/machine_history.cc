// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/machine_history.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "absl/strings/escaping.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/region/region_machine.h"

namespace flaredb::sim {

std::string Quoted(std::string_view bytes) { return "\"" + absl::CHexEscape(ToAbsl(bytes)) + "\""; }

void MachineHistory::Apply(const raft::EntryView& entry, FailureReport* report) {
  if (spec_ == nullptr || entry.kind != raft::EntryKind::kCommand) return;
  const absl::StatusOr<RegionCommand> decoded = DecodeRegionCommand(entry.payload);
  INVARIANT(decoded.ok()) << "KvModel looked at it first";
  const auto* command = std::get_if<MachineCommand>(&decoded->command);
  if (command == nullptr || decoded->epoch.version != epoch_.version) return;

  MutableObjectRows rows(command->object, *this);
  Executed done{entry.index, command->object, command->bytes, ""};
  done.answer = spec_->machine().Apply(done.command, &rows);
  for (const Mutation& mutation : rows.changes().mutations) {
    const auto row = rows_.try_emplace(mutation.key).first;
    // Of several changes by one command the last one counts.
    if (!row->second.empty() && row->second.back().index == entry.index) row->second.pop_back();
    row->second.push_back({entry.index, mutation.value});
    changed_.emplace_back(entry.index, &row->first);
  }
  ObjectModel model = ModelAt(done.object, entry.index);
  const std::string expected = model.Execute(done.command);
  models_[done.object].emplace_back(entry.index, std::move(model));
  executed_.push_back(done);

  std::ostringstream what;
  what << "the command " << Quoted(done.command) << " for " << Quoted(done.object) << " at index "
       << entry.index;
  if (done.answer != expected) {
    report->Fail(FailureKind::kSafety, "MODEL",
                 what.str() + " is answered " + Quoted(done.answer) + " by the machine and " +
                     Quoted(expected) + " by the model.");
  }
  const ObjectRows now(done.object, *this);
  if (const auto broken = spec_->Check(done, now)) {
    report->Fail(FailureKind::kSafety, "RULE",
                 what.str() + ", answered " + Quoted(done.answer) + ": " + *broken);
  }
}

const Executed* MachineHistory::At(Index index) const {
  const auto found = std::lower_bound(executed_.begin(), executed_.end(), index,
                                      [](const Executed& e, Index i) { return e.index < i; });
  return found != executed_.end() && found->index == index ? &*found : nullptr;
}

ObjectModel MachineHistory::ModelAt(const std::string& object, Index index) const {
  const auto states = models_.find(object);
  if (states == models_.end()) return spec_->NewModel();
  const auto after = std::upper_bound(states->second.begin(), states->second.end(), index,
                                      [](Index i, const auto& state) { return i < state.first; });
  return after == states->second.begin() ? spec_->NewModel() : std::prev(after)->second;
}

std::string MachineHistory::Query(const std::string& object, std::string_view query,
                                  Index index) const {
  return ModelAt(object, index).Query(query);
}

const std::string* MachineHistory::RowAt(std::string_view row, Index index) const {
  const auto changes = rows_.find(row);
  if (changes == rows_.end()) return nullptr;
  const auto after =
      std::upper_bound(changes->second.begin(), changes->second.end(), index,
                       [](Index i, const Change& change) { return i < change.index; });
  if (after == changes->second.begin()) return nullptr;
  const std::optional<std::string>& value = std::prev(after)->value;
  return value ? &*value : nullptr;
}

std::set<std::string_view> MachineHistory::ChangedIn(Index before, Index upto) const {
  const auto past = [](Index i, const auto& change) { return i < change.first; };
  std::set<std::string_view> rows;
  for (auto change = std::upper_bound(changed_.begin(), changed_.end(), before, past);
       change != changed_.end() && change->first <= upto; ++change) {
    rows.insert(*change->second);
  }
  return rows;
}

absl::StatusOr<std::optional<std::string>> MachineHistory::Get(std::string_view key) const {
  const auto changes = rows_.find(key);
  return changes == rows_.end() ? std::nullopt : changes->second.back().value;
}

absl::Status MachineHistory::Scan(
    std::string_view begin, std::string_view end,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) const {
  for (auto row = rows_.lower_bound(begin); row != rows_.end(); ++row) {
    if (!end.empty() && row->first >= end) break;
    const std::optional<std::string>& value = row->second.back().value;
    if (value && !visit(row->first, *value)) break;
  }
  return absl::OkStatus();
}

}  // namespace flaredb::sim
