// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/campaign.h"

#include <iomanip>
#include <string>

#include "core/base/hash.h"
#include "storage/sim/crash_sweep.h"

namespace flaredb::storage {

CampaignResult RunCampaign(const Flags& flags, std::ostream& out, const Weakness& weakness) {
  CampaignResult campaign;
  Hasher hash;
  for (uint64_t seed = flags.seeds.first;; ++seed) {
    const RunResult run =
        flags.sweep != 0 ? SweepCrashes(seed, flags.sweep, weakness) : RunSeed(seed, weakness);
    ++campaign.seeds;
    campaign.total.Add(run);
    hash.Add(run.hash);
    if (run.failure) {
      ++campaign.failed;
      if (!campaign.total.failure) campaign.total.failure = run.failure;
      out << "seed " << seed << ": " << *run.failure << "\n"
          << "replay: ./bazelw run //storage/sim:campaign -- ";
      if (flags.sweep != 0) out << "--sweep=" << flags.sweep << " ";
      out << "--seed=" << seed << std::endl;
      if (!flags.keep_going) break;
    }
    if (seed == flags.seeds.last) break;
  }
  campaign.total.hash = hash.value();
  return campaign;
}

void PrintTable(const CampaignResult& campaign, std::ostream& out) {
  const RunResult& total = campaign.total;
  out << std::left << std::setw(20) << "fault" << std::right << std::setw(10) << "fired"
      << std::setw(10) << "mattered"
      << "\n";
  for (size_t i = 0; i < kFaults; ++i) {
    out << std::left << std::setw(20) << FaultName(static_cast<Fault>(i)) << std::right
        << std::setw(10) << total.faults.fired[i] << std::setw(10) << total.faults.mattered[i]
        << "\n";
  }
  out << "refusals=" << total.refusals << " unseen=" << total.unseen << "\n";
}

}  // namespace flaredb::storage
