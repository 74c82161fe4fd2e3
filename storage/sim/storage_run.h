// SPDX-License-Identifier: Apache-2.0
// One seed: the life of a store on a machine that fails, judged at every start and read.
#ifndef FLAREDB_STORAGE_SIM_STORAGE_RUN_H_
#define FLAREDB_STORAGE_SIM_STORAGE_RUN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "storage/sim/faults.h"

namespace flaredb::storage {

// A machine that breaks what storage/ has to rely on. Tests show with it that a run would tell.
struct Weakness {
  bool syncs_lie = false;
  bool directory_syncs_lie = false;
};

struct RunResult {
  // One sentence; absent when all that was promised was kept.
  std::optional<std::string> failure;
  uint64_t commits = 0;     // Issued.
  uint64_t crashes = 0;     // Losses of power and killed processes.
  uint64_t recoveries = 0;  // Starts that found everything.
  uint64_t refusals = 0;    // Starts and reads that reported damage.
  uint64_t unseen = 0;      // Damage that is not promised to be seen, and was not (docs/FORMAT.md).
  FaultCounts faults;
  uint64_t hash = 0;  // Of every operation of the file system, and of what the store answered.

  void Add(const RunResult& other);
};

RunResult RunSeed(uint64_t seed, const Weakness& weakness = {});

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_STORAGE_RUN_H_
