// SPDX-License-Identifier: Apache-2.0
// What a replica of a test group owns beside its Raft object: a disk, and a state machine that is
// the list of the commands applied.
#ifndef FLAREDB_TESTS_CORE_RAFT_GROUP_DISK_H_
#define FLAREDB_TESTS_CORE_RAFT_GROUP_DISK_H_

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/types.h"

namespace flaredb::raft {

struct StoredEntry {
  Term term;
  EntryKind kind = EntryKind::kCommand;
  std::string payload;

  friend bool operator==(const StoredEntry&, const StoredEntry&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StoredEntry& entry);
};

// The state after the entries up to `applied_index`.
struct ListMachine {
  Index applied_index;
  std::vector<std::pair<Index, std::string>> commands;  // In order.

  void Apply(Index index, const StoredEntry& entry);
  // As if nothing after `index` had been applied.
  void UndoAfter(Index index);
  std::string Encode() const;
  // Fails the test on bytes that are none of Encode's.
  static ListMachine Decode(std::string_view bytes);

  friend bool operator==(const ListMachine&, const ListMachine&) = default;
};

// What a crash leaves of a replica's log.
struct Disk {
  Incarnation incarnation;
  HardState hard_state;
  LogBase base;
  std::vector<StoredEntry> log;  // The entry of index base + 1 + i at i.
  // Of the state machine, which moves ahead of the disk; a crash takes it back (Group::Crash).
  Index applied_index;

  Index last_index() const { return base.last.index + log.size(); }
  // Requires base < index <= last_index.
  const StoredEntry& At(Index index) const { return log.at(index - base.last.index - 1); }
  LogId last_id() const { return log.empty() ? base.last : LogId{log.back().term, last_index()}; }
  std::vector<uint64_t> terms() const;
  // The kConf entries of the log.
  std::vector<ConfAt> confs() const;
  // In force by this log: its last configuration, or the base's.
  ConfAt conf() const;

  // Carries out everything but `install` of the state machine.
  void CarryOut(const Persist& persist);
};

// A disk whose log has entries of these terms, in the last of them or in `term`.
Disk DiskWithTerms(const std::vector<uint64_t>& terms, uint64_t term = 0);

EntryBlockRef BlockOf(const StoredEntry& entry, Index index);
// Entries from `first` on with these terms, and payloads as DiskWithTerms writes them.
EntrySlices EntriesOfTerms(uint64_t first, const std::vector<uint64_t>& terms);

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_CORE_RAFT_GROUP_DISK_H_
