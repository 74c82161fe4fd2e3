// SPDX-License-Identifier: Apache-2.0
// Speed of checker A on valid histories: 16 clients, half reads, a few deletions, 1 % unknown.
//   ./bazelw run -c opt //tests/sim/history:versioned_checker_benchmark
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/rng.h"
#include "sim/history/history.h"
#include "sim/history/versioned_checker.h"

namespace flaredb::sim {
namespace {

struct Key {
  uint64_t version = 0;
  bool live = false;
  ValueId value = 0;

  uint64_t live_version() const { return live ? version : 0; }
};

struct Client {
  enum class Phase { kIdle, kInvoked, kPerformed } phase = Phase::kIdle;
  size_t key = 0;
  OpKind kind = OpKind::kGet;
  uint64_t expected = 0;
  ValueId value = 0;
  Key seen;  // The key as the operation found it, or as it left it.
  bool success = false;
  VersionedHistory::OpRef ref;
};

VersionedHistory ValidHistory(size_t keys_count, size_t operations) {
  constexpr uint64_t kUnknownPpm = 10000;
  Rng rng(1);
  VersionedHistory history;
  std::vector<Key> keys(keys_count);
  std::vector<Client> clients(16);
  ValueId last_value = 0;
  while (history.operations() < operations) {
    Client& client = clients[rng.Below(clients.size())];
    if (client.phase == Client::Phase::kIdle) {
      client.phase = Client::Phase::kInvoked;
      client.key = rng.Below(keys.size());
      client.expected = keys[client.key].live_version();
      const uint64_t percent = rng.Below(100);
      const std::string name = std::to_string(client.key);
      if (percent < 50) {
        client.kind = OpKind::kGet;
        client.ref = history.InvokeGet(0, name);
      } else if (percent < 95 || client.expected == 0) {
        client.kind = OpKind::kCas;
        client.value = ++last_value;
        client.ref = history.InvokeCas(0, name, client.expected, client.value);
      } else {
        client.kind = OpKind::kCasDelete;
        client.ref = history.InvokeCasDelete(0, name, client.expected);
      }
    } else if (client.phase == Client::Phase::kInvoked) {
      client.phase = Client::Phase::kPerformed;
      Key& key = keys[client.key];
      client.success = client.kind != OpKind::kGet && key.live_version() == client.expected;
      if (client.success) {
        key = {key.version + 1, client.kind == OpKind::kCas, client.value};
      }
      client.seen = key;
    } else {
      client.phase = Client::Phase::kIdle;
      if (rng.Chance(kUnknownPpm)) {
        history.Info(client.ref);
      } else if (client.kind == OpKind::kGet && client.seen.live) {
        history.OkFound(client.ref, client.seen.version, client.seen.value);
      } else if (client.kind == OpKind::kGet) {
        history.OkNotFound(client.ref);
      } else if (!client.success) {
        history.Mismatch(client.ref, client.seen.live_version());
      } else if (client.kind == OpKind::kCas) {
        history.OkCas(client.ref, client.seen.version);
      } else {
        history.OkCasDelete(client.ref);
      }
    }
  }
  return history;
}

void CheckValidHistory(benchmark::State& state) {
  const VersionedHistory history =
      ValidHistory(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  for (auto _ : state) {
    const Verdict verdict = CheckVersioned(history);
    if (!verdict.linearizable) state.SkipWithError(verdict.why.c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(CheckValidHistory)
    ->ArgNames({"keys", "operations"})
    ->Args({10, 10000})
    ->Args({100, 1000000});

}  // namespace
}  // namespace flaredb::sim

BENCHMARK_MAIN();
