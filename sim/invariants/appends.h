// SPDX-License-Identifier: Apache-2.0
// APPEND: a follower takes what its leader sends.
#ifndef FLAREDB_SIM_INVARIANTS_APPENDS_H_
#define FLAREDB_SIM_INVARIANTS_APPENDS_H_

#include <optional>
#include <string>

#include "absl/types/span.h"
#include "core/base/types.h"
#include "core/raft/types.h"
#include "core/raft/view.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "sim/world/log_image.h"

namespace flaredb::sim {

// What an append says, without its entries; or a piece of a snapshot, which says that all up to its
// end is committed.
struct AppendOffer {
  PeerId from;
  Term term;
  Incarnation to_incarnation;
  raft::LogId prev;
  raft::LogId last;  // Of its entries, or `prev` when there are none.
  Index commit_index;
  bool accept_unanswered = false;
};

// Of the append or piece to `peer` among the events of a turn that is about to begin; nullopt when
// there is none, or another one as well, which would change the log, too.
std::optional<AppendOffer> OnlyAppend(absl::Span<const store::Event> events, PeerId peer);

// Whether a replica that is in this view, with such a log, has taken the offer up.
bool Agrees(const AppendOffer& offer, const raft::View& after, Incarnation life,
            const LogImage& log);

// A sentence if `offer` came, in the turn that led to view `after`, from the leader that the
// replica follows, and its log agrees with the leader's at `prev`, but it does not hold all that
// came, or does not take for committed what came as committed (thesis figure 3.1, steps 3 to 5). It
// will be sent that again: no harm but delay, which nothing else shows.
//   life  of the replica; what was meant for another one it does not hear
//   log   of all that it asked its disk to write so far, with this turn
std::optional<std::string> BrokenAppend(const std::string& store, const AppendOffer& offer,
                                        const raft::View& after, Incarnation life,
                                        const LogImage& log);

// A sentence if the log agrees with that of the leader which made `offer`, the replica knew already
// before the turn, in view `before`, that its disk holds all of that, and no answer has left. It
// will be sent again: no harm but delay.
//   hard_state  the write that brought term and vote to the disk, or will
std::optional<std::string> MissingAccept(const std::string& store, const AppendOffer& offer,
                                         const raft::View& before, const raft::View& after,
                                         Incarnation life, const LogImage& log, IoToken hard_state,
                                         const store::Effects& effects);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_APPENDS_H_
