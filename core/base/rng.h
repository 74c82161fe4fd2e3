// SPDX-License-Identifier: Apache-2.0
// The only randomness of the project's deterministic parts. The caller supplies the seed.
#ifndef FLAREDB_CORE_BASE_RNG_H_
#define FLAREDB_CORE_BASE_RNG_H_

#include <cstdint>

#include "core/base/check.h"
#include "core/base/time.h"

namespace flaredb {

// Scrambles 64 bits so that neighbouring inputs give unrelated outputs (the finalizer of
// SplitMix64, Steele et al. 2014). A bijection.
constexpr uint64_t Mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// A SplitMix64 generator: 64 bits of state, every seed good. Not for secrets.
// Same seed, same sequence, on every machine and compiler.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    const uint64_t x = Mix64(state_);
    state_ += 0x9e3779b97f4a7c15;
    return x;
  }

  // Uniform over [0, n). Requires n > 0. The bias is below n / 2^64.
  uint64_t Below(uint64_t n) {
    INVARIANT(n > 0);
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64);
  }

  // Uniform over [first, last].
  uint64_t Between(uint64_t first, uint64_t last) {
    INVARIANT(first <= last);
    return first + Below(last - first + 1);
  }

  // Uniform over [first, last].
  Duration Between(Duration first, Duration last) {
    INVARIANT(first <= last);
    return first + Duration::Nanoseconds(static_cast<int64_t>(
                       Below(static_cast<uint64_t>((last - first).nanoseconds()) + 1)));
  }

  // True with probability parts_per_million / 10^6.
  bool Chance(uint64_t parts_per_million) { return Below(1000000) < parts_per_million; }

  // An independent generator; one per purpose keeps purposes from disturbing each other.
  Rng Fork() { return Rng(Mix64(Next())); }

 private:
  uint64_t state_;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_RNG_H_
