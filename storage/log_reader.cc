// SPDX-License-Identifier: Apache-2.0
#include "storage/log_reader.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/raft/membership.h"
#include "storage/bytes.h"
#include "storage/record_codec.h"
#include "storage/rocks_error.h"
#include "storage/slices.h"

namespace flaredb::storage {
namespace {

absl::Status BrokenLog(LogPosition at, const std::string& what) {
  return absl::DataLossError(absl::StrCat("the Raft log of region ", at.region.value(),
                                          " is damaged at index ", at.index.value(), ": ", what));
}

// Logs are read once and in order: not worth room in the block cache.
rocksdb::ReadOptions Sequential() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return options;
}

// Adds the next entry of the log, or says why it cannot be the next.
absl::Status Extend(env::LogState& log, const raft::EntryView& entry) {
  const LogPosition at{log.region, entry.index};
  if (entry.index != log.last_index.next()) {
    return BrokenLog(at, absl::StrCat("the entry before it is ", log.last_index.value()));
  }
  const Term previous = log.terms.empty() ? log.base.last.term : log.terms.back().term;
  if (entry.term < previous) return BrokenLog(at, "its term is below its predecessor's");
  if (entry.term > log.hard_state.term) return BrokenLog(at, "its term is above the replica's");
  if (log.terms.empty() || entry.term != previous) log.terms.push_back({entry.index, entry.term});
  log.last_index = entry.index;
  if (entry.kind == raft::EntryKind::kConf) {
    absl::StatusOr<raft::ConfState> conf = raft::DecodeConfState(entry.payload);
    if (!conf.ok()) return BrokenLog(at, std::string(conf.status().message()));
    log.confs.push_back({entry.index, *std::move(conf)});
  }
  return absl::OkStatus();
}

absl::Status BrokenState(RegionId region, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("the Raft state of region ", region.value(), " is damaged: ", ToAbsl(what)));
}

// The two rows of a replica, as far as they were met.
struct StateRows {
  std::optional<ReplicaState> replica;
  std::optional<raft::LogBase> base;
};

absl::Status ReadStateRow(std::string_view key, std::string_view value,
                          std::map<RegionId, StateRows>& found) {
  const std::optional<RaftStatePlace> place = ParseRaftStateKey(key);
  if (!place) {
    return absl::DataLossError(absl::StrCat("column family raft_state has the key ", Hex(key),
                                            ", which is not a replica's"));
  }
  StateRows& rows = found[place->region];
  if (place->row == RaftStateRow::kBase) {
    absl::StatusOr<raft::LogBase> base = DecodeLogBase(key, value);
    if (!base.ok()) return base.status();
    rows.base = *std::move(base);
  } else {
    const absl::StatusOr<ReplicaState> replica = DecodeReplicaState(key, value);
    if (!replica.ok()) return replica.status();
    rows.replica = *replica;
  }
  return absl::OkStatus();
}

// Logs that have no entries yet.
absl::StatusOr<std::map<RegionId, env::LogState>> ReadStates(const OpenedFolder& folder) {
  std::map<RegionId, StateRows> found;
  const std::unique_ptr<rocksdb::Iterator> it(
      folder.db().NewIterator({}, folder.family(Family::kRaftState)));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const absl::Status s = ReadStateRow(FromSlice(it->key()), FromSlice(it->value()), found);
    if (!s.ok()) return s;
  }
  if (!it->status().ok()) return ErrorFromRocks(it->status(), "reading the Raft states");

  std::map<RegionId, env::LogState> logs;
  for (auto& [region, rows] : found) {
    if (!rows.replica) return BrokenState(region, "there is a log base, but no replica state");
    if (!rows.base) return BrokenState(region, "there is a replica state, but no log base");
    env::LogState& log = logs[region];
    log.region = region;
    log.incarnation = rows.replica->incarnation;
    log.hard_state = rows.replica->hard_state;
    log.base = *std::move(rows.base);
    log.last_index = log.base.last.index;
  }
  return logs;
}

// Collects entries of one term and turns them into a block; payloads are kept in one buffer until
// their number is known, since RocksDB's views of them end with each step.
class BlockBuilder {
 public:
  void Add(const raft::EntryView& entry) {
    if (entries_.empty()) {
      first_ = entry.index;
      term_ = entry.term;
    }
    entries_.push_back({entry.kind, entry.payload.size()});
    payloads_.append(entry.payload);
  }
  bool Accepts(Term term) const { return entries_.empty() || term == term_; }
  void FlushTo(raft::EntrySlices& slices) {
    if (entries_.empty()) return;
    std::vector<raft::NewEntry> views;
    views.reserve(entries_.size());
    size_t at = 0;
    for (const auto& [kind, size] : entries_) {
      views.push_back({kind, std::string_view(payloads_).substr(at, size)});
      at += size;
    }
    slices.push_back(raft::EntrySlice(raft::EntryBlock::Create(term_, first_, views)));
    entries_.clear();
    payloads_.clear();
  }

 private:
  Index first_;
  Term term_;
  std::vector<std::pair<raft::EntryKind, size_t>> entries_;
  std::string payloads_;
};

}  // namespace

absl::StatusOr<std::vector<env::LogState>> ReadLogStates(const OpenedFolder& folder) {
  absl::StatusOr<std::map<RegionId, env::LogState>> logs = ReadStates(folder);
  if (!logs.ok()) return logs.status();

  const std::unique_ptr<rocksdb::Iterator> it(
      folder.db().NewIterator(Sequential(), folder.family(Family::kRaftLog)));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    const std::string_view key = FromSlice(it->key());
    const absl::StatusOr<raft::EntryView> entry = DecodeEntry(key, FromSlice(it->value()));
    const std::optional<LogPosition> at = ParseRaftLogKey(key);
    if (!entry.ok()) {
      return at ? BrokenLog(*at, std::string(entry.status().message())) : entry.status();
    }
    const auto log = logs->find(at->region);
    if (log == logs->end()) return BrokenLog(*at, "the region has no replica state");
    if (absl::Status s = Extend(log->second, *entry); !s.ok()) return s;
  }
  if (!it->status().ok()) return ErrorFromRocks(it->status(), "reading the Raft logs");

  std::vector<env::LogState> states;
  states.reserve(logs->size());
  for (auto& [region, log] : *logs) states.push_back(std::move(log));
  return states;
}

absl::StatusOr<raft::EntrySlices> ReadEntries(const OpenedFolder& folder, RegionId region,
                                              Index first, Index last, size_t bytes_max) {
  INVARIANT(first <= last);
  const RaftLogKey begin = MakeRaftLogKey(region, first);
  // The least key above `last`'s: next() could overflow.
  const std::string end = std::string(View(MakeRaftLogKey(region, last))).append(1, '\0');
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options = Sequential();
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(
      folder.db().NewIterator(options, folder.family(Family::kRaftLog)));

  raft::EntrySlices slices;
  BlockBuilder block;
  size_t bytes = 0;
  Index next = first;
  for (it->Seek(ToSlice(begin)); it->Valid(); it->Next()) {
    const std::string_view key = FromSlice(it->key());
    const absl::StatusOr<raft::EntryView> entry = DecodeEntry(key, FromSlice(it->value()));
    if (!entry.ok()) return BrokenLog({region, next}, std::string(entry.status().message()));
    bytes += entry->payload.size();
    if (entry->index != next || (next != first && bytes > bytes_max)) break;
    if (!block.Accepts(entry->term)) block.FlushTo(slices);
    block.Add(*entry);
    ++next;
  }
  if (!it->status().ok()) {
    return ErrorFromRocks(it->status(),
                          absl::StrCat("reading the Raft log of region ", region.value()));
  }
  block.FlushTo(slices);
  if (slices.empty()) {
    return absl::NotFoundError(absl::StrCat("the Raft log of region ", region.value(),
                                            " has no entry at index ", first.value()));
  }
  return slices;
}

}  // namespace flaredb::storage
