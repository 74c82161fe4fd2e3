// SPDX-License-Identifier: Apache-2.0
// Whether a store accepts writes to eventual namespaces. They meet no region that could refuse
// them, so what the cluster has against them is to be known here.
#ifndef FLAREDB_CORE_STORE_RAW_GATE_H_
#define FLAREDB_CORE_STORE_RAW_GATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/time.h"
#include "core/cluster/clock_offset.h"
#include "core/store/request.h"

namespace flaredb::store {

class RawGate {
 public:
  // `skew_max`: cluster::DriverOptions::clock_skew_max.
  explicit RawGate(Duration skew_max) : skew_max_(skew_max) {}

  // From now on none are accepted, because of `why`, the end of a sentence; empty: they are.
  void Set(std::string why) { why_ = std::move(why); }

  // See cluster::RollCall::unix_ms; zero: nothing is known.
  void OnClusterTime(Instant now, uint64_t unix_ms);

  // By how many milliseconds a wall clock that shows `unix_ms` is too far ahead of the cluster's
  // time; zero: it is not, as far as is known.
  int64_t AheadMs(Instant now, uint64_t unix_ms) const;
  // Why a write is refused that would be stamped with `unix_ms`; nullopt: it is accepted.
  std::optional<Error> Refusal(Instant now, uint64_t unix_ms) const;

 private:
  const Duration skew_max_;
  std::string why_;
  cluster::ClockOffset cluster_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_RAW_GATE_H_
