// SPDX-License-Identifier: Apache-2.0
// The storage simulation as a program. Knows the time of day only to say how long it took.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "storage/sim/campaign.h"
#include "storage/sim/flags.h"

namespace flaredb::storage {
namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = ParseFlags(arguments);
  if (!flags.ok()) {
    std::cerr << flags.status().message() << "\n";
    return kUsageError;
  }
  if (flags->help) {
    std::cout << Usage();
    return 0;
  }
  const auto begin = std::chrono::steady_clock::now();
  const CampaignResult campaign = RunCampaign(*flags, std::cout);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;

  const RunResult& total = campaign.total;
  const auto& fired = total.faults.fired;
  PrintTable(campaign, std::cout);
  std::cout << "seeds=" << campaign.seeds << " failed=" << campaign.failed
            << " commits=" << total.commits << " crashes=" << total.crashes
            << " recoveries=" << total.recoveries
            << " faults_fired=" << std::accumulate(fired.begin(), fired.end(), uint64_t{0})
            << " wall_seconds=" << wall.count() << " hash=" << std::hex << total.hash << std::endl;
  return campaign.failed == 0 ? 0 : kFailed;
}

}  // namespace
}  // namespace flaredb::storage

int main(int argc, char** argv) {
  return flaredb::storage::Main(std::vector<std::string>(argv + 1, argv + argc));
}
