// SPDX-License-Identifier: Apache-2.0
// The seeds of a campaign, and how command lines say them: --seed=42, --seeds=1..500.
#ifndef FLAREDB_SIM_CAMPAIGN_SEED_RANGE_H_
#define FLAREDB_SIM_CAMPAIGN_SEED_RANGE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace flaredb::sim {

struct SeedRange {
  uint64_t first = 1;
  uint64_t last = 1;  // Inclusive; not below `first`. The size of the range fits in 64 bits.
};

// Whether `argument` is one of the two flags.
bool SaysSeeds(const std::string& argument);

// What it says. INVALID_ARGUMENT with one sentence when that makes no sense. Requires SaysSeeds.
absl::StatusOr<SeedRange> ParseSeeds(const std::string& argument);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_SEED_RANGE_H_
