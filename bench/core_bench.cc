// SPDX-License-Identifier: Apache-2.0
// The Raft core alone: three replicas in one thread and in memory, payloads of 128 bytes.
//
//   ./bazelw run --config=opt //bench:core
//
// Times are for one entry, from its proposal until all three replicas have applied it and know that
// it is committed. Each is the best of many short rounds, because whatever else the machine does
// only adds to it; they begin when the queues of recent entries have reached their lengths.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "bench/core_budgets.h"
#include "bench/three_nodes.h"

namespace flaredb::bench {
namespace {

constexpr int kRounds = 1500;
constexpr size_t kEntriesPerRound = 1 << 12;

struct Timing {
  double ns_per_entry = 0;
  double messages_per_proposal = 0;
};

// `entries` in each proposal, and `in_flight` proposals made one after another before anything that
// follows from them happens.
Timing Measure(size_t entries, size_t in_flight) {
  using Clock = std::chrono::steady_clock;
  const raft::Config config;
  ThreeNodes nodes(config);
  const auto round = [&] {
    for (size_t proposed = 0; proposed < kEntriesPerRound; proposed += entries * in_flight) {
      for (size_t i = 0; i < in_flight; ++i) nodes.Propose(MakeProposal(entries));
      nodes.Settle();
    }
  };
  while (nodes.applied() * kPayloadBytes < 2 * config.window_bytes_max) round();

  Timing best;
  best.ns_per_entry = std::numeric_limits<double>::max();
  const uint64_t messages = nodes.messages();
  for (int i = 0; i < kRounds; ++i) {
    const Clock::time_point start = Clock::now();
    round();
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    best.ns_per_entry = std::min(best.ns_per_entry, took.count() / kEntriesPerRound);
  }
  best.messages_per_proposal = static_cast<double>((nodes.messages() - messages) * entries) /
                               static_cast<double>(kRounds * kEntriesPerRound);
  return best;
}

int Main() {
  std::printf("three replicas, one thread, in memory, payloads of %zu bytes; best of %d rounds\n\n",
              kPayloadBytes, kRounds);
  const Timing one = Measure(1, 1);
  const Timing many = Measure(64, 1);
  const Timing pipelined = Measure(1, 64);
  std::printf(
      "  one by one                                %8.1f ns/entry  %5.2f messages/proposal\n",
      one.ns_per_entry, one.messages_per_proposal);
  std::printf(
      "  proposals of 64 entries, one by one       %8.1f ns/entry  %5.2f messages/proposal\n",
      many.ns_per_entry, many.messages_per_proposal);
  std::printf(
      "  proposals of one entry, 64 in flight      %8.1f ns/entry  %5.2f messages/proposal\n",
      pipelined.ns_per_entry, pipelined.messages_per_proposal);

  const ProposalCost cost_of_one = MeasureProposals(1);
  const ProposalCost cost_of_many = MeasureProposals(64);
  const PayloadCost payloads = MeasurePayloads();
  std::printf("  payloads looked at on the wire, at the disk and when applied: %llu\n\n",
              static_cast<unsigned long long>(payloads.seen));

  std::printf("RESULT core.ns_per_entry.batch1 %.0f ns\n", one.ns_per_entry);
  std::printf("RESULT core.ns_per_entry.batch64 %.1f ns\n", many.ns_per_entry);
  std::printf("RESULT core.ns_per_entry.pipelined1 %.0f ns\n", pipelined.ns_per_entry);
  std::printf("RESULT core.allocations_per_proposal.batch1 %g count\n",
              cost_of_one.allocations_per_proposal);
  std::printf("RESULT core.allocations_per_proposal.batch64 %g count\n",
              cost_of_many.allocations_per_proposal);
  std::printf("RESULT core.allocations_per_ack %g count\n",
              std::max(cost_of_one.allocations_per_ack, cost_of_many.allocations_per_ack));
  std::printf("RESULT core.allocations_per_heartbeat %g count\n", MeasureAllocationsPerHeartbeat());
  std::printf("RESULT core.payload_copies %llu count\n",
              static_cast<unsigned long long>(payloads.copied));
  std::printf("RESULT core.bytes_per_idle_group %zu bytes\n", MeasureBytesPerIdleGroup());
  return 0;
}

}  // namespace
}  // namespace flaredb::bench

int main() { return flaredb::bench::Main(); }
