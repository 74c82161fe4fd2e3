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
  // `window`  words at the start of every bit set that are nearly all ones up to some place and
  //           zero from some place on; of these, only the words between are kept
  explicit WglMemo(size_t window) : window_(window), slots_(kFirstSlots, 0) {}

  // Adds the configuration; false if it was there. Every `bits` has the same length. Amortized
  // O(length).
  bool Insert(const std::vector<uint64_t>& bits, const State& state, uint64_t state_hash) {
    size_t begin = 0;
    size_t end = window_;
    while (end > 0 && bits[end - 1] == 0) --end;
    while (begin < end && bits[begin] == ~uint64_t{0}) ++begin;
    key_.assign(1, begin);
    key_.insert(key_.end(), bits.begin() + static_cast<ptrdiff_t>(begin),
                bits.begin() + static_cast<ptrdiff_t>(end));
    key_.insert(key_.end(), bits.begin() + static_cast<ptrdiff_t>(window_), bits.end());

    uint64_t hash = state_hash;
    for (const uint64_t word : key_) hash = Mix64(hash ^ word);
    if ((states_.size() + 1) * 2 > slots_.size()) Grow();
    size_t slot = hash & (slots_.size() - 1);
    for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
      const size_t i = slots_[slot] - 1;
      const auto first = keys_.begin() + static_cast<ptrdiff_t>(ends_[i]);
      const auto last = keys_.begin() + static_cast<ptrdiff_t>(ends_[i + 1]);
      if (hashes_[i] == hash && states_[i] == state &&
          std::equal(first, last, key_.begin(), key_.end())) {
        return false;
      }
    }
    keys_.insert(keys_.end(), key_.begin(), key_.end());
    ends_.push_back(keys_.size());
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

  size_t window_;
  std::vector<size_t> slots_;       // Number of the configuration + 1; 0 is free.
  std::vector<uint64_t> key_;       // Of the configuration at hand.
  std::vector<uint64_t> keys_;      // The first word that is kept, and the kept ones.
  std::vector<size_t> ends_ = {0};  // Key i ends where key i + 1 begins.
  std::vector<State> states_;
  std::vector<uint64_t> hashes_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_WGL_MEMO_H_
