// SPDX-License-Identifier: Apache-2.0
#include "core/store/raw_gate.h"

#include "core/store/errors.h"

namespace flaredb::store {

std::optional<Error> RawGate::Refusal() const {
  if (why_.empty()) return std::nullopt;
  return NotAcceptingError(why_);
}

}  // namespace flaredb::store
