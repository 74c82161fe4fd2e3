// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/state_set.h"

#include <algorithm>

#include "core/base/hash.h"

namespace flaredb::explore {

void StateSet::Pack(const State& state) {
  const Used& used = state.used;
  packed_.assign(state.replicas.begin(), state.replicas.end());
  packed_.push_back(state.history);
  packed_.push_back(uint32_t{used.entries} | uint32_t{used.crashes} << 8 |
                    uint32_t{used.duplicates} << 16 | uint32_t{used.heartbeats} << 24);
  packed_.push_back(uint32_t{used.changes} | uint32_t{used.transfers} << 8 |
                    uint32_t{used.compactions} << 16 | state.touched << 24);
  packed_.insert(packed_.end(), state.network.begin(), state.network.end());
}

State StateSet::Get(uint32_t number) const {
  const uint32_t* word = words_.data() + begins_[number];
  const uint32_t* end = words_.data() + (number + 1 < size() ? begins_[number + 1] : words_.size());
  State state;
  state.replicas.assign(word, word + nodes_);
  word += nodes_;
  state.history = *word++;
  const auto byte = [](uint32_t x, int number) { return static_cast<uint8_t>(x >> 8 * number); };
  const uint32_t first = *word++;
  const uint32_t second = *word++;
  state.used = {byte(first, 0),  byte(first, 1),  byte(first, 2), byte(first, 3),
                byte(second, 0), byte(second, 1), byte(second, 2)};
  state.touched = byte(second, 3);
  state.network.assign(word, end);
  return state;
}

size_t StateSet::Find(const uint32_t* words, size_t count) const {
  Hasher hasher;
  for (size_t i = 0; i < count; ++i) hasher.Add(words[i]);
  size_t at = hasher.value() & (slots_.size() - 1);
  for (; slots_[at] != kFree; at = (at + 1) & (slots_.size() - 1)) {
    const uint32_t number = slots_[at];
    const uint64_t begin = begins_[number];
    const uint64_t end = number + 1 < size() ? begins_[number + 1] : words_.size();
    if (end - begin == count && std::equal(words, words + count, words_.data() + begin)) break;
  }
  return at;
}

bool StateSet::Add(const State& state, uint32_t parent, const Move& move) {
  if (2 * origins_.size() >= slots_.size()) Grow();
  Pack(state);
  const size_t at = Find(packed_.data(), packed_.size());
  if (slots_[at] != kFree) return false;
  slots_[at] = size();
  begins_.push_back(words_.size());
  words_.insert(words_.end(), packed_.begin(), packed_.end());
  origins_.push_back({parent, move});
  return true;
}

void StateSet::Grow() {
  slots_.assign(2 * slots_.size(), kFree);
  for (uint32_t number = 0; number < size(); ++number) {
    const uint64_t begin = begins_[number];
    const uint64_t end = number + 1 < size() ? begins_[number + 1] : words_.size();
    slots_[Find(words_.data() + begin, end - begin)] = number;
  }
}

}  // namespace flaredb::explore
