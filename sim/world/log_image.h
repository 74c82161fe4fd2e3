// SPDX-License-Identifier: Apache-2.0
// One region's Raft state as a sequence of persists made it.
#ifndef FLAREDB_SIM_WORLD_LOG_IMAGE_H_
#define FLAREDB_SIM_WORLD_LOG_IMAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/env/disk.h"
#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/types.h"

namespace flaredb::sim {

// A value; copying shares the entry blocks. The durable state of a disk is one, what a store has
// asked to be written so far is another.
class LogImage {
 public:
  // Carries out one persist. A sentence when it can't be, after which the image is of no use:
  //   base     at or before the one that is there, or of an earlier term. Unless it is an install
  //            or the first persist of this log: beyond the end, of another term than the entry
  //            there, or with another configuration than the one in force there
  //   install  without a base
  //   truncate into the base, or beyond the end
  //   append   leaves a gap, covers entries that were not truncated, goes back in terms, or holds a
  //            configuration that cannot be decoded
  // O(entries in the persist); a new base costs O(entries after it).
  std::optional<std::string> Apply(const raft::Persist& persist);

  const raft::HardState& hard_state() const { return hard_state_; }
  const raft::LogBase& base() const { return base_; }
  // The base's index when there are no entries.
  Index last_index() const { return base_.last.index + entries_.size(); }
  // The base knows its own term. 0 before it, for index 0 and beyond the end.
  Term TermAt(Index index) const;
  // Whether there is an entry: after the base and not beyond the end.
  bool Has(Index index) const { return base_.last.index < index && index <= last_index(); }
  // Requires Has(index).
  raft::EntryView At(Index index) const { return slot(index).block->at(slot(index).position); }
  // In force at `index`, which is not before the base.
  const raft::ConfState& ConfAt(Index index) const;
  // Of the kConf entries; ascending.
  const std::vector<raft::ConfAt>& confs() const { return confs_; }

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
  const Slot& slot(Index index) const { return entries_[index - base_.last.index - 1]; }

  std::optional<std::string> MoveBase(const raft::Persist& persist, bool first);
  std::optional<std::string> Truncate(Index from);
  std::optional<std::string> Append(const raft::EntrySlice& slice);

  bool written_ = false;  // A persist was carried out.
  raft::HardState hard_state_;
  raft::LogBase base_;
  std::vector<Slot> entries_;        // Of the index after the base's, and so on.
  std::vector<raft::ConfAt> confs_;  // Of the kConf entries among them.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_LOG_IMAGE_H_
