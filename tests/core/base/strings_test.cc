// SPDX-License-Identifier: Apache-2.0
#include "core/base/strings.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flaredb {
namespace {

TEST(Strings, BridgeKeepsEveryByteWithoutCopying) {
  constexpr std::string_view kBytes("a\0b\xff", 4);
  EXPECT_EQ(absl::StrCat(ToAbsl(kBytes)), kBytes);
  EXPECT_EQ(FromAbsl(ToAbsl(kBytes)), kBytes);
  EXPECT_EQ(FromAbsl(ToAbsl(kBytes)).data(), kBytes.data());
}

}  // namespace
}  // namespace flaredb
