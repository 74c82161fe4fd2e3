// SPDX-License-Identifier: Apache-2.0
// How long things took: counts by fixed bounds, as monitoring systems add them up.
#ifndef FLAREDB_NET_HISTOGRAM_H_
#define FLAREDB_NET_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/time.h"

namespace flaredb::net {

// A value: copying it is how it is handed to another thread. Adding costs about 10 ns.
class Histogram {
 public:
  // Upper bounds, inclusive, from a turn of the loop to a call that waits for a new leader.
  static constexpr std::array<Duration, 16> kBounds = {
      Duration::Microseconds(50),  Duration::Microseconds(100), Duration::Microseconds(250),
      Duration::Microseconds(500), Duration::Milliseconds(1),   Duration::Microseconds(2500),
      Duration::Milliseconds(5),   Duration::Milliseconds(10),  Duration::Milliseconds(25),
      Duration::Milliseconds(50),  Duration::Milliseconds(100), Duration::Milliseconds(250),
      Duration::Milliseconds(500), Duration::Seconds(1),        Duration::Milliseconds(2500),
      Duration::Seconds(10)};

  void Add(Duration d) {
    const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), d) - kBounds.begin();
    ++counts_[static_cast<size_t>(bucket)];
    sum_ = sum_ + d;
  }

  // counts()[i] lie in (kBounds[i - 1], kBounds[i]]; the last ones are above all bounds.
  const std::array<uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  Duration sum() const { return sum_; }

 private:
  std::array<uint64_t, kBounds.size() + 1> counts_{};
  Duration sum_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_HISTOGRAM_H_
