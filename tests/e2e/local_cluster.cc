// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/local_cluster.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <variant>

#include "core/base/time.h"
#include "net/cli/processes.h"
#include "net/client/cluster.h"

namespace flaredb {
namespace {

constexpr int kStores = 3;
constexpr Duration kToGrow = Duration::Seconds(30);

// Whether every region has a replica on every store, and nothing is about to change.
bool HasGrown(client::Cluster* cluster) {
  const auto stores = cluster->ListStores(kToGrow);
  const auto regions = cluster->ListRegions(kToGrow);
  const auto* table = std::get_if<client::StoreTable>(&stores);
  const auto* list = std::get_if<std::vector<client::RegionInfo>>(&regions);
  if (table == nullptr || list == nullptr || !table->waiting_for.empty()) return false;
  for (const client::RegionInfo& region : *list) {
    if (region.stores.size() != kStores) return false;
  }
  return table->stores.size() == kStores;
}

}  // namespace

LocalCluster::LocalCluster() : folder_(testing::TempDir() + "/cluster-XXXXXX") {
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  for (const uint16_t port : net::FreePorts(0, kStores).value()) {
    addresses_.push_back("127.0.0.1:" + std::to_string(port));
  }
  pids_.resize(kStores);
  for (size_t store = 0; store < pids_.size(); ++store) Start(store);

  const std::unique_ptr<client::Cluster> cluster =
      client::Cluster::Create({.endpoints = {addresses_[0]}}).value();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (!HasGrown(cluster.get()) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(HasGrown(cluster.get())) << "see the logs in " << folder_;
}

LocalCluster::~LocalCluster() {
  for (size_t store = 0; store < pids_.size(); ++store) Kill(store);
}

void LocalCluster::Kill(size_t store) {
  if (pids_[store] == 0) return;
  kill(pids_[store], SIGKILL);
  waitpid(pids_[store], nullptr, 0);
  pids_[store] = 0;
}

void LocalCluster::Start(size_t store) {
  const std::string id = std::to_string(store + 1);
  const std::string data = folder_ + "/store-" + id;
  std::vector<std::string> command = {"net/cli/flaredb", "server",          "--store-id", id,
                                      "--addr",          addresses_[store], "--data-dir", data};
  if (store != 0) command.insert(command.end(), {"--peer", "1=" + addresses_[0]});
  pids_[store] = net::Spawn(command, data + ".log").value();
}

}  // namespace flaredb
