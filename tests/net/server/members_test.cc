// SPDX-License-Identifier: Apache-2.0
#include "net/server/members.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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

class MembersFile : public testing::Test {
 protected:
  const std::string path_ = testing::TempDir() + "/members";
  void SetUp() override { std::filesystem::remove(path_); }
};

TEST_F(MembersFile, IsReadBack) {
  const Members members = {{StoreId(1), "a:1"}, {StoreId(2), "b:2"}};
  EXPECT_EQ(*ReadMembersFile(path_), std::nullopt);
  ASSERT_TRUE(WriteMembersFile(path_, {{StoreId(1), "old:1"}}).ok());
  ASSERT_TRUE(WriteMembersFile(path_, members).ok());
  EXPECT_EQ(*ReadMembersFile(path_), members);
}

TEST_F(MembersFile, DamageIsNoticed) {
  for (const char* text :
       {"", "flaredb-members 1\n", "flaredb-members 1\n1=a:1", "flaredb-members 2\n1=a:1\n",
        "1=a:1\n", "flaredb-members 1\n1=a:1\n\n"}) {
    std::ofstream(path_) << text;
    EXPECT_TRUE(absl::IsDataLoss(ReadMembersFile(path_).status())) << text;
  }
}

TEST_F(MembersFile, AFolderThatIsGoneIsOneSentence) {
  const absl::Status status = WriteMembersFile("/nowhere/members", {{StoreId(1), "a:1"}});
  EXPECT_EQ(std::string(status.message()),
            "cannot create /nowhere/members.new: No such file or directory; check that the data "
            "folder exists, is writable and has space");
}

}  // namespace
}  // namespace flaredb::net
