// SPDX-License-Identifier: Apache-2.0
// Many seeds, one after another.
#ifndef FLAREDB_SIM_CAMPAIGN_H_
#define FLAREDB_SIM_CAMPAIGN_H_

#include <cstdint>
#include <ostream>

#include "core/base/hash.h"
#include "core/base/time.h"
#include "sim/failure.h"
#include "sim/flags.h"
#include "sim/simulation.h"

namespace flaredb::sim {

struct CampaignResult {
  uint64_t seeds = 0;
  uint64_t failed = 0;
  FailureKind first_failure = FailureKind::kNone;
  RunCounts counts;
  Duration simulated;
  Hasher hash;  // Over the hashes of the runs, in order.
};

// Runs one seed, twice if it fails and for one seed in sixteen: a run that differs from itself is a
// failure of its own kind, whatever the first verdict was.
RunResult RunAndRepeat(uint64_t seed, const RunOptions& options);

// Runs the seeds of `flags`, up to the first that fails unless told to keep going. Failures are
// described on `out` as they happen.
CampaignResult RunCampaign(const Flags& flags, std::ostream* trace_out, std::ostream& out);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_H_
