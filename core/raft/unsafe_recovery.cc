// SPDX-License-Identifier: Apache-2.0
#include "core/raft/unsafe_recovery.h"

#include <algorithm>
#include <sstream>

#include "core/raft/quorum.h"

namespace flaredb::raft {
namespace {

const View* FindView(absl::Span<const View> views, PeerId id) {
  for (const View& view : views) {
    if (view.id == id) return &view;
  }
  return nullptr;
}

// `conf` without joint phase and without those who are lost, with `chosen` as a voter.
ConfState Only(const ConfState& conf, absl::Span<const View> survivors, PeerId chosen) {
  ConfState only;
  for (const PeerId id : conf.Everybody()) {
    if (FindView(survivors, id) == nullptr) continue;
    (conf.IsVoter(id) || id == chosen ? only.voters : only.learners).push_back(id);
    only.members.push_back(conf.Find(id));
  }
  return only;
}

}  // namespace

std::variant<RecoveryPlan, NoPlan> PlanRecovery(absl::Span<const View> survivors) {
  // The most complete log decides, as in an election; and so does its configuration.
  const View* best = nullptr;
  RecoveryPlan plan;
  for (const View& view : survivors) {
    plan.term = std::max(plan.term, view.term);
    plan.known_committed = std::max(plan.known_committed, view.commit_index);
    if (!view.conf.IsMember(view.id)) continue;
    if (best == nullptr || view.last_log > best->last_log) best = &view;
  }
  if (best == nullptr) return NoPlan::kNoSurvivor;
  if (plan.known_committed > best->last_log.index) return NoPlan::kDisagree;
  if (HasQuorum(best->conf, [&](PeerId id) { return FindView(survivors, id) != nullptr; })) {
    return NoPlan::kNotNeeded;
  }
  plan.chosen = best->id;
  plan.chosen_log = best->last_log;
  plan.term = plan.term.next();
  plan.conf = Only(best->conf, survivors, best->id);
  for (const PeerId id : best->conf.Everybody()) {
    if (FindView(survivors, id) == nullptr) plan.lost.push_back(id);
  }
  return plan;
}

std::string RecoveryPlan::Describe() const {
  std::ostringstream out;
  out << "peer " << chosen << " has the most complete log that is left: it ends at entry "
      << chosen_log.index << " of term " << chosen_log.term << ".\n";
  out << "Kept: everything up to entry " << chosen_log.index
      << ". Survivors know that entries up to " << known_committed << " were committed.\n";
  out << "Lost: whatever the lost peers had acknowledged after entry " << chosen_log.index
      << ". Entries after " << known_committed << " may stay although nobody was told so.\n";
  out << "Removed for ever, never to be started again: peers";
  for (const PeerId id : lost) out << " " << id;
  out << ".\n";
  return out.str();
}

}  // namespace flaredb::raft
