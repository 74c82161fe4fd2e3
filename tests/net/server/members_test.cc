// SPDX-License-Identifier: Apache-2.0
#include "net/server/members.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::net {
namespace {

TEST(Members, ReadsAListInAnyOrder) {
  const auto members = ParseMembers("10=[::1]:3,2=db.example:2");
  ASSERT_TRUE(members.ok()) << members.status();
  EXPECT_EQ(FormatMembers(*members), "2=db.example:2,10=[::1]:3");
}

TEST(Members, OneSentenceForEveryMistake) {
  for (const char* text :
       {"", "1", "=a:1", "0=a:1", "x=a:1", "-1=a:1", "1x=a:1", "1=", "1=a", "1=a:", "1=a:0",
        "1=a:65536", "1=a:1,", "1=a:1,1=b:1", "1=a:1,2=a:1", "18446744073709551616=a:1"}) {
    const auto members = ParseMembers(text);
    EXPECT_TRUE(absl::IsInvalidArgument(members.status())) << text;
    EXPECT_NE(std::string(members.status().message()).find("write ID=HOST:PORT"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace flaredb::net
