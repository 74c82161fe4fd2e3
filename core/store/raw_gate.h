// SPDX-License-Identifier: Apache-2.0
// Whether a store accepts writes to eventual namespaces. They meet no region that could refuse
// them, so what the cluster has against them is to be known here.
#ifndef FLAREDB_CORE_STORE_RAW_GATE_H_
#define FLAREDB_CORE_STORE_RAW_GATE_H_

#include <optional>
#include <string>
#include <utility>

#include "core/store/request.h"

namespace flaredb::store {

class RawGate {
 public:
  // From now on none are accepted, because of `why`, the end of a sentence; empty: they are.
  void Set(std::string why) { why_ = std::move(why); }

  // Why a write is refused; nullopt: it is accepted.
  std::optional<Error> Refusal() const;

 private:
  std::string why_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_RAW_GATE_H_
