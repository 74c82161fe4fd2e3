// SPDX-License-Identifier: Apache-2.0
// One key of the strong mode as a sequential object: what checker A must agree with.
#ifndef FLAREDB_SIM_HISTORY_VERSIONED_MODEL_H_
#define FLAREDB_SIM_HISTORY_VERSIONED_MODEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "sim/history/history.h"
#include "sim/history/wgl.h"

namespace flaredb::sim {

// What an operation asked and was answered, without its times.
struct VersionedStep {
  OpKind kind = OpKind::kGet;
  Outcome outcome = Outcome::kUnknown;  // Never kNotApplied.
  uint64_t expected = 0;
  uint64_t version = 0;
  ValueId value = 0;

  friend bool operator==(const VersionedStep&, const VersionedStep&) = default;
};

struct VersionedState {
  uint64_t version = 0;  // Of the latest write, deletions included; 0: never written.
  bool live = false;
  ValueId value = 0;  // 0 if not live.

  friend bool operator==(const VersionedState&, const VersionedState&) = default;
};

// Satisfies SequentialModel.
struct VersionedModel {
  using Op = VersionedStep;
  using State = VersionedState;

  State Initial() const { return {}; }
  bool Step(const Op& op, State* state) const;
  bool ReadOnly(const Op& op) const;
  uint64_t Hash(const State& state) const;
};

// The operations on one key for checker C; refused ones are left out.
std::vector<TimedOp<VersionedStep>> ForWgl(std::span<const VersionedOp> ops);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_VERSIONED_MODEL_H_
