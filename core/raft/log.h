// SPDX-License-Identifier: Apache-2.0
// The replica's log as the core knows it: the term of every entry, the recent entries themselves,
// and how far it is durable and committed.
#ifndef FLAREDB_CORE_RAFT_LOG_H_
#define FLAREDB_CORE_RAFT_LOG_H_

#include <vector>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/ring.h"
#include "core/base/types.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// Indexes: base < entries <= last_index. Terms are known for all of [base, last_index]; the
// entries of [window_first, last_index] are in memory, older ones on the disk only.
class Log {
 public:
  // Everything recovered is durable; nothing of it is in memory.
  Log(LogId base, std::vector<TermRun> terms, Index last_index, Index commit_index);

  LogId base() const { return base_; }
  Index last_index() const { return last_index_; }
  LogId last_id() const { return terms_.empty() ? base_ : LogId{terms_.back().term, last_index_}; }
  Index commit_index() const { return commit_index_; }
  Index window_first() const { return window_first_; }

  // The entry at `index`, or the base. Requires base <= index <= last_index. O(1) for the newest
  // run, which nearly every question is about; O(log runs).
  LogId IdAt(Index index) const {
    INVARIANT(base_.index <= index && index <= last_index_);
    if (!terms_.empty() && index >= terms_.back().first) return {terms_.back().term, index};
    return IdAtOlder(index);
  }
  // Whether this log has that very entry, or that base (thesis 3.5, the consistency check).
  bool Has(LogId id) const {
    return base_.index <= id.index && id.index <= last_index_ && IdAt(id.index) == id;
  }
  // The same of an entry of a log that has everything which is committed here: what the base stands
  // for is in both.
  bool Holds(LogId id) const { return id.index <= base_.index || Has(id); }
  // The last position at or before `index` whose term is at most `term`: where a log that differs
  // at `index` may still agree. Never before base. Requires index <= last_index.
  LogId LastWithTermAtMost(Index index, Term term) const;

  // Adds entries right after last_index. Requires that terms do not decrease.
  void Append(EntrySlice entries);
  // Deletes the entries at and after `from`, which are not committed.
  void TruncateFrom(Index from);
  // Requires commit_index <= index <= last_index.
  void CommitTo(Index index);
  // The entries up to `index` are forgotten, on the disk (by the next token) as in memory; the log
  // begins after it (thesis 5). Requires base < index <= commit_index, and index <= durable_index.
  void CompactTo(Index index);
  // A snapshot takes the place of the whole log (thesis 5): nothing follows `base`, which is
  // committed. Nothing is durable, not even the base, until the next token is. Requires
  // base.index > commit_index.
  void ResetTo(LogId base);

  // Entries from `first` on, at most up to `last` and about `bytes_max` payload bytes, but at least
  // one. Empty when the first one is not in memory. Requires base < first <= last <= last_index.
  // O(log of the blocks after `first`), and of those read.
  EntrySlices Read(Index first, Index last, size_t bytes_max) const;
  // Forgets the oldest durable entries in memory until at most `bytes_max` payload bytes remain.
  void TrimWindow(size_t bytes_max);
  // Nothing stays in memory that the disk has, nor room for more.
  void ReleaseMemory();
  size_t window_bytes() const { return window_bytes_; }

  // Durability moves by tokens (see Effects): the log as it is now goes to the disk under `token`.
  void OnPersistIssued(IoToken token);
  void OnPersisted(IoToken token);
  // Entries up to here are on the disk as they are in this log; below base after ResetTo.
  Index durable_index() const { return durable_index_; }

  void HashInto(Hasher* hasher) const;
  // What holds between calls. O(1).
  void CheckState() const;

 private:
  // The disk will equal this log up to `last_index` once `token` is durable; truncations lower it.
  // Neither `token` nor `last_index` falls from one to the next.
  struct Issued {
    IoToken token;
    Index last_index;
  };

  // Before the newest run.
  LogId IdAtOlder(Index index) const;
  // The first run that begins after `index`.
  std::vector<TermRun>::const_iterator RunAfter(Index index) const;
  // Which slice of the window has the entry at `index`. Requires that one does.
  size_t SliceOf(Index index) const;
  void ForgetOldestSlice();

  LogId base_;
  std::vector<TermRun> terms_;
  Index last_index_;
  Index commit_index_;
  Ring<EntrySlice> window_;
  Index window_first_;  // last_index_ + 1 when the window is empty.
  size_t window_bytes_ = 0;
  Index durable_index_;
  Ring<Issued> issued_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_LOG_H_
