// SPDX-License-Identifier: Apache-2.0
// The events of a run with the hash of everything up to each, to find where two runs part.
#ifndef FLAREDB_SIM_WORLD_EVENT_LOG_H_
#define FLAREDB_SIM_WORLD_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "sim/world/event_queue.h"

namespace flaredb::sim {

struct EventLog {
  struct Entry {
    Instant at;
    Event event;
    uint64_t hash = 0;    // Of the run up to the end of this event.
    size_t text_end = 0;  // Where its lines end in the trace; 0 without one.
  };
  // Of all events, in order.
  std::vector<Entry> entries;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_EVENT_LOG_H_
