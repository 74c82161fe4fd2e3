// SPDX-License-Identifier: Apache-2.0
// The disk of a replica in a scenario.
#ifndef FLAREDB_TESTS_SCENARIOS_DISK_H_
#define FLAREDB_TESTS_SCENARIOS_DISK_H_

#include <optional>
#include <string>
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
};

StoredEntry Stored(const EntryView& entry);

// What a crash leaves of a replica.
struct ScenarioDisk {
  Incarnation incarnation;
  HardState hard_state;
  LogBase base;
  std::vector<StoredEntry> log;  // The entry of index base.last.index + 1 + i at i.
  Index applied_index;           // The state machine's.

  Index last_index() const { return base.last.index + log.size(); }
  // Null outside (base, last_index].
  const StoredEntry* At(Index index) const;
  // What a replica starts from. Nullopt: a configuration on the disk is unreadable.
  std::optional<Recovered> Recover() const;
  // The entries that `fetch` asks for, as many as there are and fit.
  EntrySlices Read(const Fetch& fetch) const;
  // Becomes what the write makes of it. What is wrong with the write; empty when all is well.
  std::string Write(const Persist& persist);
};

}  // namespace flaredb::raft

#endif  // FLAREDB_TESTS_SCENARIOS_DISK_H_
