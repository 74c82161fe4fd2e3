// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/log_tree.h"

#include "core/base/check.h"

namespace flaredb::explore {

LogName LogTree::Append(LogName log, const raft::EntryView& entry) {
  INVARIANT(entry.index == last_index(log).next());
  const auto [at, added] = names_.try_emplace(Key(log, entry.term, entry.kind, entry.payload),
                                              static_cast<LogName>(nodes_.size()));
  if (added) {
    nodes_.push_back({log, entry.index, entry.term, entry.kind, std::string(entry.payload)});
  }
  return at->second;
}

LogName LogTree::Prefix(LogName log, Index last) const {
  INVARIANT(last <= last_index(log));
  while (nodes_[log].index > last) log = nodes_[log].shorter;
  return log;
}

raft::EntrySlices LogTree::Read(LogName log, Index first, Index last) const {
  raft::EntrySlices out;
  for (Index i = first; i <= last; ++i) {
    const Node& node = nodes_[Prefix(log, i)];
    const raft::NewEntry entry{node.kind, node.payload};
    out.push_back(raft::EntrySlice(raft::EntryBlock::Create(node.term, i, {&entry, 1})));
  }
  return out;
}

}  // namespace flaredb::explore
