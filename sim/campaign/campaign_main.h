// SPDX-License-Identifier: Apache-2.0
// A campaign as a person starts it: in several processes, with a progress line and a report.
#ifndef FLAREDB_SIM_CAMPAIGN_CAMPAIGN_MAIN_H_
#define FLAREDB_SIM_CAMPAIGN_CAMPAIGN_MAIN_H_

#include <ostream>

#include "sim/campaign/flags.h"

namespace flaredb::sim {

// Runs the seeds that the flags name. `trace_out` takes a line for every event of every run; null:
// none. Returns the exit code.
int CampaignMain(const Flags& flags, std::ostream* trace_out);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_CAMPAIGN_MAIN_H_
