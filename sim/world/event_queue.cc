// SPDX-License-Identifier: Apache-2.0
#include "sim/world/event_queue.h"

#include <algorithm>

#include "core/base/check.h"

namespace flaredb::sim {

void EventQueue::At(Instant at, const Event& event) {
  heap_.push_back({std::max(at, now_), next_sequence_++, event});
  std::push_heap(heap_.begin(), heap_.end(), Later());
}

Event EventQueue::Pop() {
  INVARIANT(!heap_.empty());
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  const Item item = heap_.back();
  heap_.pop_back();
  INVARIANT(item.at >= now_);
  now_ = item.at;
  if (const int64_t second = (now_ - Instant()).milliseconds() / 1000; second != second_) {
    second_ = second;
    processed_before_ = processed_;
  }
  ++processed_;
  return item.event;
}

}  // namespace flaredb::sim
