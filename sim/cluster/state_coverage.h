// SPDX-License-Identifier: Apache-2.0
// Which kinds of state a run went through: what a fuzzer needs to know beside the lines of code
// that ran, because the same lines run in the dull state and in the one that breaks.
#ifndef FLAREDB_SIM_CLUSTER_STATE_COVERAGE_H_
#define FLAREDB_SIM_CLUSTER_STATE_COVERAGE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "sim/invariants/replica.h"

namespace flaredb::sim {

class StateCoverage {
 public:
  // `seen` has a flag for every kind of state, found by hash: two kinds may share one. Borrowed,
  // not empty, cleared by its owner.
  explicit StateCoverage(absl::Span<uint8_t> seen) : seen_(seen) {}

  // The cluster has come to this state. It is seen from four sides, each of them apart, or there
  // would be more kinds than runs: who leads and follows in which terms; how the logs lie to each
  // other, to their disks and to what is committed; the phases of configurations, and everybody's
  // part in them; leases, rests, transfers and what leaders think of their followers. Distances
  // count as 0, 1, few or many; which replica is which counts for nothing.
  void Mark(const std::vector<Replica>& replicas);

 private:
  absl::Span<uint8_t> seen_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_CLUSTER_STATE_COVERAGE_H_
