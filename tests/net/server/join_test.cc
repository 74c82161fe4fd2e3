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
  for (const char* text : {"", "flaredb-instance 2\n", "flaredb-instance 1\nnone\n"}) {
    std::ofstream(path) << text;
    EXPECT_EQ(RememberInstance(path, {1, 2}).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST(RememberInstance, AFolderThatIsNotThereIsTold) {
  EXPECT_EQ(RememberInstance("/nowhere/instance", {1, 2}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(Join, EndsWhenItIsToldTo) {
  const JoinRequest request{StoreId(2), {1, 2}, "127.0.0.1:2", 1, {{StoreId(1), "127.0.0.1:1"}}};
  int asked = 0;
  const auto joined = Join(request, nullptr, [&] { return ++asked > 2; });
  EXPECT_EQ(joined.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace flaredb::net
