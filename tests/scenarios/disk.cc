// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/disk.h"

#include <algorithm>
#include <utility>

#include "core/raft/membership.h"

namespace flaredb::raft {
namespace {

EntrySlice SliceOf(const StoredEntry& entry, Index index) {
  const NewEntry new_entry{entry.kind, entry.payload};
  return EntrySlice(EntryBlock::Create(entry.term, index, {&new_entry, 1}));
}

}  // namespace

StoredEntry Stored(const EntryView& entry) {
  return {entry.term, entry.kind, std::string(entry.payload)};
}

const StoredEntry* ScenarioDisk::At(Index index) const {
  if (index <= base.last.index || index > last_index()) return nullptr;
  return &log[index - base.last.index - 1];
}

std::optional<Recovered> ScenarioDisk::Recover() const {
  Recovered recovered;
  recovered.incarnation = incarnation;
  recovered.hard_state = hard_state;
  recovered.base = base.last;
  recovered.conf = base.conf;
  recovered.last_index = last_index();
  recovered.applied_index = applied_index;
  Index index = base.last.index;
  for (const StoredEntry& entry : log) {
    ++index;
    if (recovered.terms.empty() || recovered.terms.back().term != entry.term) {
      recovered.terms.push_back({index, entry.term});
    }
    if (entry.kind != EntryKind::kConf) continue;
    auto conf = DecodeConfState(entry.payload);
    if (!conf.ok()) return std::nullopt;
    recovered.confs.push_back({index, *std::move(conf)});
  }
  return recovered;
}

EntrySlices ScenarioDisk::Read(const Fetch& fetch) const {
  EntrySlices entries;
  size_t bytes = 0;
  for (Index i = fetch.first; i <= fetch.last; ++i) {
    const StoredEntry* entry = At(i);
    if (entry == nullptr) break;
    bytes += entry->payload.size();
    if (!entries.empty() && bytes > fetch.bytes_max) break;
    entries.push_back(SliceOf(*entry, i));
  }
  return entries;
}

std::string ScenarioDisk::Write(const Persist& persist) {
  if (persist.base != nullptr) {
    const Index index = persist.base->last.index;
    if (persist.install || index >= last_index()) {
      log.clear();
    } else if (index > base.last.index) {
      log.erase(log.begin(), log.begin() + (index - base.last.index));
    }
    base = *persist.base;
    applied_index = std::max(applied_index, index);
  }
  if (persist.truncate_from) {
    if (persist.truncate_from <= base.last.index) return "a truncation of the base";
    if (persist.truncate_from <= last_index()) {
      log.resize(persist.truncate_from - base.last.index - 1);
    }
  }
  for (const EntrySlice& slice : persist.append) {
    for (uint32_t i = 0; i < slice.size(); ++i) {
      if (slice.at(i).index != last_index().next()) return "a gap in the log";
      log.push_back(Stored(slice.at(i)));
    }
  }
  if (persist.hard_state) hard_state = *persist.hard_state;
  return "";
}

}  // namespace flaredb::raft
