// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/leases.h"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <utility>

#include "sim/invariants/quorum.h"

namespace flaredb::sim {

std::string Seconds(Instant t) {
  char text[32];
  const int64_t us = t.nanoseconds() / 1000;
  std::snprintf(text, sizeof(text), "%lld.%06lld s", static_cast<long long>(us / 1000000),
                static_cast<long long>(us % 1000000));
  return text;
}

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

std::vector<Promise> PromisesTo(const Replica& leader, const Names& names,
                                const std::vector<Replica>& replicas, Duration election_timeout,
                                absl::FunctionRef<Instant(uint32_t node, Instant local)> when) {
  std::vector<Promise> promises;
  for (const PeerId peer : leader.view.conf.Everybody()) {
    const uint32_t node = names.NodeOf(peer);
    const Replica& voter = replicas[node];
    if (peer == leader.peer || !leader.view.conf.IsVoter(peer)) continue;
    if (voter.peer != peer || !voter.running) continue;
    const PeerId heard = voter.view.role == raft::Role::kFollower ? voter.view.leader : PeerId();
    if (heard && heard != leader.peer) continue;
    const Instant until = voter.view.promised_until;
    const Instant given = std::max(until, Instant() + election_timeout) - election_timeout;
    promises.push_back({node, when(node, given), when(node, until)});
  }
  std::sort(promises.begin(), promises.end(),
            [](const Promise& a, const Promise& b) { return a.node < b.node; });
  return promises;
}

std::string Describe(const std::vector<Promise>& promises, uint32_t leader) {
  std::ostringstream out;
  out << (promises.empty() ? "Nobody has promised anything to " : "Promised to ")
      << Names::Store(leader);
  for (const Promise& promise : promises) {
    out << (&promise == &promises.front() ? ": by " : ", by ") << Names::Store(promise.node)
        << " from " << Seconds(promise.given) << " until " << Seconds(promise.until);
  }
  out << ".";
  return out.str();
}

std::string LeaseBeyondPromises(uint32_t node, Instant then, const Names& names,
                                const std::vector<Replica>& replicas) {
  std::ostringstream out;
  out << names.Store(node) << " leads term " << replicas[node].view.term
      << " and would hold its lease at " << Seconds(then) << ", when no quorum of "
      << names.Tell(replicas[node].view.conf) << " is bound any more by what it promised.";
  return out.str();
}

}  // namespace flaredb::sim
