// SPDX-License-Identifier: Apache-2.0
// One region's Raft state as a sequence of persists made it.
#ifndef FLAREDB_SIM_LOG_IMAGE_H_
#define FLAREDB_SIM_LOG_IMAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/types.h"
#include "core/store/recovery.h"

namespace flaredb::sim {

// A value; copying shares the entry blocks. The durable state of a disk is one, what a store has
// asked to be written so far is another.
class LogImage {
 public:
  // Carries out one persist. A sentence when it can't be: an append that leaves a gap or covers
  // entries that were not truncated. O(entries in the persist).
  std::optional<std::string> Apply(const raft::Persist& persist);

  const raft::HardState& hard_state() const { return hard_state_; }
  Index last_index() const { return Index(entries_.size()); }
  // 0 for index 0 and beyond the end.
  Term TermAt(Index index) const {
    return index && index <= last_index() ? slot(index).block->term() : Term();
  }
  // Requires 1 <= index <= last_index().
  raft::EntryView At(Index index) const { return slot(index).block->at(slot(index).position); }

  // A prefix of [first, last] of at most `bytes_max` payload bytes but at least one entry; empty
  // when `first` is not there.
  raft::EntrySlices Read(Index first, Index last, size_t bytes_max) const;

  // What a storage layer reports at start.
  env::LogState State(RegionId region, Incarnation incarnation) const;

 private:
  struct Slot {
    raft::EntryBlockRef block;
    uint32_t position;
  };
  const Slot& slot(Index index) const { return entries_[index.value() - 1]; }

  raft::HardState hard_state_;
  std::vector<Slot> entries_;  // Of index 1, 2, ...
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_LOG_IMAGE_H_
