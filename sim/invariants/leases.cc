// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/leases.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/raft/membership.h"
#include "sim/invariants/quorum.h"

namespace flaredb::sim {

std::optional<Instant> PromisesEnd(const Replica& leader, const Names& names,
                                   const std::vector<Replica>& replicas,
                                   absl::FunctionRef<Instant(uint32_t node, Instant local)> when) {
  const raft::ConfState& conf = leader.view.conf;
  std::vector<std::pair<PeerId, Instant>> promises;
  for (const std::vector<PeerId>* half : {&conf.voters, &conf.voters_outgoing}) {
    for (const PeerId peer : *half) {
      const uint32_t node = names.NodeOf(peer);
      const Replica& voter = replicas[node];
      const bool endless = peer == leader.peer || voter.peer != peer || !voter.running;
      promises.emplace_back(peer, endless ? Instant::Max() : when(node, voter.view.promised_until));
    }
  }
  // A quorum is bound until the latest moment that a promise of each of them reaches.
  Instant end;
  for (const auto& [_, until] : promises) {
    const bool bound =
        until > end && IsQuorum(conf, [&, until = until](PeerId voter) {
          return std::any_of(promises.begin(), promises.end(), [&](const auto& promise) {
            return promise.first == voter && promise.second >= until;
          });
        });
    if (bound) end = until;
  }
  if (end == Instant::Max()) return std::nullopt;
  return end;
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
