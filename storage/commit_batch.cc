// SPDX-License-Identifier: Apache-2.0
#include "storage/commit_batch.h"

#include <array>
#include <string_view>

#include "core/base/check.h"
#include "storage/bytes.h"
#include "storage/slices.h"

namespace flaredb::storage {
namespace {

// A range deletion is one record whatever its length, but every read of the column family pays
// for it until a compaction reaches the bottom: RocksDB has to look whether it covers the key, and
// rebuilds that index of the memtable's range deletions after each new one. Truncations are a few
// entries long (what a deposed leader had in flight), so they are deleted one by one; what a new
// base leaves behind may be many thousands, and as many deletions would be worse.
constexpr uint64_t kSingleDeletesMax = 1024;

void MustFit(const rocksdb::Status& s) { INVARIANT(s.ok()) << s.ToString(); }

}  // namespace

CommitBatch::CommitBatch(const OpenedFolder& folder, const std::vector<env::LogState>& logs)
    : folder_(folder) {
  for (const env::LogState& log : logs) {
    replicas_[log.region] = {
        {log.incarnation, log.hard_state}, log.base.last.index, log.last_index};
  }
}

void CommitBatch::Add(const env::GroupCommit& commit) {
  for (const env::LogWrite& write : commit.log) {
    if (write.destroy) {
      Destroy(write);
    } else {
      AddLog(write);
    }
  }
  AddData(commit.data);
}

void CommitBatch::AddLog(const env::LogWrite& write) {
  const raft::Persist& persist = write.persist;
  const bool creates = static_cast<bool>(write.create);
  const auto [it, created] = replicas_.try_emplace(write.region);
  INVARIANT(creates == created) << "region " << write.region;
  Replica& replica = it->second;
  if (creates) replica.state.incarnation = write.create;

  INVARIANT(!persist.install || persist.base != nullptr) << "region " << write.region;
  if (persist.base != nullptr) {
    MoveBase(write.region, *persist.base, persist.install, creates, replica);
  } else if (creates) {
    // Never absent, so that a base that got lost is not taken for a log from the start.
    PutBase(write.region, raft::LogBase{});
  }
  const Index old_last = replica.last_index;
  if (persist.truncate_from) {
    INVARIANT(replica.base < persist.truncate_from) << "region " << write.region;
    INVARIANT(persist.truncate_from <= old_last.next()) << "region " << write.region;
    replica.last_index = persist.truncate_from.prev();
  }
  for (const raft::EntrySlice& slice : persist.append) {
    INVARIANT(slice.first_index() == replica.last_index.next()) << "region " << write.region;
    for (uint32_t i = 0; i < slice.size(); ++i) PutEntry(write.region, slice.at(i));
    replica.last_index = slice.last_index();
  }
  // A truncated entry whose index is written again needs no deletion.
  DeleteEntries(write.region, replica.last_index.next(), old_last);

  if (persist.hard_state) replica.state.hard_state = *persist.hard_state;
  if (creates || persist.hard_state) {
    const RaftStateKey key = MakeRaftStateKey(write.region, RaftStateRow::kReplica);
    MustFit(batch_.Put(folder_.family(Family::kRaftState), ToSlice(key),
                       EncodeReplicaState(write.region, replica.state)));
  }
}

void CommitBatch::Destroy(const env::LogWrite& write) {
  const auto it = replicas_.find(write.region);
  INVARIANT(it != replicas_.end()) << "region " << write.region;
  INVARIANT(!write.create && !write.persist.hard_state && write.persist.base == nullptr &&
            !write.persist.truncate_from && write.persist.append.empty())
      << "region " << write.region;
  DeleteEntries(write.region, it->second.base.next(), it->second.last_index);
  for (const RaftStateRow row : {RaftStateRow::kBase, RaftStateRow::kReplica}) {
    MustFit(batch_.Delete(folder_.family(Family::kRaftState),
                          ToSlice(MakeRaftStateKey(write.region, row))));
  }
  replicas_.erase(it);
}

void CommitBatch::MoveBase(RegionId region, const raft::LogBase& base, bool install, bool creates,
                           Replica& replica) {
  const Index to = base.last.index;
  INVARIANT(replica.base < to) << "region " << region;
  INVARIANT(install || creates || to <= replica.last_index) << "region " << region;
  const bool keeps_rest = !install && to <= replica.last_index;
  DeleteEntries(region, replica.base.next(), keeps_rest ? to : replica.last_index);
  replica.base = to;
  if (!keeps_rest) replica.last_index = to;
  PutBase(region, base);
}

void CommitBatch::PutBase(RegionId region, const raft::LogBase& base) {
  MustFit(batch_.Put(folder_.family(Family::kRaftState),
                     ToSlice(MakeRaftStateKey(region, RaftStateRow::kBase)),
                     EncodeLogBase(region, base)));
}

void CommitBatch::PutEntry(RegionId region, const raft::EntryView& entry) {
  const RaftLogKey key = MakeRaftLogKey(region, entry.index);
  const EntryHead head = EncodeEntryHead(entry.term, entry.kind);
  const SealBytes seal = MakeSeal(Family::kRaftLog, View(key), {View(head), entry.payload});
  const rocksdb::Slice key_part = ToSlice(key);
  const std::array<rocksdb::Slice, 3> parts = {ToSlice(seal), ToSlice(head),
                                               ToSlice(entry.payload)};
  MustFit(batch_.Put(folder_.family(Family::kRaftLog), rocksdb::SliceParts(&key_part, 1),
                     rocksdb::SliceParts(parts.data(), static_cast<int>(parts.size()))));
}

void CommitBatch::DeleteEntries(RegionId region, Index first, Index last) {
  if (last < first) return;
  rocksdb::ColumnFamilyHandle* log = folder_.family(Family::kRaftLog);
  if (last - first >= kSingleDeletesMax) {
    MustFit(batch_.DeleteRange(log, ToSlice(MakeRaftLogKey(region, first)),
                               ToSlice(MakeRaftLogKey(region, last.next()))));
    return;
  }
  for (Index i = first; i <= last; ++i) {
    MustFit(batch_.Delete(log, ToSlice(MakeRaftLogKey(region, i))));
  }
}

void CommitBatch::AddData(const WriteBatch& data) {
  rocksdb::ColumnFamilyHandle* family = folder_.family(Family::kData);
  for (const Mutation& mutation : data.mutations) {
    const rocksdb::Slice key = ToSlice(mutation.key);
    if (!mutation.value) {
      MustFit(batch_.Delete(family, key));
      continue;
    }
    const SealBytes seal = MakeSeal(Family::kData, mutation.key, {*mutation.value});
    const std::array<rocksdb::Slice, 2> parts = {ToSlice(seal), ToSlice(*mutation.value)};
    MustFit(batch_.Put(family, rocksdb::SliceParts(&key, 1),
                       rocksdb::SliceParts(parts.data(), static_cast<int>(parts.size()))));
  }
}

}  // namespace flaredb::storage
