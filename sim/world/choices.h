// SPDX-License-Identifier: Apache-2.0
// All randomness of a run: typed choices from one seed.
#ifndef FLAREDB_SIM_WORLD_CHOICES_H_
#define FLAREDB_SIM_WORLD_CHOICES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "core/base/rng.h"
#include "core/base/time.h"
#include "sim/world/tape.h"

namespace flaredb::sim {

// What is being chosen.
enum class Choice : uint8_t {
  kProfile,      // The run as a whole: sizes, timeouts, rates (sim/world/profile.h).
  kFaultPlan,    // Which faults the run has at all, and how strong.
  kIncarnation,  // Of a replica, when it is created.
  kStoreSeed,    // Of a store, at every start.
  kClock,        // Offset and drift of a node.
  kLoopTime,     // How long a node's loop takes before it turns.
  kMessageDelay,
  kMessageLoss,
  kMessageCopy,
  kDiskLatency,
  kFetchLatency,
  kCrashSurvivors,  // How many unfinished commits a crash leaves on the disk.
  kCrashCut,        // Which effects of its last turn still leave a crashing process.
  kFaultTime,
  kFaultKind,
  kFaultTarget,
  kFaultLength,
  kOrder,  // What the operator does, and when.
  kThinkTime,
  kOperation,
  kExpectation,  // Which version a conditional write expects.
  kTargetStore,
  kBackoff,
  kPatience,   // Whether a client makes a second attempt, closes a call, or allows odd times.
  kPiece,      // Which piece of a snapshot is corrupted, and where.
  kLimits,     // Of a store that starts again with others.
  kBuggify,    // Whether the code takes an alternative.
  kRealDisk,   // What a RealDisk does that is not in its interface.
  kEnding,     // What is asked of the cluster when the faults are over.
  kAltered,    // Of what the disks hold, what is altered for the decoders, and how.
  kEventual,   // Whether a run has eventual namespaces, and what is done to them.
  kWallClock,  // What a node takes for the time of day.
  kPlaced,     // Whether a run has a placement driver, and what it is told.
  kCount,
};

// "message-delay"
std::string_view NameOf(Choice choice);
// The other way round.
std::optional<Choice> ChoiceNamed(std::string_view name);

// Every kind, for each owner (a node, a client, a link's sender), draws from a stream of its own:
// a change of one part of the simulator or of the system leaves the choices of the others as they
// were.
class Choices {
 public:
  static constexpr uint32_t kOwnersMax = 32;

  explicit Choices(uint64_t seed);
  // As the tape has it; see Tape for what happens where it has nothing, or what does not fit.
  explicit Choices(Tape tape);
  // From the bytes, in the order of drawing whatever the stream, as few for each choice as its
  // alternatives need; when they are used up, as for seed 0. For a fuzzer, which learns from
  // coverage which bytes lead on.
  static Choices FromBytes(std::string bytes);
  // left_ points into playing_.
  Choices(Choices&&) = default;
  Choices& operator=(Choices&&) = default;

  // Adds every choice from now on to `tape`, which is borrowed.
  void RecordOn(Tape* tape) { recording_ = tape; }

  // Uniform over [0, alternatives). Requires alternatives > 0, owner < kOwnersMax.
  uint64_t Pick(Choice kind, uint64_t alternatives, uint32_t owner = 0) {
    return Draw(kind, owner, alternatives);
  }
  // Uniform over [first, last].
  uint64_t Between(Choice kind, uint64_t first, uint64_t last, uint32_t owner = 0) {
    return first + Draw(kind, owner, last - first + 1);
  }
  Duration Between(Choice kind, Duration first, Duration last, uint32_t owner = 0) {
    return first + Duration::Nanoseconds(static_cast<int64_t>(
                       Draw(kind, owner, static_cast<uint64_t>((last - first).nanoseconds()) + 1)));
  }
  // True with the given probability.
  bool Chance(Choice kind, uint64_t parts_per_million, uint32_t owner = 0) {
    return parts_per_million != 0 && Draw(kind, owner, 1000000) < parts_per_million;
  }
  // One of the listed values, each as likely as the others.
  template <typename T, size_t N>
  T OneOf(Choice kind, const T (&values)[N], uint32_t owner = 0) {
    return values[Draw(kind, owner, N)];
  }
  // 64 bits for somebody else's generator.
  uint64_t Seed(Choice kind, uint32_t owner = 0) { return Draw(kind, owner, uint64_t{1} << 63); }

 private:
  static size_t StreamOf(Choice kind, uint32_t owner) {
    return static_cast<size_t>(kind) * kOwnersMax + owner;
  }
  // The one place where a choice is made.
  uint64_t Draw(Choice kind, uint32_t owner, uint64_t alternatives);
  std::optional<uint64_t> Prescribed(Choice kind, uint32_t owner, uint64_t alternatives);

  std::array<Rng, static_cast<size_t>(Choice::kCount) * kOwnersMax> streams_;
  Tape playing_;
  std::vector<absl::Span<const uint64_t>> left_;  // Of playing_, by stream; empty: no tape.
  std::string bytes_;
  size_t bytes_used_ = 0;
  Tape* recording_ = nullptr;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_CHOICES_H_
