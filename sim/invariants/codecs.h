// SPDX-License-Identifier: Apache-2.0
// CODEC: a decoder takes what its encoder makes, and nothing else (core/base/codec.h).
#ifndef FLAREDB_SIM_INVARIANTS_CODECS_H_
#define FLAREDB_SIM_INVARIANTS_CODECS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "sim/world/disk_image.h"

namespace flaredb::sim {

struct Codec {
  const char* what;  // It reads and writes.
  // Of the bytes decoded and encoded again; nullopt when they are refused. Empty: they are taken
  // for a value that there may not be.
  std::optional<std::string> (*again)(std::string_view bytes);
  // Of the value in such bytes, with its numbers at the ends of what they may be; null: there are
  // no such ends.
  std::vector<std::string> (*at_ends)(std::string_view bytes) = nullptr;
};

// A sentence if `bytes`, which a run wrote, are refused or are not what their value is encoded to;
// or if that is so of its value at the ends of its ranges; or of the bytes altered in one of some
// ways, unless these are refused. What changes
// is a bit, a byte, a number, or a range that is left out, repeated, cleared or reordered; as often
// as not near the front, where versions, kinds and flags are.
std::optional<std::string> BrokenCodec(const Codec& codec, std::string_view bytes, Rng* rng);

// The same of a few entries and rows of `region` that `disk` holds, and of the configuration in
// force. What a machine of the user's own writes is not looked into.
std::optional<std::string> BrokenCodec(RegionId region, const DiskImage& disk, Rng* rng);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_CODECS_H_
