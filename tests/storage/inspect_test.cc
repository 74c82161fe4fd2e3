// SPDX-License-Identifier: Apache-2.0
// The offline tool, as a person runs it.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/env/disk.h"
#include "core/store/recovery.h"
#include "tests/storage/disk_support.h"
#include "tests/storage/model_support.h"

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

TEST(Inspect, ShowsTheBaseOfALogAndItsConfigurations) {
  const std::string folder = ScratchFolder();
  {
    raft::ConfState joint = Voters({PeerId(1), PeerId(2)});
    joint.voters_outgoing = {PeerId(1), PeerId(3)};
    joint.learners = {PeerId(3), PeerId(4)};
    joint.members = {{PeerId(2), StoreId(20), Incarnation()},
                     {PeerId(4), StoreId(40), Incarnation(0xabc)}};
    TestDisk disk(folder);
    ASSERT_TRUE(disk->RecoverLogs().ok());
    env::GroupCommit commit;
    commit.token = IoToken(1);
    env::LogWrite& write = commit.log.emplace_back();
    write.region = RegionId(7);
    write.create = Incarnation(0x1234);
    write.persist.hard_state = {Term(3), PeerId(2)};
    write.persist.base = BaseAt(Term(2), Index(10), Voters({PeerId(1)}));
    write.persist.append = ConfEntry(Term(3), Index(11), joint);
    disk->Write(std::move(commit));
    ASSERT_TRUE(disk.WaitFor(IoToken(1)).ok());
  }
  // The rows of the region are missing, which it says after what there is.
  const Outcome outcome = Inspect(folder);
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("  log: base 10 (term 2), 1 entries, last 11 (term 3), 1 terms\n"),
                    HasSubstr("  configuration at 10: voters 1\n"),
                    HasSubstr("  configuration at 11: voters 1 2@20 outgoing 1 3 learners 3 "
                              "4@40#0000000000000abc\n")));
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
