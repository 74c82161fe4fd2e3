// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/commits.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "core/base/check.h"
#include "core/raft/membership.h"
#include "core/region/region.h"

#include "sim/invariants/log_matching.h"

namespace flaredb::sim {

namespace {

// Quorums of neighbours intersect (thesis 4.3): into a joint phase, out of it, or the voters stay.
bool AreNeighbours(const raft::ConfState& before, const raft::ConfState& after) {
  if (before.joint()) return !after.joint() && after.voters == before.voters;
  return (after.joint() ? after.voters_outgoing : after.voters) == before.voters;
}

}  // namespace

uint64_t Commits::ConfVersionAt(Index index) const {
  uint64_t version = birth_conf_version_;
  std::vector<Peer> peers = *PeersOf(confs_.front().conf);
  for (const raft::ConfAt& at : confs_) {
    if (at.index > index) break;
    std::vector<Peer> next = *PeersOf(at.conf);
    if (next == peers) continue;
    ++version;
    peers = std::move(next);
  }
  return version;
}

const raft::ConfState& Commits::ConfAt(Index index) const {
  size_t i = confs_.size() - 1;
  while (i > 0 && confs_[i].index > index) --i;
  return confs_[i].conf;
}

void Commits::AddConf(uint32_t node, const raft::EntryView& entry) {
  const absl::StatusOr<raft::ConfState> conf = raft::DecodeConfState(entry.payload);
  INVARIANT(conf.ok());
  const raft::ConfState& before = confs_.back().conf;
  if (!IsRecovery(entry.index, entry.term) && !AreNeighbours(before, *conf)) {
    std::ostringstream out;
    out << names_->Store(node) << " commits at index " << entry.index << " the configuration "
        << names_->Tell(*conf) << " right after " << names_->Tell(before) << ".";
    report_->Fail(FailureKind::kSafety, "CFG", out.str());
  }
  confs_.push_back({entry.index, *conf});
}

void Commits::OnConf(uint32_t node, const LogImage& log) {
  const raft::ConfAt* before = nullptr;
  for (const raft::ConfAt& conf : log.confs()) {
    const raft::ConfState& from = before != nullptr ? before->conf : ConfAt(log.base().last.index);
    const bool early = before != nullptr && (before->index > last() || !Holds(log, before->index));
    if (IsRecovery(conf.index, log.TermAt(conf.index)) ||
        (!early && AreNeighbours(from, conf.conf))) {
      before = &conf;
      continue;
    }
    std::ostringstream out;
    out << names_->Store(node) << " has the configuration " << names_->Tell(conf.conf)
        << " in its log, at index " << conf.index << ", ";
    if (early) {
      out << "but the one before it, at index " << before->index << ", is not committed.";
    } else {
      out << "right after " << names_->Tell(from) << ".";
    }
    report_->Fail(FailureKind::kSafety, "CFG", out.str());
    return;
  }
}

void Commits::OnInstall(uint32_t node, const raft::LogBase& base) {
  std::ostringstream out;
  out << names_->Store(node) << " installs a snapshot of " << base.last.term << ":"
      << base.last.index;
  if (base.last.index > last() || base.last.term != TermAt(base.last.index)) {
    out << ", but the history is committed up to " << TermAt(last()) << ":" << last() << ".";
    report_->Fail(FailureKind::kSafety, "SNAP", out.str());
  } else if (base.conf != ConfAt(base.last.index)) {
    out << " with the configuration " << names_->Tell(base.conf) << ", but "
        << names_->Tell(ConfAt(base.last.index)) << " was in force there.";
    report_->Fail(FailureKind::kSafety, "CFG", out.str());
  }
}

void Commits::OnCommit(uint32_t node, Index from, Index to, const raft::ConfState& before,
                       const std::vector<Replica>& replicas) {
  const LogImage& log = replicas[node].issued;
  const Index known = last();
  const auto conf = std::make_shared<const raft::ConfState>(replicas[node].view.conf);
  for (Index i = std::max(from, log.base().last.index).next(); i <= to; ++i) {
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
    INVARIANT(i == last().next());
    entries_.push_back({entry.term, replicas[node].view.term, node, content, conf});
    if (entry.kind == raft::EntryKind::kConf) AddConf(node, entry);
    if (const auto refused = model_.Apply(entry)) {
      report_->Fail(FailureKind::kSafety, "APPLY", *refused + ".");
      return;
    }
    machine_.Apply(entry, report_);
  }
  if (to <= known) return;

  // Log matching carries the conclusion from the last new entry to those before it.
  const auto holds = [&](const Replica&, const LogImage& log) { return Holds(log, to); };
  if (!OnQuorum(region_, *conf, replicas, *names_, holds) &&
      !OnQuorum(region_, before, replicas, *names_, holds)) {
    std::ostringstream out;
    out << names_->Store(node) << " calls index " << to << " of term " << TermAt(to)
        << " committed, but the disks that hold it are no quorum of " << names_->Tell(*conf) << ".";
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

Index Commits::GoBackTo(const LogImage& log, raft::LogId chosen, Term term) {
  INVARIANT(machine_.executed().empty());
  Index kept = std::min(last(), chosen.index);
  while (kept && !Holds(log, kept)) kept = kept.prev();
  entries_.resize(kept.value());
  // Whoever is to have what is kept has it from the recovery on.
  for (Entry& entry : entries_) entry.committed_in = std::min(entry.committed_in, term);
  while (confs_.back().index > kept) confs_.pop_back();
  model_.GoBackTo(kept);
  recoveries_.push_back({term, chosen.index.next()});
  return kept;
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
  // The last committed entry that it loses; who holds that one holds those before it.
  const Replica& loser = replicas[node];
  Index lost = last();
  const LogImage& log = loser.disk->image().log(region_);
  while (lost >= index && !Holds(log, lost)) lost = lost.prev();
  if (lost < index) return;
  const auto left = [&](const Replica& other, const LogImage& others) {
    return &other != &loser && Holds(others, lost);
  };
  const raft::ConfState& then = *entries_[lost.value() - 1].conf;
  if (OnQuorum(region_, then, replicas, *names_, left)) return;
  // Members may have come and gone since.
  if (OnQuorum(region_, confs_.back().conf, replicas, *names_, left)) return;
  for (const Replica& leader : replicas) {
    if (leader.leads() && OnQuorum(region_, leader.view.conf, replicas, *names_, left)) return;
  }
  std::ostringstream out;
  out << "index " << lost << " of term " << TermAt(lost) << " is committed, and "
      << names_->Store(node)
      << " deletes it from its disk, which leaves it on less than a quorum of "
      << names_->Tell(then) << ".";
  report_->Fail(FailureKind::kSafety, "CD", out.str());
}

}  // namespace flaredb::sim
