// SPDX-License-Identifier: Apache-2.0
// The only scheduler of a run.
#ifndef FLAREDB_SIM_WORLD_EVENT_QUEUE_H_
#define FLAREDB_SIM_WORLD_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.h"

namespace flaredb::sim {

enum class EventKind : uint8_t {
  kDeliver,    // A packet arrives. arg: the network's parcel.
  kTurn,       // A node's loop turns. target: node, arg: its life.
  kWake,       // A node's deadline may have come. target: node, arg: the timer's number.
  kDiskDone,   // A node's oldest unfinished commit is durable. target: node, arg: its life.
  kFetchRead,  // A node's disk reads old log entries. target: node, arg: the fetch.
  kFetchDone,  // The entries read reach the node. target: node, arg: the fetch.
  kRestart,    // A crashed node starts. target: node, arg: its life.
  kResume,     // A paused node goes on. target: node, arg: the pause.
  kClient,     // A client's timer. target: client, arg: the timer's number.
  kFault,      // The nemesis acts. arg: 0, or the fault to end.
  kOperator,   // The operator looks at the cluster.
  kModes,      // The mode switcher looks at the cluster.
  kPhase,      // The run as a whole moves on. arg: the phase.
  kAdmin,      // The administrator looks at the cluster.
};

// Small and plain; whatever is larger waits with its owner, who finds it by `arg`.
struct Event {
  EventKind kind = EventKind::kPhase;
  uint32_t target = 0;
  uint64_t arg = 0;
};

// Events in the order of (time, sequence of scheduling). The time is the simulator's own; a node
// sees it through its NodeClock. O(log n) for each event, no allocation at steady state.
class EventQueue {
 public:
  Instant now() const { return now_; }
  // Events taken out so far.
  uint64_t processed() const { return processed_; }
  // Those of the second in which now() is, counted from the start.
  uint64_t processed_in_second() const { return processed_ - processed_before_; }
  bool empty() const { return heap_.empty(); }

  // `at` in the past means now.
  void At(Instant at, const Event& event);
  void After(Duration delay, const Event& event) { At(now_ + delay, event); }

  // The next event; the time moves to it. Requires !empty().
  Event Pop();

 private:
  struct Item {
    Instant at;
    uint64_t sequence;
    Event event;
  };
  // Orders the standard library's heap so that the earliest comes first.
  struct Later {
    bool operator()(const Item& a, const Item& b) const {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };

  Instant now_;
  uint64_t next_sequence_ = 0;
  uint64_t processed_ = 0;
  int64_t second_ = 0;             // That of now_, and
  uint64_t processed_before_ = 0;  // what was processed before it.
  std::vector<Item> heap_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_EVENT_QUEUE_H_
