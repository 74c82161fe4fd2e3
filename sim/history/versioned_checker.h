// SPDX-License-Identifier: Apache-2.0
// Checker A: exact linearizability of strong single-key operations on versioned keys.
//
// The service numbers the writes of a key 1, 2, 3, ... without gaps, deletions included, and every
// answer names a version. The order of the writes is therefore known, and what is left of the
// search is to place write number v in time: O(n log n) where a general checker is exponential.
// versioned_checker.cc says why nothing is lost.
#ifndef FLAREDB_SIM_HISTORY_VERSIONED_CHECKER_H_
#define FLAREDB_SIM_HISTORY_VERSIONED_CHECKER_H_

#include <span>

#include "sim/history/history.h"

namespace flaredb::sim {

// Checks every key of `history`; linearizability is local (Herlihy and Wing 1990), so the keys are
// checked one by one. `why` names the key, the broken rule and the operations that contradict.
//
// A key starts as never written. The values of its writes are unique (INVARIANT, as far as the
// verdict depends on it).
//
// O(n log n) for n operations, times the number of stories that remain open. There is one story
// unless a write that nobody acknowledged can have been a put or a deletion and no read tells
// which; at most (unknown creations + 1) x (keys' lives that such writes touch).
Verdict CheckVersioned(const VersionedHistory& history);

// The same for the operations on one key, in any order. At most 2^32 - 2 of them.
Verdict CheckVersionedKey(std::span<const VersionedOp> ops);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_VERSIONED_CHECKER_H_
