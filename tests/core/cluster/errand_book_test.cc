// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/errand_book.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace flaredb::cluster {
namespace {

Instant At(int64_t ms) { return Instant() + Duration::Milliseconds(ms); }

class ErrandBookTest : public ::testing::Test {
 protected:
  // The id of the errand that begins; zero: none does.
  ErrandId Want(int64_t ms, const std::string& purpose) {
    std::vector<Errand> errands;
    book_.Want(At(ms), purpose, pd::Command(pd::AllocateIds{1}), &errands);
    return errands.empty() ? ErrandId() : errands.front().id;
  }

  ErrandBook book_{ErrandId(100), Duration::Milliseconds(50), Duration::Milliseconds(10)};
};

TEST_F(ErrandBookTest, OneAtATimeForEachPurpose) {
  EXPECT_EQ(Want(0, "a"), ErrandId(101));
  EXPECT_EQ(Want(0, "a"), ErrandId());
  EXPECT_EQ(Want(0, "b"), ErrandId(102));
  EXPECT_EQ(Want(49, "a"), ErrandId());
}

TEST_F(ErrandBookTest, OneThatIsLostRunsAgain) {
  Want(0, "a");
  EXPECT_EQ(book_.next_deadline(), At(50));
  EXPECT_EQ(Want(50, "a"), ErrandId(102));
  EXPECT_FALSE(book_.End(At(51), ErrandId(101)).has_value()) << "it is forgotten";
}

TEST_F(ErrandBookTest, APauseFollowsTheEnd) {
  Want(0, "a");
  const std::optional<Errand> ended = book_.End(At(5), ErrandId(101));
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(std::holds_alternative<pd::Command>(ended->what));
  EXPECT_FALSE(book_.End(At(5), ErrandId(101)).has_value()) << "once";
  EXPECT_EQ(Want(14, "a"), ErrandId());
  EXPECT_EQ(book_.next_deadline(), At(15));
  EXPECT_EQ(Want(15, "a"), ErrandId(102));
}

TEST_F(ErrandBookTest, ForgetsWhatIsOver) {
  EXPECT_EQ(book_.next_deadline(), Instant::Max());
  Want(0, "a");
  book_.End(At(1), ErrandId(101));
  book_.Expire(At(11));
  EXPECT_EQ(book_.next_deadline(), Instant::Max());
}

}  // namespace
}  // namespace flaredb::cluster
