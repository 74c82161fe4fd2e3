// SPDX-License-Identifier: Apache-2.0
// What a quorum is, counted once more: checkers that asked core/raft/quorum.h would share its bugs.
// Thesis 3.4, 4.3.
#ifndef FLAREDB_SIM_INVARIANTS_QUORUM_H_
#define FLAREDB_SIM_INVARIANTS_QUORUM_H_

#include <algorithm>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/raft/types.h"

namespace flaredb::sim {

// More than half of the voters, and in a joint phase more than half of the outgoing ones as well.
// False when there is no voter. O(voters).
inline bool IsQuorum(const raft::ConfState& conf, absl::FunctionRef<bool(PeerId)> counts) {
  const auto most = [&](const std::vector<PeerId>& voters) {
    return 2 * static_cast<size_t>(std::count_if(voters.begin(), voters.end(), counts)) >
           voters.size();
  };
  return most(conf.voters) && (!conf.joint() || most(conf.voters_outgoing));
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_QUORUM_H_
