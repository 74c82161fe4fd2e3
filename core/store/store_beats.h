// SPDX-License-Identifier: Apache-2.0
// The one sign of life between two stores that stands for all groups that rest
// (raft::HeartbeatRequest).
#ifndef FLAREDB_CORE_STORE_STORE_BEATS_H_
#define FLAREDB_CORE_STORE_STORE_BEATS_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"

namespace flaredb::store {

// A store beats to those that share a resting group with it, and watches them: one that is silent
// for an election timeout, or that was started anew, may have left groups without a leader.
class StoreBeats {
 public:
  explicit StoreBeats(const raft::Config& config) : config_(config) {}

  // A group rests here since now.
  void Arm(Instant now);
  Instant next_deadline() const { return next_beat_; }

  // On the deadline. `watched` are the stores that share a resting group with this one, itself
  // excluded; when there is none, beats stop until Arm.
  // Returns those that have been silent for too long. One that stays silent is told again after as
  // long again: by then other groups may rest with it.
  std::vector<StoreId> Beat(Instant now, const std::set<StoreId>& watched);

  // A beat from `store`. True when it is watched and this comes from another life of it than the
  // beat before.
  bool OnBeat(Instant now, StoreId store, uint64_t life);

 private:
  struct Watched {
    Instant heard;      // Or told to be silent.
    uint64_t life = 0;  // Zero until the first beat.
  };

  const raft::Config& config_;
  Instant next_beat_ = Instant::Max();
  std::map<StoreId, Watched> watched_;
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_STORE_BEATS_H_
