// SPDX-License-Identifier: Apache-2.0
// The configurations that a search has visited: pairs of a bit set and a state.
#ifndef FLAREDB_SIM_HISTORY_WGL_MEMO_H_
#define FLAREDB_SIM_HISTORY_WGL_MEMO_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/rng.h"

namespace flaredb::sim {

// An open-addressing set. Compares whole configurations: a collision of hashes costs time only.
template <typename State>
class WglMemo {
 public:
  // `words`  length of every bit set, in 64-bit words
  explicit WglMemo(size_t words) : words_(words), slots_(kFirstSlots, 0) {}

  // Adds the configuration; false if it was there. Amortized O(words).
  bool Insert(const std::vector<uint64_t>& bits, const State& state, uint64_t state_hash) {
    uint64_t hash = state_hash;
    for (const uint64_t word : bits) hash = Mix64(hash ^ word);
    if ((states_.size() + 1) * 2 > slots_.size()) Grow();
    size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
      const size_t i = slots_[slot] - 1;
      if (hashes_[i] == hash && states_[i] == state &&
          std::equal(bits.begin(), bits.end(),
                     bits_.begin() + static_cast<ptrdiff_t>(i * words_))) {
        return false;
      }
    }
    bits_.insert(bits_.end(), bits.begin(), bits.end());
    states_.push_back(state);
    hashes_.push_back(hash);
    slots_[slot] = states_.size();
    return true;
  }

 private:
  static constexpr size_t kFirstSlots = 64;  // A power of two, as every later size.

  void Grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (size_t i = 0; i < hashes_.size(); ++i) {
      size_t slot = hashes_[i] & (slots_.size() - 1);
      while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = i + 1;
    }
  }

  size_t words_;
  std::vector<size_t> slots_;  // Number of the configuration + 1; 0 is free.
  std::vector<uint64_t> bits_;
  std::vector<State> states_;
  std::vector<uint64_t> hashes_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_WGL_MEMO_H_
