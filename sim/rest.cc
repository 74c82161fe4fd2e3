// SPDX-License-Identifier: Apache-2.0
#include "sim/rest.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"

namespace flaredb::sim {
namespace {

// What of a leader's state forbids it to rest; several clauses.
std::string WhatKeepsAwake(const raft::View& leader, const Names& names) {
  std::ostringstream out;
  if (leader.commit_index != leader.last_log.index || leader.durable_index != leader.last_log.index)
    out << "; its log ends at " << leader.last_log.index << ", is committed up to "
        << leader.commit_index << " and on its disk up to " << leader.durable_index;
  if (leader.conf.joint()) out << "; it is in a joint phase";
  if (leader.transferee) out << "; it hands over to " << names.Tell(leader.transferee);
  if (leader.backlog.reads != 0) out << "; " << leader.backlog.reads << " reads wait";
  for (const raft::ProgressView& follower : leader.progress) {
    if (follower.match_index != leader.last_log.index) {
      out << "; it knows " << names.Tell(follower.peer) << " to have the log up to "
          << follower.match_index << " only";
    }
    if (!follower.recently_active) out << "; it has not heard " << names.Tell(follower.peer);
  }
  const std::string all = out.str();
  return all.empty() ? "; nothing shows that keeps it awake" : all;
}

}  // namespace

std::optional<std::string> WhoIsAwake(const raft::Config& config, const Checkers& checkers,
                                      const Losses& losses) {
  if (config.rest_after == Duration::Max()) return std::nullopt;
  const std::vector<PeerId> members = checkers.commits().confs().back().conf.Everybody();
  const bool all_there = std::all_of(members.begin(), members.end(), [&](PeerId peer) {
    return losses.IsMember(checkers.NodeOf(peer));
  });
  if (!all_there) return std::nullopt;
  for (const PeerId peer : members) {
    const raft::View& view = checkers.replicas()[checkers.NodeOf(peer)].view;
    if (view.resting || view.role != raft::Role::kLeader) continue;
    return checkers.names().Tell(peer) + ", which leads, does not rest" +
           WhatKeepsAwake(view, checkers.names());
  }
  for (const PeerId peer : members) {
    if (checkers.replicas()[checkers.NodeOf(peer)].view.resting) continue;
    return checkers.names().Tell(peer) + " does not rest";
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
