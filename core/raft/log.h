// SPDX-License-Identifier: Apache-2.0
// The replica's log as the core knows it: the term of every entry, the recent entries themselves,
// and how far it is durable and committed.
#ifndef FLAREDB_CORE_RAFT_LOG_H_
#define FLAREDB_CORE_RAFT_LOG_H_

#include <deque>
#include <optional>
#include <vector>

#include "core/base/hash.h"
#include "core/base/types.h"
#include "core/raft/entry.h"
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
  LogId last_id() const { return {*TermAt(last_index_), last_index_}; }
  Index commit_index() const { return commit_index_; }
  Index window_first() const { return window_first_; }

  // The term of the entry at `index`; nullopt outside [base, last_index]. O(log runs).
  std::optional<Term> TermAt(Index index) const;
  // Whether this log has that very entry (thesis 3.5, the consistency check).
  bool Has(LogId id) const { return TermAt(id.index) == id.term; }
  // The last position at or before `index` whose term is at most `term`: where a log that differs
  // at `index` may still agree. Never before base. Requires index <= last_index.
  LogId LastWithTermAtMost(Index index, Term term) const;

  // Adds entries right after last_index. Requires that terms do not decrease.
  void Append(EntrySlice entries);
  // Deletes the entries at and after `from`, which are not committed.
  void TruncateFrom(Index from);
  // Requires commit_index <= index <= last_index.
  void CommitTo(Index index);

  // Entries from `first` on, at most up to `last` and about `bytes_max` payload bytes, but at least
  // one. Empty when the first one is not in memory. Requires base < first <= last <= last_index.
  EntrySlices Read(Index first, Index last, size_t bytes_max) const;
  // Forgets the oldest durable entries in memory until at most `bytes_max` payload bytes remain.
  void TrimWindow(size_t bytes_max);
  size_t window_bytes() const { return window_bytes_; }

  // Durability moves by tokens (see Effects): the log as it is now goes to the disk under `token`.
  void OnPersistIssued(IoToken token);
  void OnPersisted(IoToken token);
  // Entries up to here are on the disk as they are in this log.
  Index durable_index() const { return durable_index_; }

  void HashInto(Hasher* hasher) const;

 private:
  // The disk will equal this log up to `last_index` once `token` is durable; truncations lower it.
  struct Issued {
    IoToken token;
    Index last_index;
  };

  LogId base_;
  std::vector<TermRun> terms_;
  Index last_index_;
  Index commit_index_;
  std::deque<EntrySlice> window_;
  Index window_first_;  // last_index_ + 1 when the window is empty.
  size_t window_bytes_ = 0;
  Index durable_index_;
  std::deque<Issued> issued_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_LOG_H_
