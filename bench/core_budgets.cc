// SPDX-License-Identifier: Apache-2.0
#include "bench/core_budgets.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "bench/heap.h"
#include "bench/three_nodes.h"

namespace flaredb::bench {
namespace {

// Recent entries kept in memory: few, so that the queue of them has its final length soon.
raft::Config SmallWindow() {
  raft::Config config;
  config.window_bytes_max = 64 << 10;
  return config;
}

void ProposeAndSettle(ThreeNodes* nodes, size_t entries, int times) {
  for (int i = 0; i < times; ++i) {
    nodes->Propose(MakeProposal(entries));
    nodes->Settle();
  }
}

}  // namespace

raft::EntryBlockRef MakeProposal(size_t entries) {
  static const std::string payload(kPayloadBytes, 'p');
  // Made once for each size: the proposer's own list is no part of the measurement.
  static std::vector<raft::NewEntry> commands;
  commands.resize(entries, {raft::EntryKind::kCommand, payload});
  return raft::EntryBlock::Create(commands);
}

ProposalCost MeasureProposals(size_t entries) {
  constexpr int kTimes = 1000;
  ThreeNodes nodes(SmallWindow());
  ProposeAndSettle(&nodes, entries, kTimes);

  const uint64_t allocations = MeasureHeap().allocations;
  const ThreeNodes::Calls acks = nodes.acks();
  ProposeAndSettle(&nodes, entries, kTimes);
  ProposalCost cost;
  cost.allocations_per_proposal =
      static_cast<double>(MeasureHeap().allocations - allocations) / kTimes;
  cost.allocations_per_ack = static_cast<double>(nodes.acks().allocations - acks.allocations) /
                             static_cast<double>(nodes.acks().calls - acks.calls);
  return cost;
}

double MeasureAllocationsPerHeartbeat() {
  ThreeNodes nodes(SmallWindow());
  for (int i = 0; i < 10; ++i) nodes.Heartbeat();
  const ThreeNodes::Calls before = nodes.heartbeats();
  for (int i = 0; i < 1000; ++i) nodes.Heartbeat();
  return static_cast<double>(nodes.heartbeats().allocations - before.allocations) /
         static_cast<double>(nodes.heartbeats().calls - before.calls);
}

PayloadCost MeasurePayloads() {
  ThreeNodes nodes{SmallWindow()};
  PayloadCost cost;
  for (const size_t entries : {1, 2, 64}) {
    const ThreeNodes::Payloads payloads = nodes.WatchProposal(MakeProposal(entries));
    cost.seen += payloads.seen;
    cost.copied += payloads.copied;
  }
  return cost;
}

size_t MeasureBytesPerIdleGroup() {
  size_t most = 0;
  for (int last = 1; last <= 3; ++last) {
    raft::Config config;
    config.rest_after = Duration::Seconds(1);
    ThreeNodes nodes(config);
    nodes.Rest();
    // In one process replicas share the memory of an entry. The last one alive holds all of it.
    for (int replica = 1; replica <= 3; ++replica) {
      if (replica != last) nodes.Destroy(replica);
    }
    const size_t before = MeasureHeap().bytes;
    nodes.Destroy(last);
    most = std::max(most, before - MeasureHeap().bytes);
  }
  return most;
}

}  // namespace flaredb::bench
