// SPDX-License-Identifier: Apache-2.0
// What a turn of a store did that is worth crashing at.
#ifndef FLAREDB_SIM_CLUSTER_MOMENTS_H_
#define FLAREDB_SIM_CLUSTER_MOMENTS_H_

#include <cstdint>

#include "core/raft/view.h"
#include "core/store/effects.h"

namespace flaredb::sim {

// Bits of a set.
enum class Moment : uint8_t {
  kWroteLog,  // Entries went to the disk.
  kTruncated,
  kVoted,       // A vote went to the disk.
  kSentAppend,  // Entries left.
  kSentAccept,
  kSentVote,
  kElected,
  kCommitted,    // The commit index rose.
  kApplied,      // Rows went to the disk.
  kAnswered,     // A client or a forwarding store got its answer.
  kChangedConf,  // Another configuration came into force, by append or truncation.
  kCompacted,
  kInstalled,     // A snapshot.
  kSentSnapshot,  // A piece of one.
  kHandedOver,    // The leader asked somebody else to campaign.
  kTurnover,      // A replica came or went.
  // Of runs with eventual namespaces.
  kAccepted,       // A write went to the outbox on the disk.
  kShipped,        // A parcel left for the leader's store.
  kParcelApplied,  // The leader's store told another one that its parcel is applied.
  kReleased,       // A row is to leave the outbox on the disk.
  // Of runs with a placement driver.
  kCalledRoll,     // The driver called another store.
  kAnsweredRoll,   // A store answered the driver.
  kKeptDirectory,  // A directory went to the disk.
  kToldPd,         // A command for the placement driver left for another store.
  kCount,
};
// Those of runs with neither, and of runs without the latter.
constexpr auto kStrongMoments = static_cast<uint64_t>(Moment::kAccepted);
constexpr auto kEventualMoments = static_cast<uint64_t>(Moment::kCalledRoll);
using Moments = uint32_t;
constexpr Moments Bit(Moment moment) { return Moments{1} << static_cast<uint8_t>(moment); }

// Of the turn that took a replica from one view to the other, before its effects leave.
Moments MomentsOf(const raft::View& before, const raft::View& after, const store::Effects& effects);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_MOMENTS_H_
