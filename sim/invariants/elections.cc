// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/elections.h"

#include <sstream>

#include "sim/invariants/quorum.h"

namespace flaredb::sim {

void Elections::OnDurable(PeerId peer, const raft::HardState& from, const raft::HardState& to) {
  const bool term_regresses = to.term < from.term;
  const bool vote_changes = to.term == from.term && from.vote && to.vote != from.vote;
  if (term_regresses || vote_changes) {
    std::ostringstream out;
    out << "the disk of " << Tell(peer) << " held term " << from.term << " and " << Vote(from.vote)
        << ", and is overwritten with term " << to.term << " and " << Vote(to.vote) << ".";
    report_->Fail(FailureKind::kSafety, "VS", out.str());
  }
  if (to.vote) durable_votes_[{peer, to.term}] = to.vote;
}

void Elections::OnGrant(PeerId peer, Term term, PeerId candidate) {
  const auto [it, first] = grants_.try_emplace({peer, term}, candidate);
  if (first || it->second == candidate) return;
  std::ostringstream out;
  out << Tell(peer) << " granted its vote of term " << term << " to " << Tell(it->second)
      << ", and grants it to " << Tell(candidate) << " as well.";
  report_->Fail(FailureKind::kSafety, "VS", out.str());
}

void Elections::OnLeader(PeerId peer, Term term, const raft::ConfState& conf) {
  const auto [it, first] = leaders_.try_emplace(term, peer);
  if (!first) {
    if (it->second == peer) return;
    report_->Fail(FailureKind::kSafety, "ES",
                  "both " + Tell(it->second) + " and " + Tell(peer) + " lead term " +
                      std::to_string(term.value()) + ".");
    return;
  }
  uint32_t votes = 0;
  const auto voted = [&](PeerId voter) {
    const auto vote = durable_votes_.find({voter, term});
    return vote != durable_votes_.end() && vote->second == peer;
  };
  for (const PeerId voter : conf.Everybody()) votes += voted(voter);
  if (IsQuorum(conf, voted)) return;
  std::ostringstream out;
  out << Tell(peer) << " leads term " << term << ", but only " << votes
      << " disks ever held a vote for it, which are no quorum of " << names_->Tell(conf) << ".";
  report_->Fail(FailureKind::kSafety, "ES", out.str());
}

void Elections::Forget(Term term) {
  leaders_.erase(leaders_.lower_bound(term), leaders_.end());
  std::erase_if(durable_votes_, [&](const auto& vote) { return vote.first.second >= term; });
  std::erase_if(grants_, [&](const auto& grant) { return grant.first.second >= term; });
}

}  // namespace flaredb::sim
