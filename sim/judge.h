// SPDX-License-Identifier: Apache-2.0
// The verdict on what the clients of a run saw.
#ifndef FLAREDB_SIM_JUDGE_H_
#define FLAREDB_SIM_JUDGE_H_

#include "sim/history/history.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// Checker A decides for every key by itself (LIN), then checker B for operations on several keys,
// such as scans (SER). On a double check checker C, which shares no code with A, has to agree with
// it; if it does not, a checker is wrong, and that is the failure.
void Judge(bool double_check, const VersionedHistory& history, FailureReport* report);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_JUDGE_H_
