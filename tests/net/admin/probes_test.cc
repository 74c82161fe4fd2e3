// SPDX-License-Identifier: Apache-2.0
#include "net/admin/probes.h"

#include <gtest/gtest.h>

namespace flaredb::net {
namespace {

constexpr Instant kNow = Instant::FromNanoseconds(100'000'000'000);

ServerStatus Serving() {
  ServerStatus status;
  status.phase = ServerPhase::kServing;
  status.taken_at = kNow;
  for (const uint64_t region : {1, 2}) {
    store::PeerView& peer = status.peers.emplace_back();
    peer.region = RegionId(region);
    peer.raft.leader = PeerId(3);
  }
  return status;
}

// What the check waits for; "" when it passed, "-" when there is none of that name.
std::string WaitsFor(const Probe& probe, std::string_view name) {
  for (const ProbeResult& result : probe) {
    if (result.name == name) return result.waits_for;
  }
  return "-";
}

TEST(Probes, AServingStoreIsAliveAndReady) {
  EXPECT_TRUE(Passed(Liveness(Serving(), kNow)));
  EXPECT_TRUE(Passed(Readiness(Serving(), kNow)));
}

TEST(Probes, AStartingStoreIsAliveHoweverLongItTakesAndNotReady) {
  ServerStatus status;
  status.starting = "the data folder /data to be opened and read";
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  EXPECT_EQ(WaitsFor(Readiness(status, kNow), "start"),
            "the data folder /data to be opened and read");
}

TEST(Probes, ALoopThatHangsIsNotAlive) {
  ServerStatus status = Serving();
  status.taken_at = kNow - kLoopStall;
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  status.taken_at = kNow - kLoopStall - Duration::Seconds(3);
  EXPECT_EQ(WaitsFor(Liveness(status, kNow), "loop"),
            "the loop to turn, which it has not for 13 s");
  EXPECT_NE(WaitsFor(Readiness(status, kNow), "loop"), "");
}

TEST(Probes, AStoreWithoutALeaderIsAliveAndSaysWhomItCannotReach) {
  ServerStatus status = Serving();
  status.peers[1].raft.leader = PeerId();
  status.links = {{.store = StoreId(2), .address = "b:1", .up = true},
                  {.store = StoreId(3), .address = "c:1", .up = false}};
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  EXPECT_EQ(WaitsFor(Readiness(status, kNow), "leaders"),
            "region 2 to have a leader; no link to store 3 at c:1");
}

TEST(Probes, ManyRegionsWithoutLeaderAreCounted) {
  ServerStatus status = Serving();
  status.peers.clear();
  for (uint64_t region = 1; region <= 5; ++region) {
    status.peers.emplace_back().region = RegionId(region);
  }
  EXPECT_EQ(WaitsFor(Readiness(status, kNow), "leaders"),
            "regions 1, 2, 3 and 2 more to have leaders");
}

TEST(Probes, ASilencedReplicaWaitsForAnOperator) {
  ServerStatus status = Serving();
  status.peers[0].poisoned = true;
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  EXPECT_EQ(WaitsFor(Readiness(status, kNow), "replicas"),
            "an operator: a broken invariant silenced the replica of region 1; see the log");
}

TEST(Probes, AStoreThatWasGivenUpIsAliveAndNotReady) {
  ServerStatus status = Serving();
  status.given_up = true;
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  EXPECT_NE(WaitsFor(Readiness(status, kNow), "member"), "");
}

TEST(Probes, WhatWasToBeCreatedAtTheStartIsWaitedFor) {
  ServerStatus status = Serving();
  status.namespaces_missing = true;
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  EXPECT_EQ(WaitsFor(Readiness(status, kNow), "namespaces"),
            "namespaces of --namespace-mode to be created");
}

TEST(Probes, AStoppingStoreIsAliveAndNotReady) {
  ServerStatus status = Serving();
  status.phase = ServerPhase::kStopping;
  EXPECT_TRUE(Passed(Liveness(status, kNow)));
  EXPECT_FALSE(Passed(Readiness(status, kNow)));
}

TEST(Probes, APageIsShortWhenAllIsWellAndNobodyWantsToKnowMore) {
  const Probe good = {{"loop", ""}, {"leaders", ""}};
  EXPECT_EQ(ProbePage("readyz", good, /*verbose=*/false), "ok");
  EXPECT_EQ(ProbePage("readyz", good, /*verbose=*/true),
            "[+]loop ok\n[+]leaders ok\nreadyz check passed\n");
}

TEST(Probes, APageThatFailedTellsWhy) {
  const Probe bad = {{"loop", ""}, {"leaders", "region 1 to have a leader"}};
  EXPECT_EQ(ProbePage("readyz", bad, /*verbose=*/false),
            "[+]loop ok\n[-]leaders waits for region 1 to have a leader\nreadyz check failed\n");
}

}  // namespace
}  // namespace flaredb::net
