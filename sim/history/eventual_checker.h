// SPDX-License-Identifier: Apache-2.0
// Checker E: what an eventual (last-writer-wins) namespace promises.
//
// Every store accepts writes at once, under the time of its hybrid logical clock, and the largest
// write of a key wins wherever two of them meet. Reads may be old, so no order of all operations is
// asked for; what must hold is less, and each rule below is a sentence of its own.
#ifndef FLAREDB_SIM_HISTORY_EVENTUAL_CHECKER_H_
#define FLAREDB_SIM_HISTORY_EVENTUAL_CHECKER_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/history/history.h"

namespace flaredb::sim {

// What a store holds of a key. Of two records of a key the larger one wins: by clock, then a
// deletion over a put, then by store.
struct LwwRecord {
  uint64_t wall = 0;  // Hybrid logical clock: physical part, then counter.
  uint32_t logical = 0;
  bool deleted = false;
  uint32_t store = 0;  // The store that accepted the write.
  ValueId value = 0;   // 0 if deleted. A store gives no time twice, so it decides nothing.

  friend auto operator<=>(const LwwRecord&, const LwwRecord&) = default;
};

// "17.3 of store 2"
std::string DescribeStamp(const LwwRecord& record);

// One attempt at one store. A client that repeats a write elsewhere makes another one, with another
// value: nothing stops both from taking effect.
struct EventualOp {
  enum class Kind : uint8_t { kPut, kDelete, kGet };

  Kind kind = Kind::kGet;
  uint32_t client = 0;  // For the reader of a report.
  uint32_t store = 0;
  std::string key;
  EventNumber invoke = 0;
  EventNumber complete = kNever;  // kNever: unknown outcome; a write may take effect later, or not.
  ValueId value = 0;              // A put's; unique over all puts.
  // A complete write: what was stored. A complete get: what was found, never a deletion; none: no
  // value. Otherwise none.
  std::optional<LwwRecord> record;
};

// `store` dropped this deletion of `key`: no store can hold an older record back any more.
struct TombstoneCollected {
  uint32_t store = 0;
  std::string key;
  LwwRecord tombstone;
  EventNumber at = 0;
};

// The rows of one store at the end. A deletion may be there or not.
struct EventualReplica {
  uint32_t store = 0;
  std::map<std::string, LwwRecord> rows;
};

// Event numbers are unique over everything.
struct EventualHistory {
  std::vector<EventualOp> ops;
  std::vector<TombstoneCollected> collected;
  std::vector<EventualReplica> replicas;  // After healing, when everything was delivered.
};

enum class EventualRule : uint8_t {
  kStamps,          // A store's clock does not go back, and no two writes are given one time.
  kNotWritten,      // What is found was written, before it was found, and as it was written.
  kDivergence,      // At the end all replicas show the same.
  kLostWrite,       // And of each key the largest write that is known to have taken effect, or a
                    // larger one of unknown outcome.
  kResurrection,    // What is older than a collected deletion does not come back.
  kReadYourWrites,  // A get at a store shows a write acknowledged there before, or a larger one.
  kMonotonicReads,  // And what a get there showed before, or a larger one.
};

// "read-your-writes", ...
std::string Name(EventualRule rule);

struct EventualViolation {
  EventualRule rule = EventualRule::kStamps;
  std::string sentence;
};

// All violations, by rule and then in order of time; none for a history that keeps the promises.
// Where a key was found without a value, every deletion that can have taken effect by then is given
// the benefit of the doubt. O(n log n), plus the gets without a value times the deletions of their
// key.
std::vector<EventualViolation> CheckEventual(const EventualHistory& history);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_EVENTUAL_CHECKER_H_
