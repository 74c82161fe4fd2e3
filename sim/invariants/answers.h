// SPDX-License-Identifier: Apache-2.0
// APPEND: an answer that waited for the disk leaves when that is done.
#ifndef FLAREDB_SIM_INVARIANTS_ANSWERS_H_
#define FLAREDB_SIM_INVARIANTS_ANSWERS_H_

#include <map>
#include <optional>

#include "core/base/types.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "sim/invariants/appends.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// What followers of one region owe their leaders. A leader that does not get it asks again: no harm
// but delay.
class Answers {
 public:
  // Both outlive this object.
  Answers(const Names* names, FailureReport* report) : names_(names), report_(report) {}

  void OnStart(uint32_t node) { owed_.erase(node); }
  // The replica on `node`, of the given life, has turned, and is now as in replica.view; `offer` is
  // the append that came, if only one did. APPEND: once all that it has asked of its disk then is
  // there, an accept of the latest entries that its leader offered, and its log holds, has left.
  void OnTurn(uint32_t node, const std::optional<AppendOffer>& offer, const Replica& replica,
              Incarnation life, const store::Effects& effects);

 private:
  struct Owed {
    PeerId from;
    PeerId to;
    Term term;
    Index index;  // Zero: nothing is owed.
    IoToken gate;
  };

  const Names* names_;
  FailureReport* report_;
  std::map<uint32_t, Owed> owed_;  // By node.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_ANSWERS_H_
