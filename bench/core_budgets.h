// SPDX-License-Identifier: Apache-2.0
// What the core may spend, as counts that are the same in every run. The benchmark prints them and
// tests/core/raft/budget_test.cc holds them to their limits.
#ifndef FLAREDB_BENCH_CORE_BUDGETS_H_
#define FLAREDB_BENCH_CORE_BUDGETS_H_

#include <cstddef>
#include <cstdint>

#include "core/raft/entry.h"

namespace flaredb::bench {

inline constexpr size_t kPayloadBytes = 128;

// A proposal of `entries` commands of kPayloadBytes each. One allocation.
raft::EntryBlockRef MakeProposal(size_t entries);

// Allocations on all three replicas together, from the proposal's block (which counts) until all
// have applied it. `entries` are proposed at once, again and again.
struct ProposalCost {
  double allocations_per_proposal = 0;
  double allocations_per_ack = 0;
};
ProposalCost MeasureProposals(size_t entries);

// Inside of the core, for each call that a heartbeat or its answer causes.
double MeasureAllocationsPerHeartbeat();

struct PayloadCost {
  uint64_t seen = 0;    // Handed to the wire, a disk, or a state machine.
  uint64_t copied = 0;  // Those that did not lie in the memory that the proposer had filled.
};
PayloadCost MeasurePayloads();

// Memory that a replica holds whose group has pinned its members, made contact several times and
// rests: the object and its heap. The largest of the three.
size_t MeasureBytesPerIdleGroup();

}  // namespace flaredb::bench

#endif  // FLAREDB_BENCH_CORE_BUDGETS_H_
