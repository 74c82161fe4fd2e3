// SPDX-License-Identifier: Apache-2.0
// ACK: nothing that promises durability leaves before it is durable.
#ifndef FLAREDB_SIM_INVARIANTS_PROMISES_H_
#define FLAREDB_SIM_INVARIANTS_PROMISES_H_

#include <optional>
#include <string>
#include <vector>

#include "core/raft/message.h"
#include "sim/invariants/names.h"
#include "sim/invariants/replica.h"
#include "sim/world/log_image.h"

namespace flaredb::sim {

// A sentence if `message`, which is leaving its sender, promises what is not in `durable`, the
// sender's image at this moment:
//   anything          the term that it states
//   a candidacy       the vote for itself, if the term is still that one
//   a granted vote    the term, and the vote if the term is still that one
//   an accept         the term, and the log up to match_index, equal to the log of the leader of
//                     that term if it still leads
std::optional<std::string> BrokenPromise(const raft::Message& message, const LogImage& durable,
                                         const Names& names, const std::vector<Replica>& replicas);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_PROMISES_H_
