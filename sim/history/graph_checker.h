// SPDX-License-Identifier: Apache-2.0
// Checker B: strict serializability of operations on several keys, such as scans and batches.
//
// The writes of every key are numbered without gaps, so their order is known, and a read names the
// version that it saw. What has to precede what is then a graph: a write its successor (ww), a
// write its reader (wr), a reader the next write (rw), and an operation those that began after its
// end (rt). An order of all operations exists exactly if the graph has no cycle. A read that found
// a key absent names no version: it lies before the creation or after the deletion of each of the
// key's lives, which makes it an edge as well, so a key that appears between two parts of a scan (a
// phantom) closes a cycle like any other write.
#ifndef FLAREDB_SIM_HISTORY_GRAPH_CHECKER_H_
#define FLAREDB_SIM_HISTORY_GRAPH_CHECKER_H_

#include "sim/history/history.h"

namespace flaredb::sim {

// Decides whether one order of all operations of `history` explains every answer and keeps to real
// time; the parts of an operation on several keys have one place in it. An unknown write is in the
// order if its value was read, or if it has to explain a version that somebody saw.
//
// Exact, with one exception: a part of an unknown operation on several keys, of which no value was
// read, may be taken for a write of its own. So a rejected history is always wrong, and an accepted
// one is right unless it has such operations. The values of a key's writes are unique (INVARIANT,
// as far as the verdict depends on it).
//
// `why` says who read or wrote what can't be, or tells a shortest cycle, step by step.
//
// O(n log n) for n parts, times the rounds (two, rarely more) in which absent reads find their
// place; exponential in the number of absent reads of which several overlap the same changes in
// such a way that none of the rules places them.
Verdict CheckGraph(const VersionedHistory& history);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_GRAPH_CHECKER_H_
