// SPDX-License-Identifier: Apache-2.0
// A running 64-bit hash with the same value on every machine, for determinism checks.
#ifndef FLAREDB_CORE_BASE_HASH_H_
#define FLAREDB_CORE_BASE_HASH_H_

#include <cstdint>
#include <string_view>

#include "core/base/rng.h"
#include "core/base/types.h"

namespace flaredb {

// Order matters; not for adversaries. Hash every variable-length list together with its length.
class Hasher {
 public:
  Hasher& Add(uint64_t x) {
    state_ = Mix64(state_ ^ x) + 0x9e3779b97f4a7c15;
    return *this;
  }
  template <typename Tag>
  Hasher& Add(Ordinal<Tag> x) {
    return Add(x.value());
  }
  Hasher& Add(std::string_view bytes) {
    Add(bytes.size());
    uint64_t word = 0;
    int filled = 0;
    for (const char c : bytes) {
      word = word << 8 | static_cast<unsigned char>(c);
      if (++filled == 8) {
        Add(word);
        word = 0;
        filled = 0;
      }
    }
    return filled == 0 ? *this : Add(word);
  }

  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_HASH_H_
