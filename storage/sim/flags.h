// SPDX-License-Identifier: Apache-2.0
// The command line of the storage simulation.
#ifndef FLAREDB_STORAGE_SIM_FLAGS_H_
#define FLAREDB_STORAGE_SIM_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/campaign/seed_range.h"

namespace flaredb::storage {

struct Flags {
  bool help = false;
  sim::SeedRange seeds = {1, 1000};
  uint64_t sweep = 0;       // The crash sweep, after every so many-th write; 0: random lives.
  bool keep_going = false;  // Go on after a failing seed.
};

// INVALID_ARGUMENT with one sentence for the user when `arguments` make no sense.
absl::StatusOr<Flags> ParseFlags(const std::vector<std::string>& arguments);

// What --help prints.
std::string Usage();

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_FLAGS_H_
