// SPDX-License-Identifier: Apache-2.0
// One node's monotonic clock, as a function of simulated time.
#ifndef FLAREDB_SIM_NODE_CLOCK_H_
#define FLAREDB_SIM_NODE_CLOCK_H_

#include <cstdint>

#include "core/base/time.h"

namespace flaredb::sim {

// Reads offset + t * (1 + drift), so that no two nodes agree and nobody can compare instants of
// different stores without being noticed.
class NodeClock {
 public:
  NodeClock() = default;
  // `drift_ppb` in parts per 10^9, above -10^9. `offset` is not negative.
  NodeClock(Duration offset, int64_t drift_ppb) : offset_(offset), drift_ppb_(drift_ppb) {}

  // What the clock shows at simulated time `t`.
  Instant Read(Instant t) const {
    const auto drift =
        static_cast<int64_t>(static_cast<__int128>(t.nanoseconds()) * drift_ppb_ / kBillion);
    return t + offset_ + Duration::Nanoseconds(drift);
  }

  // The first simulated time at which the clock shows `local` or later; `never` stays never.
  Instant WhenReads(Instant local) const {
    if (local == Instant::Max()) return local;
    const int64_t elapsed = (local - Instant() - offset_).nanoseconds();
    if (elapsed <= 0) return Instant();
    Instant t = Instant::FromNanoseconds(
        static_cast<int64_t>(static_cast<__int128>(elapsed) * kBillion / (kBillion + drift_ppb_)));
    while (Read(t) < local) t = t + Duration::Nanoseconds(1);
    return t;
  }

 private:
  static constexpr int64_t kBillion = 1000000000;

  Duration offset_;
  int64_t drift_ppb_ = 0;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_NODE_CLOCK_H_
