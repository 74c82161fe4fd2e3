// SPDX-License-Identifier: Apache-2.0
// Three server processes for a test in C++.
#ifndef FLAREDB_TESTS_E2E_LOCAL_CLUSTER_H_
#define FLAREDB_TESTS_E2E_LOCAL_CLUSTER_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace flaredb {

// On free ports of 127.0.0.1, with data below the test's folder. Everything ends with the object,
// by kill -9, or with the test.
class LocalCluster {
 public:
  // With a voter of every region on every store.
  LocalCluster();
  ~LocalCluster();
  LocalCluster(const LocalCluster&) = delete;
  LocalCluster& operator=(const LocalCluster&) = delete;

  const std::vector<std::string>& addresses() const { return addresses_; }
  void Kill(size_t store);
  // Once more, with the data that it left.
  void Start(size_t store);

 private:
  std::string folder_;
  std::vector<std::string> addresses_;
  std::vector<pid_t> pids_;
};

}  // namespace flaredb

#endif  // FLAREDB_TESTS_E2E_LOCAL_CLUSTER_H_
