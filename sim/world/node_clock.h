// SPDX-License-Identifier: Apache-2.0
// One node's monotonic clock, as a function of simulated time.
#ifndef FLAREDB_SIM_WORLD_NODE_CLOCK_H_
#define FLAREDB_SIM_WORLD_NODE_CLOCK_H_

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace flaredb::sim {

// Reads offset + t * (1 + drift), so that no two nodes agree and nobody can compare instants of
// different stores without being noticed. Rate and offset may change; the reading never goes back,
// but may stand still.
class NodeClock {
 public:
  NodeClock() = default;
  // `drift_ppb` in parts per 10^9, above -10^9. `offset` is not negative.
  NodeClock(Duration offset, int64_t drift_ppb)
      : reading_(Instant() + offset), drift_ppb_(drift_ppb) {}

  // From simulated time `t` on the clock shows `jump` more, and runs at another rate. `t` is not
  // before the last change. A jump back makes it stand still for as long.
  void Change(Instant t, int64_t drift_ppb, Duration jump) {
    floor_ = Read(t);
    reading_ = floor_ + jump;
    since_ = t;
    drift_ppb_ = drift_ppb;
  }

  // What the clock shows at simulated time `t`, not before the last change.
  Instant Read(Instant t) const {
    const Duration elapsed = t - since_;
    const auto drift =
        static_cast<int64_t>(static_cast<__int128>(elapsed.nanoseconds()) * drift_ppb_ / kBillion);
    return std::max(floor_, reading_ + elapsed + Duration::Nanoseconds(drift));
  }

  // The first simulated time at which the clock shows `local` or later, not before the last change;
  // `never` stays never.
  Instant WhenReads(Instant local) const {
    if (local == Instant::Max()) return local;
    const int64_t elapsed = (local - reading_).nanoseconds();
    if (elapsed <= 0 || local <= floor_) return since_;
    Instant t = since_ + Duration::Nanoseconds(static_cast<int64_t>(
                             static_cast<__int128>(elapsed) * kBillion / (kBillion + drift_ppb_)));
    while (Read(t) < local) t = t + Duration::Nanoseconds(1);
    return t;
  }

 private:
  static constexpr int64_t kBillion = 1000000000;

  Instant reading_;  // At since_, but that the clock never shows less than floor_.
  Instant floor_;
  Instant since_;
  int64_t drift_ppb_ = 0;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_NODE_CLOCK_H_
