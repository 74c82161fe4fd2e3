// SPDX-License-Identifier: Apache-2.0
// The client library against three stores that are killed and return: every call is resolved, no
// answer is untrue.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "net/client/client.h"
#include "tests/e2e/local_cluster.h"

namespace flaredb::client {
namespace {

// What the threads of one client did to one key each.
struct Tally {
  uint64_t applied = 0;
  uint64_t unknown = 0;
  uint64_t last_version = 0;
};

TEST(ClientFaults, NoIncrementIsLostOrDoubledWhileStoresDie) {
  LocalCluster cluster;
  const std::unique_ptr<Client> client =
      Client::Create({.endpoints = cluster.addresses(), .timeout = Duration::Seconds(30)}).value();
  ASSERT_TRUE(std::holds_alternative<Applied>(client->Put("ready", "yes")));

  constexpr size_t kThreads = 4;
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> steps = 0;
  std::vector<Tally> tallies(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string key = "n" + std::to_string(i);
      Tally& tally = tallies[i];
      while (!stop) {
        // Nobody else writes the key: a mismatch is a write of ours that was told to be unknown.
        const CasResult result = client->Cas(key, "v", tally.last_version);
        if (const auto* applied = std::get_if<Applied>(&result)) {
          EXPECT_EQ(applied->version, tally.last_version + 1);
          tally.last_version = applied->version;
          ++tally.applied;
        } else if (const auto* mismatch = std::get_if<Mismatch>(&result)) {
          EXPECT_GT(tally.unknown, 0u);
          tally.last_version = mismatch->version;
        } else if (std::holds_alternative<Unknown>(result)) {
          ++tally.unknown;
        } else {
          ADD_FAILURE() << std::get<Error>(result).message;
        }
        ++steps;
      }
    });
  }
  // Of three stores each in its turn: so the leader is among them, and the preferred one.
  const auto wait_for_steps = [&](uint64_t more) {
    for (const uint64_t until = steps + more; steps < until;) std::this_thread::yield();
  };
  for (size_t store = 0; store < 3; ++store) {
    wait_for_steps(40);
    cluster.Kill(store);
    wait_for_steps(40);
    cluster.Start(store);
  }
  wait_for_steps(40);
  stop = true;
  for (std::thread& thread : threads) thread.join();

  for (size_t i = 0; i < kThreads; ++i) {
    const auto got = client->Get("n" + std::to_string(i));
    ASSERT_TRUE(std::holds_alternative<std::optional<VersionedValue>>(got));
    const uint64_t version = std::get<0>(got)->version;
    EXPECT_GE(version, tallies[i].applied);
    EXPECT_LE(version, tallies[i].applied + tallies[i].unknown);
  }
}

TEST(ClientFaults, WithoutAMajorityAWriteIsUnknownOrNotAppliedAndNeverRefused) {
  LocalCluster cluster;
  const std::unique_ptr<Client> client =
      Client::Create({.endpoints = cluster.addresses(), .timeout = Duration::Seconds(30)}).value();
  ASSERT_TRUE(std::holds_alternative<Applied>(client->Cas("k", "before", 0)));
  cluster.Kill(1);
  cluster.Kill(2);
  const CasResult result =
      client->Cas("k", "meanwhile", 1, {.timeout = Duration::Milliseconds(700)});
  cluster.Start(1);
  cluster.Start(2);
  if (const auto* unknown = std::get_if<Unknown>(&result)) {
    // Repeated under its id, it is applied now or was then: once.
    const CasResult again = client->Cas("k", "meanwhile", 1, {.repeat = unknown->id});
    ASSERT_TRUE(std::holds_alternative<Applied>(again));
    EXPECT_EQ(std::get<Applied>(again).version, 2u);
  } else {
    ASSERT_TRUE(std::holds_alternative<Error>(result)) << result.index();
    EXPECT_EQ(std::get<Error>(result).kind, Error::kUnavailable);
    const CasResult again = client->Cas("k", "later", 1);
    ASSERT_TRUE(std::holds_alternative<Applied>(again));
    EXPECT_EQ(std::get<Applied>(again).version, 2u);
  }
}

}  // namespace
}  // namespace flaredb::client
