// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/local_cluster.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>

#include "net/cli/processes.h"

namespace flaredb {
namespace {

constexpr int kStores = 3;

}  // namespace

LocalCluster::LocalCluster() : folder_(testing::TempDir() + "/cluster-XXXXXX") {
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  for (const uint16_t port : net::FreePorts(0, kStores).value()) {
    addresses_.push_back("127.0.0.1:" + std::to_string(port));
    members_ +=
        (members_.empty() ? "" : ",") + std::to_string(addresses_.size()) + "=" + addresses_.back();
  }
  pids_.resize(kStores);
  for (size_t store = 0; store < pids_.size(); ++store) Start(store);
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
  pids_[store] = net::Spawn({"net/cli/flaredb", "server", "--store-id", id, "--addr",
                             addresses_[store], "--data-dir", data, "--initial-cluster", members_},
                            data + ".log")
                     .value();
}

}  // namespace flaredb
