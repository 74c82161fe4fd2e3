// SPDX-License-Identifier: Apache-2.0
#include "net/admin/probes.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace flaredb::net {
namespace {

// So many regions are named; of the others the number is told.
constexpr size_t kNamedRegions = 3;

std::string NameRegions(const std::vector<RegionId>& regions) {
  std::string text = regions.size() == 1 ? "region" : "regions";
  for (size_t i = 0; i < std::min(regions.size(), kNamedRegions); ++i) {
    text += (i == 0 ? " " : ", ") + std::to_string(regions[i].value());
  }
  if (regions.size() > kNamedRegions) {
    text += " and " + std::to_string(regions.size() - kNamedRegions) + " more";
  }
  return text;
}

ProbeResult Loop(const ServerStatus& status, Instant now) {
  ProbeResult result{"loop", ""};
  const Duration silent = now - status.taken_at;
  if (status.phase != ServerPhase::kStarting && silent > kLoopStall) {
    result.waits_for = "the loop to turn, which it has not for " +
                       std::to_string(silent.milliseconds() / 1000) + " s";
  }
  return result;
}

ProbeResult Start(const ServerStatus& status) {
  ProbeResult result{"start", ""};
  if (status.phase == ServerPhase::kStarting) result.waits_for = status.starting;
  return result;
}

ProbeResult Replicas(const ServerStatus& status) {
  ProbeResult result{"replicas", ""};
  std::vector<RegionId> silenced;
  for (const store::PeerView& peer : status.peers) {
    if (peer.poisoned) silenced.push_back(peer.region);
  }
  if (!silenced.empty()) {
    result.waits_for = "an operator: a broken invariant silenced the replica of " +
                       NameRegions(silenced) + "; see the log";
  }
  return result;
}

ProbeResult Leaders(const ServerStatus& status) {
  ProbeResult result{"leaders", ""};
  std::vector<RegionId> without;
  for (const store::PeerView& peer : status.peers) {
    if (!peer.raft.leader) without.push_back(peer.region);
  }
  if (!without.empty()) {
    result.waits_for =
        NameRegions(without) + (without.size() == 1 ? " to have a leader" : " to have leaders");
    std::string unreachable;
    for (const LinkFigures& link : status.links) {
      if (link.up) continue;
      unreachable += (unreachable.empty() ? "" : ", ") + std::to_string(link.store.value()) +
                     " at " + link.address;
    }
    if (!unreachable.empty()) result.waits_for += "; no link to store " + unreachable;
  }
  return result;
}

ProbeResult Member(const ServerStatus& status) {
  ProbeResult result{"member", ""};
  if (status.given_up) {
    result.waits_for = "nothing any more: the cluster gave the store up for lost or removed it";
  }
  return result;
}

ProbeResult Namespaces(const ServerStatus& status) {
  ProbeResult result{"namespaces", ""};
  if (status.namespaces_missing) result.waits_for = "namespaces of --namespace-mode to be created";
  return result;
}

ProbeResult Stop(const ServerStatus& status) {
  ProbeResult result{"stop", ""};
  if (status.phase == ServerPhase::kStopping) {
    result.waits_for = "nothing any more: the store is stopping";
  }
  return result;
}

}  // namespace

Probe Liveness(const ServerStatus& status, Instant now) { return {Loop(status, now)}; }

Probe Readiness(const ServerStatus& status, Instant now) {
  return {Start(status),   Loop(status, now),  Member(status), Replicas(status),
          Leaders(status), Namespaces(status), Stop(status)};
}

bool Passed(const Probe& probe) {
  return std::all_of(probe.begin(), probe.end(),
                     [](const ProbeResult& result) { return result.waits_for.empty(); });
}

std::string ProbePage(std::string_view page, const Probe& probe, bool verbose) {
  const bool passed = Passed(probe);
  if (passed && !verbose) return "ok";
  std::string text;
  for (const auto& [name, waits_for] : probe) {
    text += waits_for.empty() ? "[+]" + name + " ok\n"
                              : "[-]" + name + " waits for " + waits_for + "\n";
  }
  return text.append(page).append(passed ? " check passed\n" : " check failed\n");
}

}  // namespace flaredb::net
