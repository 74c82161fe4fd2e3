// SPDX-License-Identifier: Apache-2.0
#include "sim/choices.h"

#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

// The seed of stream `i`. Distinct for every stream of a run; Mix64 makes them unrelated.
uint64_t StreamSeed(uint64_t seed, size_t i) { return Mix64(Mix64(seed) ^ (i + 1)); }

template <size_t... I>
std::array<Rng, sizeof...(I)> MakeStreams(uint64_t seed, std::index_sequence<I...>) {
  return {Rng(StreamSeed(seed, I))...};
}

}  // namespace

Choices::Choices(uint64_t seed)
    : streams_(MakeStreams(
          seed, std::make_index_sequence<static_cast<size_t>(Choice::kCount) * kOwnersMax>())) {}

uint64_t Choices::Draw(Choice kind, uint32_t owner, uint64_t alternatives) {
  INVARIANT(owner < kOwnersMax);
  INVARIANT(kind < Choice::kCount);
  return streams_[static_cast<size_t>(kind) * kOwnersMax + owner].Below(alternatives);
}

}  // namespace flaredb::sim
