// SPDX-License-Identifier: Apache-2.0
// Every state that was met, exactly, in little memory.
#ifndef FLAREDB_TESTS_EXPLORE_STATE_SET_H_
#define FLAREDB_TESTS_EXPLORE_STATE_SET_H_

#include <cstdint>
#include <vector>

#include "tests/explore/model.h"

namespace flaredb::explore {

// States are numbered from 0 in the order of their addition. About 70 bytes for each.
class StateSet {
 public:
  explicit StateSet(uint32_t nodes) : nodes_(nodes), slots_(kFirstSlots, kFree) {}

  // False when the state is there already; nothing is added then.
  bool Add(const State& state, uint32_t parent, const Move& move);
  uint32_t size() const { return static_cast<uint32_t>(origins_.size()); }
  State Get(uint32_t number) const;
  // How it was met first. For state 0 both mean nothing.
  uint32_t parent(uint32_t number) const { return origins_[number].parent; }
  const Move& move(uint32_t number) const { return origins_[number].move; }

 private:
  struct Origin {
    uint32_t parent;
    Move move;
  };
  static constexpr uint32_t kFree = ~uint32_t{0};
  static constexpr size_t kFirstSlots = size_t{1} << 16;  // A power of two.

  void Pack(const State& state);
  // Where the packed state stands in slots_, or the free place for it.
  size_t Find(const uint32_t* words, size_t count) const;
  void Grow();

  const uint32_t nodes_;
  std::vector<uint32_t> packed_;  // Scratch.
  std::vector<uint32_t> words_;   // Of all states, one after the other.
  std::vector<uint64_t> begins_;  // Where each begins; ends where the next begins.
  std::vector<Origin> origins_;
  std::vector<uint32_t> slots_;  // Open addressing, at most half full.
};

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_STATE_SET_H_
