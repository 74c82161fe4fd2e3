// SPDX-License-Identifier: Apache-2.0
// Who may decide: majorities, and the two majorities of a joint configuration. Stateless.
// Thesis 3.4, 3.5, 4.3.
#ifndef FLAREDB_CORE_RAFT_QUORUM_H_
#define FLAREDB_CORE_RAFT_QUORUM_H_

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/raft/types.h"

namespace flaredb::raft {

// Smallest number of voters of which any two sets intersect.
constexpr size_t Majority(size_t voters) { return voters / 2 + 1; }

// The highest value that a majority of the voters (of each half, when joint) has reached.
//   reached  the value of one voter; called once for each voter and half
// Requires voters: who knows of none may not ask. O(n^2), without allocation for up to 7 voters.
uint64_t QuorumValue(const ConfState& conf, absl::FunctionRef<uint64_t(PeerId)> reached);

// Whether a majority of the voters (of each half, when joint) satisfies `predicate`. Requires
// voters.
bool HasQuorum(const ConfState& conf, absl::FunctionRef<bool(PeerId)> predicate);

enum class VoteState : uint8_t { kPending, kWon, kLost };
enum class Ballot : uint8_t { kMissing, kGranted, kRefused };

// Won when a quorum granted; lost when a quorum no longer can. Nobody is elected without voters.
VoteState CountVotes(const ConfState& conf, absl::FunctionRef<Ballot(PeerId)> ballot);

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_QUORUM_H_
