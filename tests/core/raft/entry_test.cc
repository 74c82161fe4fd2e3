// SPDX-License-Identifier: Apache-2.0
#include "core/raft/entry.h"

#include <string>
#include <vector>

#include "core/base/check.h"
#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

// Entries 10 to 14 of term 3 with payloads of 1, 0, 4, 2 and 3 bytes.
EntryBlockRef Block() {
  const std::vector<NewEntry> entries = {{EntryKind::kCommand, "a"},
                                         {EntryKind::kNoop, ""},
                                         {EntryKind::kCommand, "bbbb"},
                                         {EntryKind::kCommand, "cc"},
                                         {EntryKind::kCommand, "ddd"}};
  return EntryBlock::Create(Term(3), Index(10), entries);
}

TEST(EntryBlock, KeepsKindsPayloadsAndPositions) {
  const EntryBlockRef block = Block();
  EXPECT_EQ(block->size(), 5u);
  EXPECT_EQ(block->first_index(), Index(10));
  EXPECT_EQ(block->last_index(), Index(14));
  EXPECT_EQ(block->at(0).payload, "a");
  EXPECT_EQ(block->at(1).payload, "");
  EXPECT_EQ(block->at(1).kind, EntryKind::kNoop);
  EXPECT_EQ(block->at(2).payload, "bbbb");
  EXPECT_EQ(block->at(4).payload, "ddd");
  EXPECT_EQ(block->at(4).index, Index(14));
  EXPECT_EQ(block->at(4).term, Term(3));
  EXPECT_EQ(block->bytes(0, 5), 10u);
  EXPECT_EQ(block->bytes(2, 4), 6u);
  EXPECT_EQ(block->bytes(3, 3), 0u);
}

TEST(EntryBlock, CopiesThePayloadThatItWasGiven) {
  std::string payload = "before";
  const NewEntry entry{EntryKind::kCommand, payload};
  const EntryBlockRef block = EntryBlock::Create({&entry, 1});
  payload = "after!";
  EXPECT_EQ(block->at(0).payload, "before");
}

TEST(EntryBlock, IsPlacedOnceAndByItsOnlyOwner) {
  const NewEntry entry{EntryKind::kCommand, "x"};
  EntryBlockRef block = EntryBlock::Create({&entry, 1});
  const EntryBlockRef shared = block;
  EXPECT_THROW(EntryBlock::Place(block, Term(1), Index(1)), InvariantViolation);
  EXPECT_THROW(EntrySlice{block}, InvariantViolation) << "it has no position yet";

  const EntryBlockRef alone = EntryBlock::Create({&entry, 1});
  EntryBlock::Place(alone, Term(1), Index(1));
  EXPECT_THROW(EntryBlock::Place(alone, Term(1), Index(2)), InvariantViolation);
}

TEST(EntryBlock, HasAtLeastOneEntry) { EXPECT_THROW(EntryBlock::Create({}), InvariantViolation); }

TEST(EntrySlice, SharesTheBytesOfItsBlock) {
  EntryBlockRef block = Block();
  const EntrySlice slice(block);
  EXPECT_EQ(slice.at(2).payload.data(), block->at(2).payload.data());
  const EntrySlice part = slice.Clip(Index(12), Index(13));
  EXPECT_EQ(part.at(0).payload.data(), block->at(2).payload.data());
}

TEST(EntrySlice, OutlivesEveryOtherOwner) {
  EntryBlockRef block = Block();
  const EntrySlice part = EntrySlice(block).Clip(Index(12), Index(12));
  block = EntryBlockRef();
  EXPECT_EQ(part.at(0).payload, "bbbb");
}

TEST(EntrySlice, ClipsToTheIntersection) {
  const EntrySlice all(Block());
  const EntrySlice middle = all.Clip(Index(11), Index(13));
  EXPECT_EQ(middle.first_index(), Index(11));
  EXPECT_EQ(middle.last_index(), Index(13));
  EXPECT_EQ(middle.size(), 3u);
  EXPECT_EQ(middle.bytes(), 6u);
  EXPECT_EQ(middle.at(1).payload, "bbbb");
  // Of a part, never more than the part.
  const EntrySlice again = middle.Clip(Index(1), Index(12));
  EXPECT_EQ(again.first_index(), Index(11));
  EXPECT_EQ(again.last_index(), Index(12));
  EXPECT_THROW(middle.Clip(Index(14), Index(20)), InvariantViolation);
}

TEST(EntrySlice, PrefixOfBytesIsTheLongestThatFits) {
  const EntrySlice all(Block());
  // For each limit, how many entries of 1, 0, 4, 2, 3 bytes fit.
  const std::vector<std::pair<size_t, uint32_t>> expected = {{1, 2}, {4, 2}, {5, 3},  {6, 3},
                                                             {7, 4}, {9, 4}, {10, 5}, {1000, 5}};
  for (const auto& [limit, entries] : expected) {
    EXPECT_EQ(all.PrefixOfBytes(limit).size(), entries) << "limit " << limit;
    EXPECT_EQ(all.PrefixOfBytes(limit).first_index(), Index(10));
  }
}

TEST(EntrySlice, PrefixOfBytesHasOneEntryHoweverLarge) {
  const EntrySlice large = EntrySlice(Block()).Clip(Index(12), Index(14));
  EXPECT_EQ(large.PrefixOfBytes(0).size(), 1u);
  EXPECT_EQ(large.PrefixOfBytes(3).at(0).payload, "bbbb");
}

}  // namespace
}  // namespace flaredb::raft
