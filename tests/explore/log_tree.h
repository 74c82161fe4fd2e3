// SPDX-License-Identifier: Apache-2.0
// Every log of an exploration in one tree.
#ifndef FLAREDB_TESTS_EXPLORE_LOG_TREE_H_
#define FLAREDB_TESTS_EXPLORE_LOG_TREE_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/types.h"
#include "core/raft/entry_slices.h"

namespace flaredb::explore {

// A log, named by its last entry; zero is the empty log. Logs are equal if and only if their names
// are, and so are their prefixes.
using LogName = uint32_t;

class LogTree {
 public:
  LogTree() : nodes_(1) {}

  LogName Append(LogName log, const raft::EntryView& entry);

  Index last_index(LogName log) const { return nodes_[log].index; }
  Term last_term(LogName log) const { return nodes_[log].term; }
  raft::EntryKind last_kind(LogName log) const { return nodes_[log].kind; }
  const std::string& last_payload(LogName log) const { return nodes_[log].payload; }
  // Without its last entry. Requires a log that is not empty.
  LogName Shorter(LogName log) const { return nodes_[log].shorter; }
  // The first `last` entries. Requires last <= last_index(log). O(entries cut off).
  LogName Prefix(LogName log, Index last) const;
  bool IsPrefix(LogName prefix, LogName log) const {
    return last_index(prefix) <= last_index(log) && Prefix(log, last_index(prefix)) == prefix;
  }
  // The entries [first, last], one slice for each.
  raft::EntrySlices Read(LogName log, Index first, Index last) const;

 private:
  struct Node {
    LogName shorter = 0;
    Index index;
    Term term;
    raft::EntryKind kind = raft::EntryKind::kNoop;
    std::string payload;
  };
  using Key = std::tuple<LogName, Term, raft::EntryKind, std::string>;

  std::vector<Node> nodes_;
  std::map<Key, LogName> names_;
};

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_LOG_TREE_H_
