// SPDX-License-Identifier: Apache-2.0
// The offline tool, as a person runs it.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/env/disk.h"
#include "core/store/recovery.h"
#include "tests/storage/disk_support.h"

namespace flaredb::storage {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Outcome {
  int exit_code = -1;
  std::string output;  // Both streams.
};

Outcome Inspect(const std::string& arguments) {
  const char* tool = std::getenv("INSPECT");
  const std::string command =
      std::string(tool == nullptr ? "storage/inspect" : tool) + " " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe))
    outcome.output.push_back(static_cast<char>(c));
  outcome.exit_code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

std::string BootstrappedFolder() {
  const std::string folder = ScratchFolder();
  TestDisk disk(folder);
  EXPECT_TRUE(disk->RecoverLogs().ok());
  Region region;
  region.id = RegionId(7);
  region.epoch = {1, 1};
  region.peers = {{PeerId(9), StoreId(3)}};
  disk->Write(
      store::Bootstrap({.cluster_id = 0xabc, .store = StoreId(3)}, region, Incarnation(0x1234)));
  EXPECT_TRUE(disk.WaitFor(IoToken(1)).ok());
  return folder;
}

TEST(Inspect, ShowsWhoTheStoreIsAndItsRegions) {
  const Outcome outcome = Inspect("--verify " + BootstrappedFolder());
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("cluster 2748 store 3"), HasSubstr("peers 9@3"),
                    HasSubstr("region 7: incarnation 0000000000001234"), HasSubstr("verified")));
}

TEST(Inspect, NamesDamageAndEndsWithFive) {
  const std::string folder = BootstrappedFolder();
  const std::string wal = FilesIn(folder, ".log").back();
  std::string bytes = ReadBytes(wal);
  bytes[bytes.size() / 2] ^= 1;
  WriteBytes(wal, bytes);
  const Outcome outcome = Inspect(folder);
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.output, HasSubstr("is damaged at byte"));
}

TEST(Inspect, EndsWithTwoForWrongUseAndOneForNoStore) {
  EXPECT_EQ(Inspect("").exit_code, 2);
  EXPECT_EQ(Inspect("--fast x").exit_code, 2);
  EXPECT_EQ(Inspect("/no/such/folder").exit_code, 1);
}

}  // namespace
}  // namespace flaredb::storage
