// SPDX-License-Identifier: Apache-2.0
#include "net/server/join.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace flaredb::net {
namespace {

TEST(RememberInstance, TheFirstOneDrawnIsKept) {
  const std::string path = testing::TempDir() + "/instance";
  std::filesystem::remove(path);
  EXPECT_EQ(*RememberInstance(path, {1, 2}), (pd::InstanceId{1, 2}));
  EXPECT_EQ(*RememberInstance(path, {3, 4}), (pd::InstanceId{1, 2}));
  EXPECT_EQ(*RememberInstance(path + "2", {UINT64_MAX, 0}), (pd::InstanceId{UINT64_MAX, 0}));
  EXPECT_EQ(*RememberInstance(path + "2", {3, 4}), (pd::InstanceId{UINT64_MAX, 0}));
}

TEST(RememberInstance, ADamagedFileIsTold) {
  const std::string path = testing::TempDir() + "/damaged";
  const std::string begin = "flaredb-instance 1\n0123456789abcdeffedcba987654321";
  for (const std::string& text : {std::string(), std::string("flaredb-instance 2\n"),
                                  std::string("flaredb-instance 1\nnone\n"), begin, begin + "0",
                                  begin + "0\n\n", begin + "\n"}) {
    std::ofstream(path) << text;
    EXPECT_EQ(RememberInstance(path, {1, 2}).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST(RememberInstance, OneThatCannotBeReadIsNotReplaced) {
  const std::string path = testing::TempDir() + "/unreadable";
  std::filesystem::create_directory(path);
  const absl::Status status = RememberInstance(path, {1, 2}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("cannot read " + path), std::string::npos) << status;
}

TEST(RememberInstance, AFolderThatIsNotThereIsTold) {
  EXPECT_EQ(RememberInstance("/nowhere/instance", {1, 2}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(Join, EndsWhenItIsToldTo) {
  const JoinRequest request{StoreId(2), {1, 2}, "127.0.0.1:2", 1, {{StoreId(1), "127.0.0.1:1"}}};
  int asked = 0;
  int told = 0;
  const auto joined = Join(
      request, nullptr, [&] { return ++asked > 2; },
      [&](const std::string& peer, const std::string&) {
        EXPECT_EQ(peer, "127.0.0.1:1");
        ++told;
      });
  EXPECT_EQ(joined.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(told, 1);  // The reason is the same each time.
}

}  // namespace
}  // namespace flaredb::net
