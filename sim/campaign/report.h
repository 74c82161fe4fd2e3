// SPDX-License-Identifier: Apache-2.0
// What a campaign tells: a person on the way and at the end, and scripts.
#ifndef FLAREDB_SIM_CAMPAIGN_REPORT_H_
#define FLAREDB_SIM_CAMPAIGN_REPORT_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "sim/campaign/campaign.h"
#include "sim/campaign/flags.h"
#include "sim/probes.h"
#include "sim/world/failure.h"
#include "sim/world/fault_ledger.h"

namespace flaredb::sim {

// "safety"
std::string_view NameOf(FailureKind kind);

// The command that does the same with `seed` again.
std::string ReplayLine(const Flags& flags, uint64_t seed);
// What contradicts what, and the replay line.
void PrintFailure(const Flags& flags, const FailedSeed& failed, std::ostream& out);

// "seeds 120/2000  95/s  sim 21 min  990x  probes 60/67  failures 0": the seeds done, how many in a
// second, the time simulated, how much faster that is than the clock. Fits into 80 columns.
std::string ProgressLine(const Flags& flags, const CampaignResult& so_far, double wall_seconds);

// The faults of every kind, several kinds in a row: how many fired, and how many mattered.
void PrintFaults(const FaultCounts& counts, std::ostream& out);
// How many situations and alternatives occurred, and, if `list`, which ones did not.
void PrintProbes(const ProbeCounts& counts, bool list, std::ostream& out);
// All of it; the last line always has the same form.
void PrintSummary(const Flags& flags, const CampaignResult& campaign, double wall_seconds,
                  std::ostream& out);

// One object, described in docs/SIMULATION.md.
void WriteJson(const Flags& flags, const CampaignResult& campaign, double wall_seconds,
               std::ostream& out);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_REPORT_H_
