// SPDX-License-Identifier: Apache-2.0
// The simulator as a program, about FlareDB or about a state machine of the user's own.
#ifndef FLAREDB_SIM_CAMPAIGN_SIM_MAIN_H_
#define FLAREDB_SIM_CAMPAIGN_SIM_MAIN_H_

#include "sim/machine_spec.h"

namespace flaredb::sim {

// Exit code of a command that makes no sense or names a file that can't be used. The codes of
// failures are those of FailureKind.
constexpr int kUsageError = 2;

// What `main` does: --help tells. Returns the exit code.
int SimMain(const Subject& subject, int argc, char** argv);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_SIM_MAIN_H_
