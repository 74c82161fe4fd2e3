// SPDX-License-Identifier: Apache-2.0
// What a seed decides before anything runs: swarm testing (Groce et al. 2012). A run with few kinds
// of fault and extreme limits reaches states that an average mix of everything never does.
#ifndef FLAREDB_SIM_WORLD_PROFILE_H_
#define FLAREDB_SIM_WORLD_PROFILE_H_

#include <bitset>
#include <cstdint>
#include <vector>

#include "core/base/probes.h"
#include "core/base/time.h"
#include "core/store/store.h"
#include "sim/world/choices.h"
#include "sim/world/fault.h"

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
  uint32_t copy_ppm = 0;     // Raft messages that arrive twice.
  Duration copy_delay_max;   // How much later the copy may be.
  bool ordered = true;       // Messages of one link arrive in the order of sending.
  uint32_t corrupt_ppm = 0;  // Pieces of snapshots.
  Duration slow_link_max;    // What a message on a slow link takes at most.
};

struct DiskProfile {
  Span latency;
  uint32_t slow_ppm = 0;  // Commits that take up to slow_max instead.
  Duration slow_max;
};

struct FaultPlan {
  std::vector<Fault> kinds;    // Of the nemesis. Empty: nothing but what happens by chance.
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
  uint32_t stray_ppm = 0;   // Attempts that go to a random store instead of the last good one.
  uint32_t second_ppm = 0;  // Attempts that are not waited for: another one follows at once.
  uint32_t odd_budget_ppm = 0;
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

// Namespaces that are eventual, or not always strong; beside the strong one, with keys of their
// own.
struct EventualProfile {
  bool active = false;
  uint32_t share_ppm = 0;  // Operations that go to them.
  // Relative weights.
  uint32_t puts = 0, deletes = 0, gets = 0, scans = 0;
  uint32_t wrong_door_ppm = 0;  // Operations for the mode that the namespace does not have.
  // From one look at the switching namespace to the next; and whether a switch begins then.
  Span pause;
  uint32_t switch_ppm = 0;
  uint32_t cancel_ppm = 0;     // Of a switch that is under way; at each look.
  uint32_t collect_ppm = 0;    // At each look.
  uint32_t deaf_ppm = 0;       // Stores that do not hear what is told at a look.
  uint64_t wall_skew_ms = 0;   // Between two nodes at the start, at most.
  uint32_t wall_jump_ppm = 0;  // Of calls that find their store's time of day set anew,
  uint64_t wall_jump_ms = 0;   // by so much at most, forward or back.
};

// Runs whose stores are a cluster as production founds it: one store begins, the others join, and
// the placement driver decides where regions are and what mode a namespace has. All of them have
// eventual namespaces.
struct PlacedProfile {
  bool active = false;
  uint32_t first = 3;       // Stores that join as soon as they can, the founder among them.
  Span pause;               // From one look of the administrator to the next.
  uint32_t join_ppm = 0;    // Of looks at which one more store is to join, as long as there is one;
  uint32_t drain_ppm = 0;   // one is drained, or that is taken back;
  uint32_t lose_ppm = 0;    // one is lost for good;
  uint32_t expel_ppm = 0;   // one is given up for lost and runs on;
  uint32_t remove_ppm = 0;  // one that is drained or lost is removed;
  uint32_t switch_ppm = 0;  // a mode is chosen;
  uint32_t cancel_ppm = 0;  // or a switch called off;
  uint32_t odd_ppm = 0;     // what is asked for makes no sense.
};

// How a run ends.
enum class Ending : uint8_t {
  kHealed,   // Everything works again, and the run has to come to rest.
  kQuorum,   // As kHealed, for a quorum; the other stores, or their replicas, stop for good.
  kPartial,  // A quorum is whole; the other stores run on, but many of their links stay cut.
  kLost,    // A majority of the voters is lost; the others recover (sim/faults/majority_loss.h) and
            // heal.
  kBroken,  // Nothing is healed: only what was acknowledged counts.
};

// Alternatives that the code itself offers; see core/base/probe.h.
struct BuggifyProfile {
  std::bitset<kBuggifyPoints> points;  // On in this run.
  uint32_t ppm = 0;                    // How often each of those is taken.
};

struct Profile {
  Ending ending = Ending::kHealed;
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
  BuggifyProfile buggify;
  WorkloadProfile workload;
  EventualProfile eventual;
  PlacedProfile placed;
};

// Draws limits of windows, batches, logs and pages; what the stores must agree on, times among
// them, stays.
void DrawLimits(Choices* choices, Choice kind, uint32_t owner, store::Options* options);

// Draws how wrong a clock is, in parts per 10^9: as often as not at one of the two ends of what the
// profile allows.
int64_t DrawDrift(Choices* choices, Choice kind, uint32_t owner, const Profile& profile);

// Draws a profile. `operations_max` 0: the seed decides. `faults_end` as in Profile. `placeable`:
// whether the run may have a placement driver, which is a machine itself.
Profile DrawProfile(Choices* choices, uint32_t operations_max, Duration faults_end,
                    bool placeable = true);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_PROFILE_H_
