// SPDX-License-Identifier: Apache-2.0
// RocksDB's view of the machine: a simulated file system, a simulated clock, and background jobs
// that run when the simulation says so.
#ifndef FLAREDB_STORAGE_SIM_SIM_ENV_H_
#define FLAREDB_STORAGE_SIM_SIM_ENV_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "rocksdb/env.h"
#include "storage/sim/sim_clock.h"
#include "storage/sim/sim_file_system.h"

namespace flaredb::storage {

// One thread. RocksDB waits for a job only where it would have too many memtables or files
// otherwise, or where the caller asked it to: the owner runs jobs before that, and asks for nothing
// of the kind.
class SimEnv final : public rocksdb::EnvWrapper {
 public:
  SimEnv(const std::shared_ptr<SimFileSystem>& file_system, const std::shared_ptr<SimClock>& clock);

  size_t jobs() const { return jobs_.size(); }
  // Runs one of the jobs that are queued; which, `rng` decides. Requires that there is one.
  void RunJob(Rng& rng);

  void Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                void (*unschedule)(void*)) override;
  int UnSchedule(void* tag, Priority priority) override;
  void StartThread(void (*function)(void*), void* argument) override;
  void WaitForJoin() override {}
  unsigned int GetThreadPoolQueueLen(Priority priority) const override;
  void SetBackgroundThreads(int, Priority) override {}
  int GetBackgroundThreads(Priority) override { return 1; }
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}

  uint64_t NowMicros() override { return clock_->NowMicros(); }
  uint64_t NowNanos() override { return clock_->NowNanos(); }
  uint64_t NowCPUNanos() override { return 0; }
  void SleepForMicroseconds(int micros) override { clock_->SleepForMicroseconds(micros); }
  rocksdb::Status GetCurrentTime(int64_t* seconds) override {
    return clock_->GetCurrentTime(seconds);
  }
  rocksdb::Status GetHostName(char* name, uint64_t size) override;
  std::string GenerateUniqueId() override { return "00000000-0000-4000-8000-000000000000"; }

 private:
  struct Job {
    void (*function)(void*);
    void* argument;
    Priority priority;
    void* tag;
    void (*unschedule)(void*);
  };

  std::shared_ptr<SimClock> clock_;
  std::vector<Job> jobs_;  // Oldest first.
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_SIM_ENV_H_
