// SPDX-License-Identifier: Apache-2.0
// How far another store's wall clock is from what this one measures time with.
#ifndef FLAREDB_CORE_CLUSTER_CLOCK_OFFSET_H_
#define FLAREDB_CORE_CLUSTER_CLOCK_OFFSET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.h"

namespace flaredb::cluster {

// A time that was told is old by as long as the message took, so of those of the latest few seconds
// the one with the least delay counts: the greatest difference.
class ClockOffset {
 public:
  // At `now` it was heard to be `unix_ms`.
  void Add(Instant now, uint64_t unix_ms) {
    const int64_t offset = static_cast<int64_t>(unix_ms) - Milliseconds(now);
    if (known() && now - began_ < kSlot) {
      latest_.back() = std::max(latest_.back(), offset);
      return;
    }
    began_ = now;
    if (latest_.size() == kSlots) latest_.erase(latest_.begin());
    latest_.push_back(offset);
  }
  // Whether anything was heard. The members below require it.
  bool known() const { return !latest_.empty(); }
  // Of the other's wall clock to this store's time, in milliseconds.
  int64_t milliseconds() const { return *std::max_element(latest_.begin(), latest_.end()); }
  // What that wall clock shows at `now`.
  int64_t At(Instant now) const { return milliseconds() + Milliseconds(now); }

 private:
  static constexpr size_t kSlots = 8;
  static constexpr Duration kSlot = Duration::Milliseconds(500);

  static int64_t Milliseconds(Instant now) { return (now - Instant()).milliseconds(); }

  std::vector<int64_t> latest_;  // The greatest of each slot, oldest first.
  Instant began_;                // The last slot.
};

}  // namespace flaredb::cluster

#endif  // FLAREDB_CORE_CLUSTER_CLOCK_OFFSET_H_
