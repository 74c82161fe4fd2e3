// SPDX-License-Identifier: Apache-2.0
#include "net/admin/metrics.h"

#include <gtest/gtest.h>

#include <sstream>

namespace flaredb::net {
namespace {

// The value of a series as the page has it: Value(page, "name{label=\"x\"}"). "" when absent.
std::string Value(const std::string& page, const std::string& series) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
  }
  return "";
}

ServerStatus OneLeaderOneFollower() {
  ServerStatus status;
  status.phase = ServerPhase::kServing;
  status.identity = {7, StoreId(2)};
  store::PeerView& leader = status.peers.emplace_back();
  leader.applied_index = Index(90);
  leader.raft.id = PeerId(1);
  leader.raft.role = raft::Role::kLeader;
  leader.raft.leader = PeerId(1);
  leader.raft.commit_index = Index(95);
  leader.raft.last_log = {Term(3), Index(100)};
  leader.raft.base = {Term(1), Index(40)};
  leader.raft.durable_index = Index(98);
  leader.raft.progress.resize(2);
  leader.raft.progress[0].peer = PeerId(1);
  leader.raft.progress[1].peer = PeerId(2);
  leader.raft.progress[1].match_index = Index(60);
  store::PeerView& follower = status.peers.emplace_back();
  follower.raft.last_log = {Term(3), Index(10)};
  follower.raft.base = {Term(1), Index(4)};
  follower.raft.durable_index = Index(10);
  return status;
}

TEST(Metrics, ReplicasAreAddedUpSoThatSeriesDoNotGrowWithRegions) {
  const std::string page = MetricsPage(OneLeaderOneFollower(), {});
  EXPECT_EQ(Value(page, "flaredb_store_info{cluster=\"7\",store=\"2\"}"), "1");
  EXPECT_EQ(Value(page, "flaredb_raft_replicas{role=\"leader\"}"), "1");
  EXPECT_EQ(Value(page, "flaredb_raft_replicas{role=\"follower\"}"), "1");
  EXPECT_EQ(Value(page, "flaredb_raft_replicas{role=\"candidate\"}"), "0");
  EXPECT_EQ(Value(page, "flaredb_raft_replicas_without_leader"), "1");
  EXPECT_EQ(Value(page, "flaredb_raft_log_entries"), "66");
  EXPECT_EQ(Value(page, "flaredb_raft_apply_lag_entries_max"), "5");
  EXPECT_EQ(Value(page, "flaredb_raft_durable_lag_entries_max"), "2");
  EXPECT_EQ(Value(page, "flaredb_raft_follower_lag_entries_max"), "40");
}

TEST(Metrics, WhatTheClusterWaitsForIsCounted) {
  ServerStatus status = OneLeaderOneFollower();
  status.outbox_rows = 12;
  status.cluster_waits = {"for a store", "for another"};
  const std::string page = MetricsPage(status, {});
  EXPECT_EQ(Value(page, "flaredb_store_outbox_rows"), "12");
  EXPECT_EQ(Value(page, "flaredb_cluster_waits"), "2");
}

TEST(Metrics, AStoreThatStartsHasNoNumberYet) {
  EXPECT_EQ(MetricsPage({}, {}).find("flaredb_store_info{"), std::string::npos);
}

TEST(Metrics, TimesAreCountedUpToEachBound) {
  ServerStatus status;
  status.runtime.commit_seconds.Add(Duration::Microseconds(100));
  status.runtime.commit_seconds.Add(Duration::Microseconds(101));
  status.runtime.commit_seconds.Add(Duration::Seconds(60));
  const std::string page = MetricsPage(status, {});
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_bucket{le=\"5e-05\"}"), "0") << page;
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_bucket{le=\"0.0001\"}"), "1");
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_bucket{le=\"0.00025\"}"), "2");
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_bucket{le=\"10\"}"), "2");
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_bucket{le=\"+Inf\"}"), "3");
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_count"), "3");
  EXPECT_EQ(Value(page, "flaredb_disk_commit_seconds_sum").substr(0, 7), "60.0002");
}

TEST(Metrics, CallsAreToldByMethodAndStatus) {
  ServerStatus status;
  GrpcMethodCounters& get = status.methods["/kvrpc.KvCas/Get"];
  get.started = 5;
  get.handled = {{absl::StatusCode::kOk, 3}, {absl::StatusCode::kUnavailable, 1}};
  const std::string page = MetricsPage(status, {});
  const std::string labels = "grpc_service=\"kvrpc.KvCas\",grpc_method=\"Get\"";
  EXPECT_EQ(Value(page, "grpc_server_started_total{" + labels + "}"), "5");
  EXPECT_EQ(Value(page, "grpc_server_handled_total{" + labels + ",grpc_code=\"OK\"}"), "3");
  EXPECT_EQ(Value(page, "grpc_server_handled_total{" + labels + ",grpc_code=\"Unavailable\"}"),
            "1");
}

TEST(Metrics, TheProcessIsSeenAsItIs) {
  const ProcessFigures figures = ReadProcessFigures("/");
  EXPECT_GT(figures.resident_bytes, 1u << 20);
  EXPECT_GT(figures.virtual_bytes, figures.resident_bytes);
  EXPECT_GE(figures.open_fds, 3u);
  EXPECT_GT(figures.max_fds, figures.open_fds);
  EXPECT_EQ(figures.threads, 1u);
  EXPECT_GT(figures.start_time_seconds, 1.6e9);
  EXPECT_GT(figures.disk_size_bytes, figures.disk_free_bytes);
  EXPECT_EQ(ReadProcessFigures("/no/such/folder").disk_size_bytes, 0u);
}

}  // namespace
}  // namespace flaredb::net
