// SPDX-License-Identifier: Apache-2.0
#include "storage/sim/sim_env.h"

#include <cstdio>
#include <utility>

#include "core/base/check.h"

namespace flaredb::storage {

SimEnv::SimEnv(const std::shared_ptr<SimFileSystem>& file_system,
               const std::shared_ptr<SimClock>& clock)
    : EnvWrapper(rocksdb::NewCompositeEnv(file_system)), clock_(clock) {
  file_system_ = file_system;
  system_clock_ = clock;
}

void SimEnv::RunJob(Rng& rng) {
  INVARIANT(!jobs_.empty());
  const size_t chosen = rng.Below(jobs_.size());
  const Job job = jobs_[chosen];
  jobs_.erase(jobs_.begin() + static_cast<ptrdiff_t>(chosen));
  job.function(job.argument);
}

void SimEnv::Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                      void (*unschedule)(void*)) {
  jobs_.push_back({function, argument, priority, tag, unschedule});
}

int SimEnv::UnSchedule(void* tag, Priority priority) {
  std::vector<Job> kept;
  std::vector<Job> dropped;
  for (const Job& job : jobs_) {
    (job.tag == tag && job.priority == priority ? dropped : kept).push_back(job);
  }
  jobs_ = std::move(kept);
  for (const Job& job : dropped) {
    if (job.unschedule != nullptr) job.unschedule(job.argument);
  }
  return static_cast<int>(dropped.size());
}

void SimEnv::StartThread(void (*function)(void*), void* argument) {
  jobs_.push_back({function, argument, LOW, nullptr, nullptr});
}

unsigned int SimEnv::GetThreadPoolQueueLen(Priority priority) const {
  unsigned int length = 0;
  for (const Job& job : jobs_) length += job.priority == priority ? 1 : 0;
  return length;
}

rocksdb::Status SimEnv::GetHostName(char* name, uint64_t size) {
  std::snprintf(name, size, "simulated");
  return rocksdb::Status::OK();
}

}  // namespace flaredb::storage
