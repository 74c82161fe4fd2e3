// SPDX-License-Identifier: Apache-2.0
// The verdict on what the clients of a run saw.
#ifndef FLAREDB_SIM_JUDGE_H_
#define FLAREDB_SIM_JUDGE_H_

#include <cstdint>

#include "sim/failure.h"
#include "sim/history/history.h"

namespace flaredb::sim {

// Checker A decides (LIN). For one seed in eight checker C, which shares no code with it, has to
// agree; if it does not, a checker is wrong, and that is the failure.
void Judge(uint64_t seed, const VersionedHistory& history, FailureReport* report);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_JUDGE_H_
