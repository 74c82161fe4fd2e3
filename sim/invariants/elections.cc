// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/elections.h"

#include <sstream>

namespace flaredb::sim {

void Elections::OnDurable(uint32_t node, const raft::HardState& from, const raft::HardState& to) {
  const bool term_regresses = to.term < from.term;
  const bool vote_changes = to.term == from.term && from.vote && to.vote != from.vote;
  if (term_regresses || vote_changes) {
    std::ostringstream out;
    out << "the disk of " << names_->Store(node) << " held term " << from.term
        << " with a vote for peer " << from.vote << ", and is overwritten with term " << to.term
        << " and a vote for peer " << to.vote << ".";
    report_->Fail(FailureKind::kSafety, "VS", out.str());
  }
  if (to.vote) durable_votes_[{node, to.term}] = to.vote;
}

void Elections::OnGrant(uint32_t node, Term term, PeerId candidate) {
  const auto [it, first] = grants_.try_emplace({node, term}, candidate);
  if (first || it->second == candidate) return;
  std::ostringstream out;
  out << names_->Store(node) << " granted its vote of term " << term << " to peer " << it->second
      << ", and grants it to peer " << candidate << " as well.";
  report_->Fail(FailureKind::kSafety, "VS", out.str());
}

void Elections::OnLeader(uint32_t node, Term term) {
  const auto [it, first] = leaders_.try_emplace(term, node);
  if (!first) {
    if (it->second == node) return;
    report_->Fail(FailureKind::kSafety, "ES",
                  "both " + names_->Store(it->second) + " and " + names_->Store(node) +
                      " lead term " + std::to_string(term.value()) + ".");
    return;
  }
  uint32_t votes = 0;
  for (uint32_t voter = 0; voter < names_->nodes(); ++voter) {
    const auto vote = durable_votes_.find({voter, term});
    votes += vote != durable_votes_.end() && vote->second == names_->PeerOf(node);
  }
  if (votes >= names_->quorum()) return;
  std::ostringstream out;
  out << names_->Store(node) << " leads term " << term << ", but only " << votes << " of "
      << names_->nodes() << " disks ever held a vote for it.";
  report_->Fail(FailureKind::kSafety, "ES", out.str());
}

}  // namespace flaredb::sim
