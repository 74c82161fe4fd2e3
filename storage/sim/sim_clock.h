// SPDX-License-Identifier: Apache-2.0
// Time that passes when the simulation says so.
#ifndef FLAREDB_STORAGE_SIM_SIM_CLOCK_H_
#define FLAREDB_STORAGE_SIM_SIM_CLOCK_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "rocksdb/system_clock.h"

namespace flaredb::storage {

// Atomic because RocksDB has a thread of its own that flushes its diary (SimFileSystem has none);
// that thread may look at the clock and never moves it.
class SimClock final : public rocksdb::SystemClock {
 public:
  const char* Name() const override { return "SimClock"; }
  void Advance(uint64_t micros) { micros_ += micros; }

  uint64_t NowMicros() override { return micros_; }
  void SleepForMicroseconds(int micros) override { Advance(static_cast<uint64_t>(micros)); }
  rocksdb::Status GetCurrentTime(int64_t* seconds) override {
    *seconds = static_cast<int64_t>(micros_ / 1000000);
    return rocksdb::Status::OK();
  }
  std::string TimeToString(uint64_t seconds) override { return std::to_string(seconds); }

 private:
  std::atomic<uint64_t> micros_ = 1600000000000000;  // In 2020: RocksDB takes 0 for "unknown".
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_SIM_SIM_CLOCK_H_
