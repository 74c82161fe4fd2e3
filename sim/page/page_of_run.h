// SPDX-License-Identifier: Apache-2.0
// From the choices of a run to a file that a person opens.
#ifndef FLAREDB_SIM_PAGE_PAGE_OF_RUN_H_
#define FLAREDB_SIM_PAGE_PAGE_OF_RUN_H_

#include <string>

#include "absl/status/status.h"
#include "sim/simulation.h"
#include "sim/world/choices.h"

namespace flaredb::sim {

// Runs it with a record, which changes nothing of what it does, and writes its page to `file`.
//   options  its trace and tape are not written again
//   name     for the reader of the page: "seed 24"
//   replay   the same: the line that runs it again
// UNAVAILABLE if the file can't be written.
absl::Status WritePageOfRun(Choices choices, RunOptions options, const std::string& name,
                            const std::string& replay, const std::string& file);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_PAGE_PAGE_OF_RUN_H_
