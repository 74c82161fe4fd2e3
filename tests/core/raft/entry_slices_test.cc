// SPDX-License-Identifier: Apache-2.0
#include "core/raft/entry_slices.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

EntrySlice Slice(uint64_t index) {
  const std::string payload = std::to_string(index);
  const NewEntry entry{EntryKind::kCommand, payload};
  return EntrySlice(EntryBlock::Create(Term(1), Index(index), {&entry, 1}));
}

EntrySlices Slices(uint64_t count) {
  EntrySlices slices;
  for (uint64_t i = 1; i <= count; ++i) slices.push_back(Slice(i));
  return slices;
}

std::vector<uint64_t> Contents(const EntrySlices& slices) {
  std::vector<uint64_t> indexes;
  for (const EntrySlice& slice : slices) {
    indexes.push_back(slice.first_index().value());
    EXPECT_EQ(slice.at(0).payload, std::to_string(indexes.back()));
  }
  EXPECT_EQ(slices.size(), indexes.size());
  EXPECT_EQ(slices.empty(), indexes.empty());
  return indexes;
}

std::vector<uint64_t> UpTo(uint64_t count) {
  std::vector<uint64_t> indexes;
  for (uint64_t i = 1; i <= count; ++i) indexes.push_back(i);
  return indexes;
}

// Around the one slice that has room inside, and around every growth behind it.
constexpr uint64_t kCounts[] = {0, 1, 2, 4, 5, 16, 17, 65};

TEST(EntrySlices, KeepsSlicesInOrder) {
  for (const uint64_t count : kCounts) {
    const EntrySlices slices = Slices(count);
    EXPECT_EQ(Contents(slices), UpTo(count));
    if (count == 0) continue;
    EXPECT_EQ(slices.front().first_index(), Index(1));
    EXPECT_EQ(slices.back().first_index(), Index(count));
    EXPECT_EQ(slices[count / 2].first_index(), Index(count / 2 + 1));
  }
}

TEST(EntrySlices, CopiesShareBlocksAndNothingElse) {
  for (const uint64_t count : kCounts) {
    EntrySlices original = Slices(count);
    const EntrySlices copy = original;
    original.push_back(Slice(count + 1));
    EXPECT_EQ(Contents(copy), UpTo(count));
    EXPECT_EQ(Contents(original), UpTo(count + 1));
    if (count > 0) {
      EXPECT_EQ(copy.front().block().get(), original.front().block().get());
    }
  }
}

TEST(EntrySlices, MovesLeaveNothingBehind) {
  for (const uint64_t count : kCounts) {
    for (const uint64_t before : kCounts) {
      EntrySlices original = Slices(count);
      EntrySlices taken = std::move(original);
      EXPECT_EQ(Contents(taken), UpTo(count));
      EXPECT_TRUE(original.empty());

      EntrySlices target = Slices(before);
      target = std::move(taken);
      EXPECT_EQ(Contents(target), UpTo(count));
      EXPECT_TRUE(taken.empty());
      taken.push_back(Slice(1));
      EXPECT_EQ(Contents(taken), UpTo(1));
    }
  }
}

// A block that leaks or is freed twice shows under --config=asan.
TEST(EntrySlices, AgreesWithAVectorOverRandomSteps) {
  Rng rng(7);
  std::vector<EntrySlices> slices(3);
  std::vector<std::vector<uint64_t>> expected(3);
  for (int step = 1; step <= 20000; ++step) {
    const size_t a = rng.Below(3);
    const size_t b = rng.Below(3);
    switch (rng.Below(8)) {
      case 0:
        slices[a] = EntrySlices();
        expected[a].clear();
        break;
      case 1:
        slices[a] = slices[b];
        expected[a] = expected[b];
        break;
      case 2:
        if (a == b) break;
        slices[a] = std::move(slices[b]);
        expected[a] = std::exchange(expected[b], {});
        break;
      default:
        slices[a].push_back(Slice(static_cast<uint64_t>(step)));
        expected[a].push_back(static_cast<uint64_t>(step));
    }
    ASSERT_EQ(Contents(slices[a]), expected[a]);
  }
}

}  // namespace
}  // namespace flaredb::raft
