// SPDX-License-Identifier: Apache-2.0
// Hybrid logical clocks (Kulkarni et al., "Logical Physical Clocks", 2014): the times that order
// last-writer-wins.
#ifndef FLAREDB_CORE_KV_HLC_H_
#define FLAREDB_CORE_KV_HLC_H_

#include <algorithm>
#include <cstdint>

#include "core/base/types.h"

namespace flaredb::kv {

// 48 bits of milliseconds since 1970 and 16 bits of a counter, so that it compares as both do.
// Zero: none.
using Hlc = Ordinal<struct HlcTag>;

inline constexpr int kHlcCounterBits = 16;

// The first time of a millisecond. Whatever does not fit into 48 bits is the last one that does.
constexpr Hlc HlcAt(uint64_t unix_ms) {
  constexpr uint64_t kLast = (uint64_t{1} << (64 - kHlcCounterBits)) - 1;
  return Hlc(std::min(unix_ms, kLast) << kHlcCounterBits);
}
constexpr uint64_t UnixMsOf(Hlc time) { return time.value() >> kHlcCounterBits; }

// Issues the times of one store: each above all that it issued or observed before. It has no clock
// of its own; what it reads comes with each call.
class HlcClock {
 public:
  // `last`: the greatest time of an earlier life of the store; zero without one.
  explicit HlcClock(Hlc last = Hlc()) : last_(last) {}

  // Requires that the last time is not Hlc::Max(), which no clock reaches.
  Hlc Next(uint64_t unix_ms) { return last_ = std::max(HlcAt(unix_ms), last_.next()); }

  // Somebody else issued `time`: what is issued here from now on comes after it. Refused, without
  // any effect, when it is more than `skew_ms_max` ahead of `unix_ms`: one clock that is far ahead
  // would otherwise take all others with it, and pin every value that it writes.
  bool Observe(Hlc time, uint64_t unix_ms, uint64_t skew_ms_max) {
    if (UnixMsOf(time) > unix_ms && UnixMsOf(time) - unix_ms > skew_ms_max) return false;
    last_ = std::max(last_, time);
    return true;
  }

  // The greatest time issued or observed.
  Hlc last() const { return last_; }

 private:
  Hlc last_;
};

}  // namespace flaredb::kv

#endif  // FLAREDB_CORE_KV_HLC_H_
