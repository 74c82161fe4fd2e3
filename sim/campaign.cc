// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign.h"

#include <sstream>

namespace flaredb::sim {

RunResult RunAndRepeat(uint64_t seed, const RunOptions& options) {
  RunResult result = RunSeed(seed, options);
  if (result.failure.kind == FailureKind::kNone && seed % 16 != 0) return result;
  RunOptions silent = options;
  silent.trace_out = nullptr;
  silent.record = nullptr;
  const RunResult again = RunSeed(seed, silent);
  if (again.hash != result.hash) {
    std::ostringstream out;
    out << "two runs of this seed have different hashes: " << std::hex << result.hash << " after "
        << std::dec << result.counts.events << " events, and " << std::hex << again.hash
        << " after " << std::dec << again.counts.events << ".";
    result.failure = {FailureKind::kNondeterminism, "DET", out.str()};
  }
  return result;
}

CampaignResult RunCampaign(const Flags& flags, std::ostream* trace_out, std::ostream& out) {
  CampaignResult campaign;
  RunOptions options;
  options.operations_max = flags.operations_max;
  options.trace_out = trace_out;
  for (uint64_t seed = flags.first_seed;; ++seed) {
    const RunResult run = RunAndRepeat(seed, options);
    ++campaign.seeds;
    campaign.counts += run.counts;
    campaign.simulated = campaign.simulated + run.simulated;
    campaign.hash.Add(run.hash);
    if (run.failure.kind != FailureKind::kNone) {
      ++campaign.failed;
      if (campaign.first_failure == FailureKind::kNone) campaign.first_failure = run.failure.kind;
      out << run.failure.invariant << ": " << run.failure.sentence << "\n"
          << "replay: ./bazelw run //:sim -- --seed=" << seed;
      if (flags.operations_max != 0) out << " --ops=" << flags.operations_max;
      out << std::endl;
      if (!flags.keep_going) break;
    }
    if (seed == flags.last_seed) break;
  }
  return campaign;
}

}  // namespace flaredb::sim
