// SPDX-License-Identifier: Apache-2.0
// The choices of one run, by stream.
#ifndef FLAREDB_SIM_WORLD_TAPE_H_
#define FLAREDB_SIM_WORLD_TAPE_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace flaredb::sim {

enum class Choice : uint8_t;

// Replayed into another state of the code, a choice that has fewer alternatives now is taken modulo
// their number, and one that was never made comes from the seed: most of the run stays what it was.
struct Tape {
  using Stream = std::pair<Choice, uint32_t>;  // Kind and owner.

  uint64_t seed = 0;
  std::map<Stream, std::vector<uint64_t>> streams;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_TAPE_H_
