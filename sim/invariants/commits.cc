// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/commits.h"

#include <algorithm>
#include <sstream>

#include "sim/invariants/log_matching.h"

namespace flaredb::sim {

void Commits::OnCommit(uint32_t node, Index from, Index to, const std::vector<Replica>& replicas) {
  const LogImage& log = replicas[node].issued;
  const Index known = last();
  for (Index i = from.next(); i <= to; ++i) {
    const raft::EntryView entry = log.At(i);
    const uint64_t content = ContentHash(entry);
    if (i <= known) {
      const Entry& committed = entries_[i.value() - 1];
      if (committed.term == entry.term && committed.content == content) continue;
      std::ostringstream out;
      out << names_->Store(committed.node) << " committed an entry of term " << committed.term
          << " at index " << i << ", and " << names_->Store(node) << " commits "
          << (committed.term == entry.term ? "another one of that term"
                                           : "one of term " + std::to_string(entry.term.value()))
          << " there.";
      report_->Fail(FailureKind::kSafety, "SMS", out.str());
      return;
    }
    entries_.push_back({entry.term, replicas[node].view.term, node, content});
    if (const auto refused = model_.Apply(entry)) {
      report_->Fail(FailureKind::kSafety, "APPLY", *refused + ".");
      return;
    }
  }
  if (to <= known) return;

  // Log matching carries the conclusion from the last new entry to those before it.
  uint32_t holders = 0;
  for (const Replica& replica : replicas) {
    holders += Holds(replica.disk->image().log(region_), to);
  }
  if (holders < names_->quorum()) {
    std::ostringstream out;
    out << names_->Store(node) << " calls index " << to << " of term " << TermAt(to)
        << " committed, but it is on " << holders << " of " << names_->nodes() << " disks.";
    report_->Fail(FailureKind::kSafety, "CD", out.str());
    return;
  }
  for (uint32_t other = 0; other < replicas.size(); ++other) {
    const Replica& leader = replicas[other];
    if (!leader.leads() || leader.view.term <= replicas[node].view.term ||
        Holds(leader.issued, to)) {
      continue;
    }
    std::ostringstream out;
    out << names_->Store(node) << " commits index " << to << " of term " << TermAt(to) << ", but "
        << names_->Store(other) << ", which leads the later term " << leader.view.term
        << ", does not have it.";
    report_->Fail(FailureKind::kSafety, "LC", out.str());
  }
}

void Commits::OnElected(uint32_t node, const std::vector<Replica>& replicas) {
  const Replica& leader = replicas[node];
  Index index = last();
  while (index && entries_[index.value() - 1].committed_in >= leader.view.term) {
    index = index.prev();
  }
  if (Holds(leader.issued, index)) return;
  const Entry& entry = entries_[index.value() - 1];
  std::ostringstream out;
  out << names_->Store(entry.node) << " committed index " << index << " of term " << entry.term
      << " in term " << entry.committed_in << ", but " << names_->Store(node)
      << " was elected in term " << leader.view.term << " with "
      << (leader.issued.last_index() < index
              ? "a log that ends at " + std::to_string(leader.issued.last_index().value())
              : "an entry of term " + std::to_string(leader.issued.TermAt(index).value()) +
                    " there")
      << ".";
  report_->Fail(FailureKind::kSafety, "LC", out.str());
}

void Commits::OnTruncateIssued(uint32_t node, Term term, Index index, const LogImage& log) {
  for (Index i = index; i <= std::min(last(), log.last_index()); i = i.next()) {
    const Entry& committed = entries_[i.value() - 1];
    if (committed.committed_in > term || !Holds(log, i)) continue;
    std::ostringstream out;
    out << names_->Store(committed.node) << " committed index " << i << " of term "
        << committed.term << " in term " << committed.committed_in << ", and "
        << names_->Store(node) << " truncates it in term " << term << ".";
    report_->Fail(FailureKind::kSafety, "CD", out.str());
    return;
  }
}

void Commits::OnTruncate(uint32_t node, Index index, const std::vector<Replica>& replicas) {
  const auto holds = [&](uint32_t n, Index i) {
    return Holds(replicas[n].disk->image().log(region_), i);
  };
  // The last committed entry that it loses; who holds that one holds those before it.
  Index lost = last();
  while (lost >= index && !holds(node, lost)) lost = lost.prev();
  if (lost < index) return;
  uint32_t left = 0;
  for (uint32_t other = 0; other < replicas.size(); ++other) {
    left += other != node && holds(other, lost);
  }
  if (left >= names_->quorum()) return;
  std::ostringstream out;
  out << "index " << lost << " of term " << TermAt(lost) << " is committed, and "
      << names_->Store(node) << " deletes it from its disk, which leaves " << left << " of "
      << names_->nodes() << ".";
  report_->Fail(FailureKind::kSafety, "CD", out.str());
}

}  // namespace flaredb::sim
