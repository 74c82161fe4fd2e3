// SPDX-License-Identifier: Apache-2.0
#include "core/raft/read_queue.h"

#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

TEST(ReadQueue, ConfirmsReadsWhoseRoundWasAnswered) {
  ReadQueue reads;
  reads.Add(ReadId(1), Index(5), 3);
  reads.Add(ReadId(2), Index(6), 3);
  reads.Add(ReadId(3), Index(6), 4);
  std::vector<ReadOutcome> out;
  reads.Confirm(2, &out);
  EXPECT_TRUE(out.empty());
  reads.Confirm(3, &out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].id, ReadId(1));
  EXPECT_TRUE(out[0].granted);
  EXPECT_EQ(out[0].index, Index(5));
  EXPECT_EQ(out[1].index, Index(6));
  EXPECT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads.last_round(), 4u);
}

// Thesis 6.4, step 1: a leader knows the latest committed index only after an entry of its term.
TEST(ReadQueue, HoldsReadsWithoutAnIndex) {
  ReadQueue reads;
  reads.Add(ReadId(1), std::nullopt, 1);
  std::vector<ReadOutcome> out;
  reads.Confirm(9, &out);
  EXPECT_TRUE(out.empty());
  reads.Place(Index(8));
  reads.Add(ReadId(2), Index(9), 2);
  reads.Place(Index(10));
  reads.Confirm(9, &out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].index, Index(8)) << "the first index stays";
  EXPECT_EQ(out[1].index, Index(9));
  EXPECT_TRUE(reads.empty());
}

TEST(ReadQueue, AbortAnswersEverybody) {
  ReadQueue reads;
  reads.Add(ReadId(1), Index(5), 3);
  reads.Add(ReadId(2), std::nullopt, 3);
  std::vector<ReadOutcome> out;
  reads.Abort(&out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_FALSE(out[0].granted);
  EXPECT_EQ(out[0].index, Index());
  EXPECT_FALSE(out[1].granted);
  EXPECT_TRUE(reads.empty());
}

}  // namespace
}  // namespace flaredb::raft
