// SPDX-License-Identifier: Apache-2.0
// What every part of a run shares.
#ifndef FLAREDB_SIM_WORLD_H_
#define FLAREDB_SIM_WORLD_H_

#include <cstdint>
#include <ostream>

#include "core/base/time.h"
#include "sim/choices.h"
#include "sim/event_queue.h"
#include "sim/failure.h"
#include "sim/trace.h"

namespace flaredb::sim {

struct World {
  // `trace_out` as for Trace.
  World(uint64_t seed, std::ostream* trace_out) : choices(seed), trace(trace_out) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Instant now() const { return queue.now(); }

  Choices choices;
  EventQueue queue;
  Trace trace;
  FailureReport report;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_H_
