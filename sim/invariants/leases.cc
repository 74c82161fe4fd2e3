// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/leases.h"

#include <limits>
#include <sstream>

#include "core/raft/membership.h"
#include "core/raft/quorum.h"

namespace flaredb::sim {

std::optional<Instant> PromisesEnd(const Replica& leader, const Names& names,
                                   const std::vector<Replica>& replicas,
                                   absl::FunctionRef<Instant(uint32_t node, Instant local)> when) {
  constexpr auto kNever = std::numeric_limits<uint64_t>::max();
  const uint64_t end = raft::QuorumValue(leader.view.conf, [&](PeerId peer) -> uint64_t {
    const uint32_t node = names.NodeOf(peer);
    const Replica& voter = replicas[node];
    if (peer == leader.peer || voter.peer != peer || !voter.running) return kNever;
    return static_cast<uint64_t>((when(node, voter.view.promised_until) - Instant()).nanoseconds());
  });
  if (end == kNever) return std::nullopt;
  return Instant() + Duration::Nanoseconds(static_cast<int64_t>(end));
}

std::string LeaseBeyondPromises(uint32_t node, Duration ahead, const Names& names,
                                const std::vector<Replica>& replicas) {
  std::ostringstream out;
  out << names.Store(node) << " leads term " << replicas[node].view.term
      << " and would hold its lease ";
  if (ahead > Duration()) {
    out << "in " << ahead;
  } else {
    out << "now";
  }
  out << ", when no quorum of " << raft::Describe(replicas[node].view.conf)
      << " is bound any more by what it promised.";
  return out.str();
}

}  // namespace flaredb::sim
