// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/names.h"

#include <algorithm>

namespace flaredb::sim {

// "2", or "2's 108". A configuration may name peers that nobody has created yet.
std::string Names::Number(PeerId peer) const {
  const auto node = node_of_.find(peer);
  if (node == node_of_.end()) return "?'s " + std::to_string(peer.value());
  const auto there = std::count_if(node_of_.begin(), node_of_.end(),
                                   [&](const auto& entry) { return entry.second == node->second; });
  const std::string number = std::to_string(node->second + 1);
  return there == 1 ? number : number + "'s " + std::to_string(peer.value());
}

std::string Names::Tell(PeerId peer) const {
  std::string number = Number(peer);
  if (const size_t at = number.find(' '); at != std::string::npos) number.insert(at, " peer");
  return "store " + number;
}

std::string Names::List(const std::vector<PeerId>& peers) const {
  std::string list;
  for (const PeerId peer : peers) list += (list.empty() ? "" : ",") + Number(peer);
  return "{" + list + "}";
}

std::string Names::Tell(const raft::ConfState& conf) const {
  std::string text = "stores " + List(conf.voters);
  if (conf.joint()) text += " from " + List(conf.voters_outgoing);
  if (!conf.learners.empty()) text += " learners " + List(conf.learners);
  return text;
}

}  // namespace flaredb::sim
