// SPDX-License-Identifier: Apache-2.0
// What Group checks at every step.
#include <algorithm>

#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {

ListMachine Group::Replay(Index upto) const {
  ListMachine machine;
  EXPECT_LE(upto.value(), committed_.size());
  for (Index i(1); i <= upto && i.value() <= committed_.size(); ++i) {
    machine.Apply(i, committed_[i.prev().value()]);
  }
  return machine;
}

// A snapshot is what the replay of the entries that it stands for would have given.
void Group::CheckInstall(const ListMachine& machine, const LogBase& base) const {
  EXPECT_EQ(machine.applied_index, base.last.index);
  EXPECT_EQ(machine, Replay(base.last.index));
  ASSERT_LE(base.last.index.value(), committed_.size());
  Disk replayed;
  replayed.base.conf = conf_;
  replayed.log.assign(committed_.begin(),
                      committed_.begin() + static_cast<ptrdiff_t>(base.last.index.value()));
  EXPECT_EQ(base.last, replayed.last_id());
  EXPECT_EQ(base.conf, replayed.conf().conf) << "the configuration at " << base.last.index;
}

void Group::CheckConf(uint64_t id) const {
  const Node& n = node(id);
  const ConfAt implied = n.issued.conf();
  EXPECT_EQ(n.raft->conf(), implied.conf) << "replica " << id << ": configuration and log differ";
}

// Election safety; and leader completeness, once for each leadership.
void Group::CheckLeader(uint64_t id) {
  const Node& n = node(id);
  if (!n.raft->is_leader()) return;
  const auto [leader, first] = leaders_.emplace(n.raft->term(), PeerId(id));
  EXPECT_EQ(leader->second, PeerId(id)) << "two leaders in term " << n.raft->term();
  if (!first) return;
  EXPECT_GE(n.issued.last_index().value(), committed_.size()) << "leader " << id << " lacks some";
  const Index last = std::min(n.issued.last_index(), Index(committed_.size()));
  for (Index i = n.issued.base.last.index.next(); i <= last; ++i) {
    EXPECT_EQ(n.issued.At(i), committed_[i.prev().value()]) << "leader " << id << ", entry " << i;
  }
}

void Group::CheckLeases() const {
  uint64_t holder = 0;
  for (const auto& [id, n] : nodes_) {
    if (!holds_lease(id)) continue;
    EXPECT_EQ(holder, 0u) << holder << " and " << id << " hold a lease at once";
    EXPECT_GE(commit(id).value(), committed_.size()) << id << " would serve a stale read";
    holder = id;
  }
}

// What a message promises is on the disk when it leaves.
void Group::CheckPromise(uint64_t id, const Message& message) const {
  const Disk& disk = node(id).disk;
  EXPECT_GE(disk.hard_state.term, message.term) << "replica " << id << " shows a volatile term";
  if (const auto* reply = std::get_if<VoteReply>(&message.body); reply && reply->granted) {
    EXPECT_EQ(disk.hard_state, (HardState{message.term, message.to})) << "a volatile vote";
  }
  if (std::holds_alternative<VoteRequest>(message.body)) {
    EXPECT_EQ(disk.hard_state, (HardState{message.term, PeerId(id)})) << "a volatile candidacy";
  }
  const auto* reply = std::get_if<AppendReply>(&message.body);
  if (reply == nullptr) return;
  if (const auto* accept = std::get_if<AppendAccept>(&reply->result)) {
    ASSERT_LE(accept->match_index, disk.last_index()) << "a volatile entry is accepted";
    // The disk agrees with the leader up to there, as the leader's own memory or disk tells.
    const auto at = nodes_.find(message.to.value());
    if (at == nodes_.end() || at->second.raft == nullptr || !at->second.raft->is_leader()) return;
    const Disk& leader = at->second.disk;
    if (at->second.raft->term() != message.term) return;
    const Index both = std::min(accept->match_index, leader.last_index());
    const Index base = std::max(disk.base.last.index, leader.base.last.index);
    for (Index i = base.next(); i <= both; ++i) {
      EXPECT_EQ(disk.At(i), leader.At(i)) << "a wrong entry is accepted at " << i;
    }
  }
}

void Group::CheckApplied(uint64_t id, const EntryView& entry) {
  Node& n = node(id);
  ASSERT_EQ(entry.index, n.machine.applied_index.next()) << "replica " << id << " skips or repeats";
  const StoredEntry stored{entry.term, entry.kind, std::string(entry.payload)};
  n.machine.Apply(entry.index, stored);
  n.disk.applied_index = entry.index;
  if (entry.index.value() > committed_.size()) {
    committed_.push_back(stored);
    return;
  }
  EXPECT_EQ(stored, committed_[entry.index.value() - 1])
      << "replica " << id << " applies another entry at " << entry.index;
}

}  // namespace flaredb::raft
