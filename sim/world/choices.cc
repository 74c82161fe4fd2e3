// SPDX-License-Identifier: Apache-2.0
#include "sim/world/choices.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

// In the order of Choice.
constexpr std::string_view kNames[] = {
    "profile",       "fault-plan",      "incarnation",  "store-seed",   "clock",
    "loop-time",     "message-delay",   "message-loss", "message-copy", "disk-latency",
    "fetch-latency", "crash-survivors", "crash-cut",    "fault-time",   "fault-kind",
    "fault-target",  "fault-length",    "order",        "think-time",   "operation",
    "expectation",   "target-store",    "backoff",      "patience",     "piece",
    "limits",        "buggify",         "real-disk",    "ending",       "altered",
    "eventual",      "wall-clock",      "placed"};
static_assert(std::size(kNames) == static_cast<size_t>(Choice::kCount));

// The seed of stream `i`. Distinct for every stream of a run; Mix64 makes them unrelated.
uint64_t StreamSeed(uint64_t seed, size_t i) { return Mix64(Mix64(seed) ^ (i + 1)); }

template <size_t... I>
std::array<Rng, sizeof...(I)> MakeStreams(uint64_t seed, std::index_sequence<I...>) {
  return {Rng(StreamSeed(seed, I))...};
}

}  // namespace

std::string_view NameOf(Choice choice) { return kNames[static_cast<size_t>(choice)]; }

std::optional<Choice> ChoiceNamed(std::string_view name) {
  const auto* at = std::find(std::begin(kNames), std::end(kNames), name);
  if (at == std::end(kNames)) return std::nullopt;
  return static_cast<Choice>(at - std::begin(kNames));
}

Choices::Choices(uint64_t seed)
    : streams_(MakeStreams(
          seed, std::make_index_sequence<static_cast<size_t>(Choice::kCount) * kOwnersMax>())) {}

Choices::Choices(Tape tape) : Choices(tape.seed) {
  playing_ = std::move(tape);
  left_.resize(streams_.size());
  for (const auto& [stream, values] : playing_.streams) {
    left_[StreamOf(stream.first, stream.second)] = values;
  }
}

Choices Choices::FromBytes(std::string bytes) {
  Choices choices(0);
  choices.bytes_ = std::move(bytes);
  return choices;
}

uint64_t Choices::Draw(Choice kind, uint32_t owner, uint64_t alternatives) {
  INVARIANT(owner < kOwnersMax);
  INVARIANT(kind < Choice::kCount);
  // The stream moves on even if it is not asked, and is where it would be when the tape ends.
  uint64_t value = streams_[StreamOf(kind, owner)].Below(alternatives);
  value = Prescribed(kind, owner, alternatives).value_or(value);
  if (recording_ != nullptr) recording_->streams[{kind, owner}].push_back(value);
  return value;
}

std::optional<uint64_t> Choices::Prescribed(Choice kind, uint32_t owner, uint64_t alternatives) {
  if (bytes_used_ < bytes_.size()) {
    uint64_t value = 0;
    for (uint64_t rest = alternatives - 1; rest > 0 && bytes_used_ < bytes_.size(); rest >>= 8) {
      value = value << 8 | static_cast<uint8_t>(bytes_[bytes_used_++]);
    }
    return value % alternatives;
  }
  if (left_.empty()) return std::nullopt;
  absl::Span<const uint64_t>& left = left_[StreamOf(kind, owner)];
  if (left.empty()) return std::nullopt;
  const uint64_t value = left.front();
  left.remove_prefix(1);
  return value % alternatives;
}

}  // namespace flaredb::sim
