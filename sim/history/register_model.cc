// SPDX-License-Identifier: Apache-2.0
#include "sim/history/register_model.h"

#include "core/base/rng.h"

namespace flaredb::sim {

bool RegisterModel::Step(const Op& op, State* state) const {
  switch (op.kind) {
    case Op::Kind::kRead:
      return *state == op.value;
    case Op::Kind::kWrite:
      *state = op.value;
      return true;
    case Op::Kind::kCas:
      if (*state != op.from) return false;
      *state = op.value;
      return true;
    case Op::Kind::kCasMismatch:
      return *state != op.from;
  }
  return false;
}

bool RegisterModel::ReadOnly(const Op& op) const {
  return op.kind == Op::Kind::kRead || op.kind == Op::Kind::kCasMismatch;
}

uint64_t RegisterModel::Hash(const State& state) const {
  return state ? Mix64(static_cast<uint64_t>(*state)) : 0;
}

}  // namespace flaredb::sim
