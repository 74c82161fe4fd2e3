// SPDX-License-Identifier: Apache-2.0
// The seeds of a campaign, spread over processes. For the program alone: nothing else of sim/ knows
// of processes.
#ifndef FLAREDB_SIM_CAMPAIGN_JOBS_H_
#define FLAREDB_SIM_CAMPAIGN_JOBS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/simulation.h"

namespace flaredb::sim {

// Child i of n runs every n-th seed from first + i on, and writes what came of each into a pipe of
// its own; the parent takes the results in the order of the seeds. So they are those of a single
// process, and a child that is ahead waits when its pipe is full.
class Jobs {
 public:
  // Runs `run` for the seeds from `first` to `last`, both included, in `jobs` children, from now
  // on.
  Jobs(uint64_t first, uint64_t last, uint32_t jobs, std::function<RunResult(uint64_t seed)> run);
  // Ends the children, whatever they do.
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // Waits for the result of `seed`, which is the one after that of the last call, or the first.
  // Without RunResult::faults. If the child died of it, that is the failure (kDied), and another
  // child goes on with the next seed.
  RunResult Take(uint64_t seed);

 private:
  struct Child {
    int pid = 0;      // 0: none.
    int results = 0;  // The end of its pipe to read from.
  };
  void Start(Child* child, uint64_t first);
  // Whatever is thrown ends the child, not what it is a copy of.
  [[noreturn]] void RunChild(uint64_t first, int results) noexcept;
  RunResult Bury(Child* child, uint64_t seed);

  const uint64_t first_;
  const uint64_t last_;
  const std::function<RunResult(uint64_t)> run_;
  std::vector<Child> children_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CAMPAIGN_JOBS_H_
