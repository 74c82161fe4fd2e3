// SPDX-License-Identifier: Apache-2.0
// What a seed decides before anything runs: swarm testing (Groce et al. 2012). A run with few kinds
// of fault and extreme limits reaches states that an average mix of everything never does.
#ifndef FLAREDB_SIM_PROFILE_H_
#define FLAREDB_SIM_PROFILE_H_

#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "core/store/store.h"
#include "sim/choices.h"

namespace flaredb::sim {

// A span of time drawn anew each time, uniform in [first, last].
struct Span {
  Duration first;
  Duration last;
};

struct NetworkProfile {
  Span delay;
  uint32_t slow_ppm = 0;  // Messages that take up to slow_max instead.
  Duration slow_max;
  uint32_t loss_ppm = 0;
  uint32_t copy_ppm = 0;    // Raft messages that arrive twice.
  Duration copy_delay_max;  // How much later the copy may be.
  bool ordered = true;      // Messages of one link arrive in the order of sending.
};

struct DiskProfile {
  Span latency;
  uint32_t slow_ppm = 0;  // Commits that take up to slow_max instead.
  Duration slow_max;
};

enum class Fault : uint8_t {
  // The network is cut for a while.
  kSplit,          // Into two random sides.
  kIsolateLeader,  // From all other stores.
  kIsolateOne,
  kOneWay,         // One store is not heard, but hears.
  kBridge,         // Two sides see each other only through one store.
  kHoldLink,       // Everything on one link waits, then comes at once.
  kPartialAppend,  // The leader reaches one follower at most, then it crashes.
  kShortReigns,    // Every leader dies young; see sim/short_reigns.h.
  // A process stops.
  kCrashRandom,
  kCrashLeader,
  kCrashAll,
  kCrashAtMoment,  // When something worth remembering has just happened; see Moment.
  kPauseRandom,
  kPauseLeader,
  // A disk is slow.
  kStallDisk,
  // A clock is wrong. Rates stay within what leases allow for; a jump forward, which they do not,
  // only happens in runs without leases.
  kClockRate,
  kClockJump,
  kCount,
};

struct FaultPlan {
  std::vector<Fault> kinds;    // Empty: nothing but the network's own rates.
  Span pause;                  // Between two faults.
  Span length;                 // Of one fault.
  Span downtime;               // Of a crashed process.
  bool split_clients = false;  // Cuts also separate clients from stores.
};

struct WorkloadProfile {
  uint32_t clients = 0;
  uint32_t keys = 0;
  uint32_t operations_max = 0;
  Span think;
  Duration attempt_timeout;      // Of the first attempt; then it doubles,
  Duration attempt_timeout_max;  // up to this.
  Duration operation_timeout;
  // Relative weights.
  uint32_t gets = 0, scans = 0, swaps = 0, deletes = 0;
  uint32_t stray_ppm = 0;  // Attempts that go to a random store instead of the last good one.
  uint32_t value_bytes = 0;
};

// Membership changes and transfers that somebody orders.
struct OperatorProfile {
  bool active = false;
  Span pause;               // Between two orders.
  uint32_t transfers = 0;   // Relative weight of transfers,
  uint32_t members = 0;     // and of changes.
  uint32_t voters_max = 5;  // No promotion beyond.
};

struct Profile {
  uint32_t stores = 3;
  uint32_t members = 3;  // Stores that hold a replica from the start: the first ones.
  Duration faults_end;   // Then everything heals.
  store::Options store;  // Without the seed.
  Span loop_time;        // From the first waiting event to the turn that takes it.
  int64_t drift_ppb_max = 0;
  NetworkProfile network;
  DiskProfile disk;
  FaultPlan faults;
  OperatorProfile orders;
  WorkloadProfile workload;
};

// Draws a profile. `operations_max` 0: the seed decides.
Profile DrawProfile(Choices* choices, uint32_t operations_max);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PROFILE_H_
