// SPDX-License-Identifier: Apache-2.0
// What a campaign does for the failure that ends it.
#ifndef FLAREDB_SIM_CAMPAIGN_MINIMISE_MAIN_H_
#define FLAREDB_SIM_CAMPAIGN_MINIMISE_MAIN_H_

#include "sim/campaign/campaign.h"
#include "sim/campaign/flags.h"

namespace flaredb::sim {

// Makes the run that failed as small as --minimise allows, writes it to a file, and tells the user
// how to replay it.
void MinimiseAndSave(const Flags& flags, const FailedSeed& failed);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_MINIMISE_MAIN_H_
