// SPDX-License-Identifier: Apache-2.0
// When a store is told what time of day it is.
#ifndef FLAREDB_CORE_STORE_WALL_CLOCK_H_
#define FLAREDB_CORE_STORE_WALL_CLOCK_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/store/event.h"

namespace flaredb::store {

// With each client's call, by ClientCall::unix_ms; and, which is done here, before all other events
// of a turn that has part in a roll call. What stores say there of their wall clocks is to be true
// where no client calls, too: somebody may just have set one.
//   unix_ms  what it shows now; called once at most
void TellWallClock(std::vector<Event>* events, absl::FunctionRef<uint64_t()> unix_ms);

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_WALL_CLOCK_H_
