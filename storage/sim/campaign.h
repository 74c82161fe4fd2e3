// SPDX-License-Identifier: Apache-2.0
// Many seeds of the storage simulation, and their report.
#ifndef FLAREDB_STORAGE_SIM_CAMPAIGN_H_
#define FLAREDB_STORAGE_SIM_CAMPAIGN_H_

#include <cstdint>
#include <ostream>

#include "storage/sim/flags.h"
#include "storage/sim/storage_run.h"

namespace flaredb::storage {

struct CampaignResult {
  uint64_t seeds = 0;  // That were run.
  uint64_t failed = 0;
  RunResult total;  // Its failure is that of the first failing seed; its hash covers all seeds.
};

// Runs the seeds of `flags`; stops at the first failing one, unless told to keep going. Writes each
// failure to `out`: a sentence and the line that replays it.
CampaignResult RunCampaign(const Flags& flags, std::ostream& out, const Weakness& weakness = {});

// Every kind of fault with how often it fired and mattered, and the counts that the last line
// lacks.
void PrintTable(const CampaignResult& campaign, std::ostream& out);

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_CAMPAIGN_H_
