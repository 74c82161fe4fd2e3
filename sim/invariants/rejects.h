// SPDX-License-Identifier: Apache-2.0
// APPEND: what a follower refuses takes its leader to where their logs agree, a term at a time.
#ifndef FLAREDB_SIM_INVARIANTS_REJECTS_H_
#define FLAREDB_SIM_INVARIANTS_REJECTS_H_

#include <optional>
#include <string>

#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "sim/invariants/appends.h"
#include "sim/invariants/names.h"
#include "sim/world/log_image.h"

namespace flaredb::sim {

// A sentence if `effects`, of the turn in which `offer` came and which led from view `before` to
// `after`, has a refusal although the log agrees with what was offered; or one whose hint is not
// the last entry, at or before the offer's prev, of at most that one's term: all after it certainly
// differs, and naming less costs the leader a round trip for every entry (thesis 3.5).
//   log  of all that the replica asked its disk to write so far
std::optional<std::string> BrokenReject(const AppendOffer& offer, const raft::View& before,
                                        const raft::View& after, const LogImage& log,
                                        const store::Effects& effects, const Names& names);

// A sentence if a leader turned to `event`, a refusal that answers what it sent last, and asks next
// anywhere else than at its own last entry, at or before the hint, of at most the hint's term; or
// at the one before what was refused, or at what was accepted, if these limit it.
//   before  the turn
//   log     as above
std::optional<std::string> BrokenNextProbe(const store::Event& event, const raft::View& before,
                                           const LogImage& log, const store::Effects& effects,
                                           const Names& names);

// A sentence if a leader that was in view `before` and now is in `after` has come to another place
// at which to ask a follower whether the logs agree, and has not asked there in that turn. It would
// at the next sign of life: no harm but delay. Entries of that place may have to be read from the
// disk first, and where there are none any more, a snapshot has to help.
std::optional<std::string> MissingProbe(const raft::View& before, const raft::View& after,
                                        const store::Effects& effects, const Names& names);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_REJECTS_H_
