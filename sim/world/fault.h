// SPDX-License-Identifier: Apache-2.0
// Every kind of thing that goes wrong in a run.
#ifndef FLAREDB_SIM_WORLD_FAULT_H_
#define FLAREDB_SIM_WORLD_FAULT_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flaredb::sim {

enum class Fault : uint8_t {
  // --- Caused by the nemesis, one after another; they may overlap.

  // The network is cut for a while.
  kSplit,          // Into two random sides.
  kIsolateLeader,  // From all other stores.
  kIsolateOne,
  kOneWay,         // One store is not heard, but hears; or the other way round.
  kBridge,         // Two sides see each other only through one store.
  kHoldLink,       // Everything on one link, or on all to the leader, waits, then comes at once.
  kSlowLink,       // Everything on one link takes up to several election timeouts.
  kResetLink,      // What is under way between two stores is lost.
  kPartialAppend,  // The leader reaches one follower at most, then it crashes.
  kShortReigns,    // Every leader dies young; see sim/faults/short_reigns.h.
  // A process stops.
  kCrashRandom,
  kCrashLeader,
  kCrashAll,
  kCrashAtMoment,  // When something worth remembering has just happened; see Moment.
  kPauseRandom,
  kPauseLeader,
  kOtherLimits,  // It starts again with other limits of windows, batches and logs.
  // A disk fails.
  kStallDisk,
  kFailWrite,  // The store stops, as it must, and its process starts again later.
  kFailRead,   // As kFailWrite, for a read of old log entries, or of a row.
  kWipeDisk,   // The store starts again with nothing but its name.
  // A clock is wrong. Rates stay within what leases allow for; jumps and stops, which they do not,
  // only happen in runs without leases.
  kClockRate,  // From the start, or from some time on.
  kClockJump,
  kClockStop,
  // An invariant breaks in the replica: it is silent from then on, while its store lives on, until
  // the process starts again.
  kBreakReplica,

  // --- By chance, at the rates of the run's profile.

  kLoseMessage,
  kCopyMessage,  // Of Raft. The second one comes up to seconds later.
  kSlowMessage,
  kOvertake,      // A message arrives before one that was sent earlier on the same link.
  kCorruptPiece,  // A bit of a snapshot's piece flips on the way.
  kSlowCommit,
  kBuggify,  // The code takes an alternative that it would not; see core/base/probes.h.

  // --- What clients and operators do to the stores.

  kRetry,          // Of a write whose outcome is not known.
  kSecondAttempt,  // While the first one waits, elsewhere.
  kAbandon,        // The client closes its call.
  kOddBudget,      // Next to no time to answer, or more than anybody needs.
  kChangeMembers,
  kTransfer,
  kLoseMajority,  // For good, and the survivors are ordered to go on; see
                  // sim/faults/majority_loss.h.

  // --- To eventual namespaces.

  kWallJump,    // A node's time of day is set, forward or back.
  kModeSwitch,  // A namespace begins to change its mode, or is told to go back.
  kCollect,     // Tombstones are collected.
  kWrongDoor,   // A client takes a namespace for one of the other mode.

  kCount,
};

constexpr size_t kFaults = static_cast<size_t>(Fault::kCount);
// Those before it are the nemesis's.
constexpr Fault kFirstByChance = Fault::kLoseMessage;

using FaultSet = std::bitset<kFaults>;

// "isolate-leader"
std::string_view NameOf(Fault fault);
// The other way round.
std::optional<Fault> FaultNamed(std::string_view name);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_FAULT_H_
