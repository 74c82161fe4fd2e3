// SPDX-License-Identifier: Apache-2.0
// Speed of checker B on valid histories: 16 clients, half reads, a tenth of them scans of 4 keys, a
// few deletions, 1 % unknown. Items are parts: a scan of 4 keys counts as 4.
//   ./bazelw run -c opt //tests/sim/history:graph_checker_benchmark
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/rng.h"
#include "sim/history/graph_checker.h"
#include "sim/history/history.h"

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
  size_t key = 0;  // The first one of a scan.
  OpKind kind = OpKind::kGet;
  uint64_t expected = 0;
  ValueId value = 0;
  std::vector<Key> seen;  // As the operation found the keys, or left the key.
  bool success = false;
  std::vector<VersionedHistory::OpRef> refs;
};

class Generator {
 public:
  explicit Generator(size_t keys) : keys_(keys), clients_(16) {}

  VersionedHistory Run(size_t operations) {
    while (history_.operations() < operations) {
      Client& client = clients_[rng_.Below(clients_.size())];
      if (client.phase == Client::Phase::kIdle) {
        client.phase = Client::Phase::kInvoked;
        Invoke(&client);
      } else if (client.phase == Client::Phase::kInvoked) {
        client.phase = Client::Phase::kPerformed;
        Perform(&client);
      } else {
        client.phase = Client::Phase::kIdle;
        Complete(client);
      }
    }
    return std::move(history_);
  }

 private:
  void Invoke(Client* client) {
    client->key = rng_.Below(keys_.size() - 3);
    client->expected = keys_[client->key].live_version();
    client->refs.clear();
    const uint64_t percent = rng_.Below(100);
    const std::string name = std::to_string(client->key);
    client->kind = OpKind::kGet;
    if (percent < 5) {
      const uint32_t scan = history_.StartGroup("Scan");
      for (size_t i = 0; i < 4; ++i) {
        client->refs.push_back(history_.InvokeGet(0, std::to_string(client->key + i), scan));
      }
    } else if (percent < 50) {
      client->refs = {history_.InvokeGet(0, name)};
    } else if (percent < 95 || client->expected == 0) {
      client->kind = OpKind::kCas;
      client->value = ++last_value_;
      client->refs = {history_.InvokeCas(0, name, client->expected, client->value)};
    } else {
      client->kind = OpKind::kCasDelete;
      client->refs = {history_.InvokeCasDelete(0, name, client->expected)};
    }
  }

  void Perform(Client* client) {
    Key& key = keys_[client->key];
    client->success = client->kind != OpKind::kGet && key.live_version() == client->expected;
    if (client->success) key = {key.version + 1, client->kind == OpKind::kCas, client->value};
    const auto first = keys_.begin() + static_cast<ptrdiff_t>(client->key);
    client->seen.assign(first, first + static_cast<ptrdiff_t>(client->refs.size()));
  }

  void Complete(const Client& client) {
    constexpr uint64_t kUnknownPpm = 10000;
    if (client.kind != OpKind::kGet && rng_.Chance(kUnknownPpm)) {
      history_.Info(client.refs[0]);
    } else if (client.kind != OpKind::kGet && !client.success) {
      history_.Mismatch(client.refs[0], client.seen[0].live_version());
    } else if (client.kind == OpKind::kCas) {
      history_.OkCas(client.refs[0], client.seen[0].version);
    } else if (client.kind == OpKind::kCasDelete) {
      history_.OkCasDelete(client.refs[0]);
    } else {
      for (size_t i = 0; i < client.refs.size(); ++i) {
        const Key& key = client.seen[i];
        if (key.live) {
          history_.OkFound(client.refs[i], key.version, key.value);
        } else {
          history_.OkNotFound(client.refs[i]);
        }
      }
    }
  }

  Rng rng_{1};
  VersionedHistory history_;
  std::vector<Key> keys_;
  std::vector<Client> clients_;
  ValueId last_value_ = 0;
};

void CheckValidHistory(benchmark::State& state) {
  const VersionedHistory history =
      Generator(static_cast<size_t>(state.range(0))).Run(static_cast<size_t>(state.range(1)));
  for (auto _ : state) {
    const Verdict verdict = CheckGraph(history);
    if (!verdict.linearizable) state.SkipWithError(verdict.why.c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(CheckValidHistory)
    ->ArgNames({"keys", "operations"})
    ->Args({5, 400})
    ->Args({10, 10000})
    ->Args({100, 1000000});

}  // namespace
}  // namespace flaredb::sim

BENCHMARK_MAIN();
