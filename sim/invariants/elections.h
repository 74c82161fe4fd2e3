// SPDX-License-Identifier: Apache-2.0
// Who voted for whom and who won: ES and VS.
#ifndef FLAREDB_SIM_INVARIANTS_ELECTIONS_H_
#define FLAREDB_SIM_INVARIANTS_ELECTIONS_H_

#include <cstdint>
#include <map>
#include <utility>

#include "core/base/types.h"
#include "core/raft/types.h"
#include "sim/failure.h"
#include "sim/invariants/names.h"

namespace flaredb::sim {

// Of one region. Remembers over crashes what the replicas may have forgotten.
class Elections {
 public:
  // `names` and `report` outlive this object.
  Elections(const Names* names, FailureReport* report) : names_(names), report_(report) {}

  // The disk of `node` goes from one hard state to another. VS: neither the term nor, within a
  // term, the vote is ever taken back.
  void OnDurable(uint32_t node, const raft::HardState& from, const raft::HardState& to);

  // `node` sends a vote. VS: one candidate in each term, across crashes.
  void OnGrant(uint32_t node, Term term, PeerId candidate);

  // `node` believes that it leads `term`. ES: it alone, with a quorum of durable votes.
  void OnLeader(uint32_t node, Term term);

 private:
  const Names* names_;
  FailureReport* report_;
  std::map<Term, uint32_t> leaders_;
  std::map<std::pair<uint32_t, Term>, PeerId> durable_votes_;
  std::map<std::pair<uint32_t, Term>, PeerId> grants_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_ELECTIONS_H_
