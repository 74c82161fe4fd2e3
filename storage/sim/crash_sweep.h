// SPDX-License-Identifier: Apache-2.0
// One fixed life of a store, with a loss of power after each of its writes.
#ifndef FLAREDB_STORAGE_SIM_CRASH_SWEEP_H_
#define FLAREDB_STORAGE_SIM_CRASH_SWEEP_H_

#include <cstdint>

#include "storage/sim/storage_run.h"

namespace flaredb::storage {

// The life: a first start, commits with flushes and compactions among them, a kill, a second start
// and more commits. Every `stride`-th write, sync or change of a name is a place to fail, and there
// three times: with nothing kept of what was not synced, with half of it, with all. The store must
// start again and hold what it acknowledged. `failure` names the place.
RunResult SweepCrashes(uint64_t seed, uint64_t stride, const Weakness& weakness = {});

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_CRASH_SWEEP_H_
