// SPDX-License-Identifier: Apache-2.0
// The command line of the simulator.
#ifndef FLAREDB_SIM_CAMPAIGN_FLAGS_H_
#define FLAREDB_SIM_CAMPAIGN_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/campaign/seed_range.h"
#include "sim/machine_spec.h"
#include "sim/world/fault.h"

namespace flaredb::sim {

struct Flags {
  Subject subject;  // Not said on the command line: it is the program's.
  bool help = false;
  SeedRange seeds = {1, 100};
  double minutes = 0;           // Of wall time, at most; 0: as long as it takes.
  uint32_t jobs = 1;            // Processes that run seeds.
  uint32_t operations_max = 0;  // 0: each seed decides.
  uint32_t seconds = 10;        // Simulated, until everything heals.
  uint32_t minimise = 120;      // Seconds to make the failure smaller that ends a campaign.
  std::string trace;            // A saved run to replay instead of seeds; empty: none.
  std::string save;             // Where the smaller run goes; empty: seed-N.trace.
  FaultSet without;             // Kinds of fault that do not happen.
  std::string trace_out;        // Empty: no trace. "-": standard output.
  std::string html;             // The page of the one seed; empty: none.
  std::string json;             // A file for the report; empty: none.
  bool twice = false;           // Run every seed a second time and compare.
  bool keep_going = false;      // Go on after a failing seed.
};

// INVALID_ARGUMENT with one sentence for the user when `arguments` make no sense.
absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments);

// The shorter one of --only=... and --without=... that leaves out just these. Requires any.
std::string FaultFlag(const FaultSet& without);

// What --help prints.
std::string Usage(const std::string& command = Subject().command);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_FLAGS_H_
