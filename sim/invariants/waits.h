// SPDX-License-Identifier: Apache-2.0
// WAIT: nobody waits for what is there already. Such a wait ends sooner or later, by the next
// heartbeat or election, so that nothing but time is ever lost: no other check would see it.
#ifndef FLAREDB_SIM_INVARIANTS_WAITS_H_
#define FLAREDB_SIM_INVARIANTS_WAITS_H_

#include <optional>
#include <string>

#include "core/base/time.h"
#include "core/raft/view.h"
#include "sim/invariants/names.h"
#include "sim/world/log_image.h"

namespace flaredb::sim {

// A sentence if the replica in `view`, the state after a turn, has not done what it could:
//   a candidate   end an election that is decided
//   a leader      commit what a quorum has, answer a read that a quorum has proven, begin the
//                 round of contact that one waits for, send what a follower lacks and may have now,
//                 read a snapshot that was taken, end a joint phase that is committed, leave a
//                 region that has removed it
//   everybody     hand out what is committed
// or if it waits for others without a time at which it would give up.
// `issued` is its log.
std::optional<std::string> NeedlessWait(const raft::View& view, const LogImage& issued,
                                        const Names& names);

// The same of a replica in `view` that starts at `now` by its store's clock: the only voter has
// nobody to wait for.
std::optional<std::string> NeedlessWaitAtStart(const raft::View& view, Instant now,
                                               const Names& names);

// The same of a leader that went from view `before` to `after` in a turn: it does not go on with a
// snapshot for somebody who has come, by it or without it, to where the log can go on, or to the
// end of what it covers.
std::optional<std::string> NeedlessSnapshot(const raft::View& before, const raft::View& after,
                                            const Names& names);

// The same of a replica that was `before`, and began at `now`, by its store's clock, to carry out a
// plan of recovery: it has nobody to wait for but its disk.
std::optional<std::string> NeedlessWaitInRecovery(const raft::View& before, const raft::View& after,
                                                  Instant now, const Names& names);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_WAITS_H_
