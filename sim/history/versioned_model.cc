// SPDX-License-Identifier: Apache-2.0
#include "sim/history/versioned_model.h"

#include "core/base/rng.h"

namespace flaredb::sim {

bool VersionedModel::Step(const Op& op, State* state) const {
  const uint64_t live_version = state->live ? state->version : 0;
  if (op.outcome == Outcome::kMismatch) {
    return op.kind != OpKind::kGet && live_version == op.version && live_version != op.expected;
  }
  const bool answered = op.outcome == Outcome::kOk;
  switch (op.kind) {
    case OpKind::kGet:
      return !answered ||
             (live_version == op.version && (live_version == 0 || state->value == op.value));
    case OpKind::kCas:
      if (live_version != op.expected) return false;
      *state = {state->version + 1, true, op.value};
      return !answered || state->version == op.version;
    case OpKind::kCasDelete:
      if (live_version == 0 || live_version != op.expected) return false;
      *state = {state->version + 1, false, 0};
      return true;
  }
  return false;
}

bool VersionedModel::ReadOnly(const Op& op) const {
  return op.kind == OpKind::kGet || op.outcome == Outcome::kMismatch;
}

uint64_t VersionedModel::Hash(const State& state) const {
  return Mix64(Mix64(state.version * 2 + (state.live ? 1 : 0)) ^ state.value);
}

std::vector<TimedOp<VersionedStep>> ForWgl(std::span<const VersionedOp> ops) {
  std::vector<TimedOp<VersionedStep>> result;
  result.reserve(ops.size());
  for (const VersionedOp& op : ops) {
    if (op.outcome == Outcome::kNotApplied) continue;
    result.push_back(
        {{op.kind, op.outcome, op.expected, op.version, op.value}, op.invoke, op.complete});
  }
  return result;
}

}  // namespace flaredb::sim
