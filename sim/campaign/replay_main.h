// SPDX-License-Identifier: Apache-2.0
// One run again, for a person who wants to know more about it.
#ifndef FLAREDB_SIM_CAMPAIGN_REPLAY_MAIN_H_
#define FLAREDB_SIM_CAMPAIGN_REPLAY_MAIN_H_

#include <ostream>
#include <string>

#include "sim/campaign/flags.h"

namespace flaredb::sim {

// The command that replays the saved run in the file `path`.
std::string TraceLine(const Flags& flags, const std::string& path);

// Replays the saved run that --trace names, with its page if --html asks for one. `trace_out` takes
// a line for every event; null: none. Returns the exit code.
int ReplayMain(const Flags& flags, std::ostream* trace_out);

// Writes the page of the one seed that --html asks for. False, and the user is told, if the file
// can't be written.
bool WritePageOfSeed(const Flags& flags);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_REPLAY_MAIN_H_
