// SPDX-License-Identifier: Apache-2.0
// What every part of a run shares.
#ifndef FLAREDB_SIM_WORLD_WORLD_H_
#define FLAREDB_SIM_WORLD_WORLD_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <utility>

#include "core/base/time.h"
#include "sim/world/choices.h"
#include "sim/world/event_queue.h"
#include "sim/world/failure.h"
#include "sim/world/fault_ledger.h"
#include "sim/world/reduction.h"
#include "sim/world/trace.h"

namespace flaredb::sim {

class Recorder;

// So many more calls into a replica go well, and in the next one an invariant breaks.
struct Sabotage {
  uint64_t calls = 0;
  bool done = false;
};

struct World {
  // `trace_out` as for Trace; `reduction` is borrowed.
  World(Choices source, const Reduction* left_out, std::ostream* trace_out)
      : choices(std::move(source)), trace(trace_out), reduction(left_out), faults(left_out) {}
  // Everything that the seed decides.
  World(uint64_t seed, std::ostream* trace_out) : World(Choices(seed), &kNothing, trace_out) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Instant now() const { return queue.now(); }

  Choices choices;
  EventQueue queue;
  Trace trace;
  FailureReport report;
  uint32_t acting = 0;  // The node whose store turns.
  // By node, in this life of its process; see Cluster::BreakReplica.
  std::map<uint32_t, Sabotage> sabotage;
  const Reduction* const reduction;
  FaultLedger faults;
  Recorder* recorder = nullptr;  // Null: nobody wants to see the run. Borrowed.

 private:
  static inline const Reduction kNothing;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_WORLD_H_
