// SPDX-License-Identifier: Apache-2.0
#include "tests/core/raft/group_disk.h"

#include <algorithm>

#include "core/base/codec.h"
#include "core/raft/membership.h"
#include "gtest/gtest.h"

namespace flaredb::raft {

std::ostream& operator<<(std::ostream& out, const StoredEntry& entry) {
  return out << "term " << entry.term << " kind " << static_cast<int>(entry.kind) << " \""
             << entry.payload << "\"";
}

void ListMachine::Apply(Index index, const StoredEntry& entry) {
  applied_index = index;
  if (entry.kind == EntryKind::kCommand) commands.emplace_back(index, entry.payload);
}

void ListMachine::UndoAfter(Index index) {
  applied_index = std::min(applied_index, index);
  while (!commands.empty() && commands.back().first > index) commands.pop_back();
}

std::string ListMachine::Encode() const {
  ByteWriter out;
  out.Varint(applied_index.value());
  for (const auto& [index, payload] : commands) {
    out.Varint(index.value());
    out.Bytes(payload);
  }
  return out.Take();
}

ListMachine ListMachine::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  ListMachine machine;
  machine.applied_index = Index(in.Varint());
  const std::string_view commands = in.Rest();
  ByteReader rest(commands);
  for (size_t read = 0; rest.ok() && read < commands.size();) {
    const Index index(rest.Varint());
    const std::string_view payload = rest.Bytes();
    machine.commands.emplace_back(index, std::string(payload));
    read = static_cast<size_t>(payload.data() + payload.size() - commands.data());
  }
  EXPECT_TRUE(in.ok() && rest.Finish("a list of commands").ok()) << "a damaged snapshot";
  return machine;
}

std::vector<uint64_t> Disk::terms() const {
  std::vector<uint64_t> terms;
  for (const StoredEntry& entry : log) terms.push_back(entry.term.value());
  return terms;
}

std::vector<ConfAt> Disk::confs() const {
  std::vector<ConfAt> confs;
  for (size_t i = 0; i < log.size(); ++i) {
    if (log[i].kind != EntryKind::kConf) continue;
    absl::StatusOr<ConfState> conf = DecodeConfState(log[i].payload);
    EXPECT_TRUE(conf.ok()) << conf.status();
    if (conf.ok()) confs.push_back({base.last.index + (i + 1), *std::move(conf)});
  }
  return confs;
}

ConfAt Disk::conf() const {
  for (size_t i = log.size(); i > 0; --i) {
    if (log[i - 1].kind != EntryKind::kConf) continue;
    absl::StatusOr<ConfState> conf = DecodeConfState(log[i - 1].payload);
    EXPECT_TRUE(conf.ok()) << conf.status();
    if (conf.ok()) return {base.last.index + i, *std::move(conf)};
  }
  return {base.last.index, base.conf};
}

void Disk::CarryOut(const Persist& persist) {
  if (persist.base != nullptr) {
    const Index first = persist.base->last.index.next();
    if (persist.install) {
      log.clear();
    } else {
      ASSERT_LE(base.last.index, persist.base->last.index);
      ASSERT_LE(persist.base->last.index, last_index()) << "compaction beyond the end of the log";
      if (first.prev() > base.last.index) {
        EXPECT_EQ(At(first.prev()).term, persist.base->last.term);
      }
      log.erase(log.begin(), log.begin() + static_cast<ptrdiff_t>(first.prev() - base.last.index));
    }
    base = *persist.base;
  }
  if (persist.truncate_from) {
    ASSERT_GT(persist.truncate_from, base.last.index);
    ASSERT_LE(persist.truncate_from, last_index());
    log.resize(persist.truncate_from - base.last.index - 1);
  }
  for (const EntrySlice& slice : persist.append) {
    ASSERT_EQ(slice.first_index(), last_index().next()) << "a gap in the log";
    for (uint32_t i = 0; i < slice.size(); ++i) {
      const EntryView entry = slice.at(i);
      log.push_back({entry.term, entry.kind, std::string(entry.payload)});
    }
  }
  if (persist.hard_state) hard_state = *persist.hard_state;
}

Disk DiskWithTerms(const std::vector<uint64_t>& terms, uint64_t term) {
  Disk disk;
  for (const uint64_t t : terms) {
    disk.log.push_back({Term(t), EntryKind::kCommand, "t" + std::to_string(t)});
  }
  disk.hard_state.term = Term(std::max(term, terms.empty() ? 0 : terms.back()));
  return disk;
}

EntryBlockRef BlockOf(const StoredEntry& entry, Index index) {
  const NewEntry new_entry{entry.kind, entry.payload};
  return EntryBlock::Create(entry.term, index, {&new_entry, 1});
}

EntrySlices EntriesOfTerms(uint64_t first, const std::vector<uint64_t>& terms) {
  EntrySlices entries;
  for (const StoredEntry& entry : DiskWithTerms(terms).log) {
    entries.push_back(EntrySlice(BlockOf(entry, Index(first++))));
  }
  return entries;
}

}  // namespace flaredb::raft
