// SPDX-License-Identifier: Apache-2.0
// Who voted for whom and who won: ES and VS.
#ifndef FLAREDB_SIM_INVARIANTS_ELECTIONS_H_
#define FLAREDB_SIM_INVARIANTS_ELECTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/base/types.h"
#include "core/raft/types.h"
#include "sim/invariants/names.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// Of one region. Remembers over crashes what the replicas may have forgotten.
class Elections {
 public:
  // `names` and `report` outlive this object.
  Elections(const Names* names, FailureReport* report) : names_(names), report_(report) {}

  // The disk of `peer` goes from one hard state to another. VS: neither the term nor, within a
  // term, the vote is ever taken back.
  void OnDurable(PeerId peer, const raft::HardState& from, const raft::HardState& to);

  // `peer` sends a vote. VS: one candidate in each term, across crashes.
  void OnGrant(PeerId peer, Term term, PeerId candidate);

  // `peer` believes that it leads `term`. ES: it alone, with durable votes of a quorum of `conf`,
  // the configuration in force in its log.
  void OnLeader(PeerId peer, Term term, const raft::ConfState& conf);

  // Nobody is left who knows of `term` or a later one: they may be led once more.
  void Forget(Term term);

 private:
  std::string Vote(PeerId vote) const { return vote ? "a vote for " + Tell(vote) : "no vote"; }
  std::string Tell(PeerId peer) const { return names_->Tell(peer); }

  const Names* names_;
  FailureReport* report_;
  std::map<Term, PeerId> leaders_;
  std::map<std::pair<PeerId, Term>, PeerId> durable_votes_;
  std::map<std::pair<PeerId, Term>, PeerId> grants_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_ELECTIONS_H_
