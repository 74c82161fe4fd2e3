// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/checks.h"

#include <algorithm>
#include <variant>

#include "core/raft/membership.h"
#include "core/raft/quorum.h"
#include "tests/scenarios/describe.h"

namespace flaredb::raft {

void Checks::OnSent(PeerId id, const Message& message) {
  const Replica& replica = replicas_.at(id);
  const ScenarioDisk& disk = replica.disk;
  const std::string who = "replica " + Text(id);
  if (disk.hard_state.term < message.term) Fail(who + " shows a volatile term");
  const auto* vote_reply = std::get_if<VoteReply>(&message.body);
  if (vote_reply != nullptr && vote_reply->granted &&
      disk.hard_state != HardState{message.term, message.to}) {
    Fail(who + " grants a volatile vote");
  }
  if (std::holds_alternative<VoteRequest>(message.body) &&
      disk.hard_state != HardState{message.term, id}) {
    Fail(who + " shows a volatile candidacy");
  }
  const auto* reply = std::get_if<AppendReply>(&message.body);
  if (reply == nullptr) return;
  const auto* accept = std::get_if<AppendAccept>(&reply->result);
  if (accept == nullptr) return;
  if (accept->match_index > disk.last_index()) return Fail(who + " accepts a volatile entry");
  const auto leader = replicas_.find(message.to);
  if (leader == replicas_.end()) return;
  for (Index i = disk.base.last.index.next(); i <= accept->match_index; ++i) {
    const StoredEntry* theirs = leader->second.disk.At(i);
    const auto leads = leaders_.find(message.term);
    if (leads == leaders_.end() || leads->second != message.to) return;
    if (leader->second.disk.hard_state.term != message.term) return;
    if (theirs != nullptr && *theirs != *disk.At(i)) {
      // The leader's own write may be under way.
      const bool pending = !leader->second.writes.empty();
      if (!pending) return Fail(who + " accepts a wrong entry at " + Text(i));
    }
  }
}

void Checks::OnView(PeerId id, const View& before, const View& after) {
  if (after.role != Role::kLeader) return;
  const auto [leader, first] = leaders_.emplace(after.term, id);
  if (leader->second != id) Fail("two leaders in term " + Text(after.term));
  if (wiped_ || before.role != Role::kLeader || after.commit_index <= before.commit_index) return;
  // The entry at the commit index: as the leader's memory has it, and so as it was applied.
  if (after.commit_index.value() > committed_.size()) return;
  const StoredEntry& entry = committed_[after.commit_index.value() - 1];
  const bool held = HasQuorum(after.conf, [&](PeerId voter) {
    const auto replica = replicas_.find(voter);
    if (replica == replicas_.end()) return false;
    const ScenarioDisk& disk = replica->second.disk;
    if (after.commit_index <= disk.base.last.index) return true;
    const StoredEntry* theirs = disk.At(after.commit_index);
    return theirs != nullptr && *theirs == entry;
  });
  if (!held) Fail("entry " + Text(after.commit_index) + " is committed without a quorum of disks");
}

void Checks::OnApplied(PeerId id, const EntryView& entry) {
  if (entry.index != replicas_.at(id).applied_index.next()) {
    Fail("replica " + Text(id) + " skips or repeats entry " + Text(entry.index));
  }
  const StoredEntry stored = Stored(entry);
  if (entry.index.value() == committed_.size() + 1) {
    committed_.push_back(stored);
  } else if (entry.index.value() > committed_.size()) {
    Fail("replica " + Text(id) + " applies beyond a gap");
  } else if (stored != committed_[entry.index.value() - 1]) {
    Fail("replica " + Text(id) + " applies another entry at " + Text(entry.index));
  }
}

void Checks::OnBase(PeerId id, const LogBase& base) {
  if (base.last.index.value() > committed_.size()) {
    return Fail("the base of replica " + Text(id) + " is not committed");
  }
  if (base.last.index && committed_[base.last.index.value() - 1].term != base.last.term) {
    return Fail("the base of replica " + Text(id) + " has a wrong term");
  }
  ConfState conf = founding_conf_;
  for (size_t i = 0; i < base.last.index.value(); ++i) {
    if (committed_[i].kind != EntryKind::kConf) continue;
    const auto decoded = DecodeConfState(committed_[i].payload);
    if (decoded.ok()) conf = *decoded;
  }
  if (conf != base.conf) {
    Fail("the base of replica " + Text(id) + " has the configuration " + Told(base.conf) +
         " instead of " + Told(conf));
  }
}

void Checks::OnWritten() {
  if (logs_differ_) return;
  for (const auto& [a, one] : replicas_) {
    for (const auto& [b, two] : replicas_) {
      if (a >= b) continue;
      const Index first = std::max(one.disk.base.last.index, two.disk.base.last.index).next();
      bool same = false;  // Whether the entry after is the same in both.
      for (Index i = std::min(one.disk.last_index(), two.disk.last_index()); i >= first;
           i = i.prev()) {
        const StoredEntry& x = *one.disk.At(i);
        const StoredEntry& y = *two.disk.At(i);
        if ((same || x.term == y.term) && x != y) {
          logs_differ_ = true;  // Once is enough.
          return Fail("the logs of " + Text(a) + " and " + Text(b) + " do not match at " + Text(i));
        }
        same = x == y;
      }
    }
  }
}

}  // namespace flaredb::raft
