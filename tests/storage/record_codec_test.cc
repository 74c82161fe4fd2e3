// SPDX-License-Identifier: Apache-2.0
#include "storage/record_codec.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flaredb::storage {
namespace {

using ::testing::HasSubstr;

std::string Sealed(Family family, std::string_view key, std::string_view body) {
  const SealBytes seal = MakeSeal(family, key, {body});
  return std::string(seal.data(), seal.size()).append(body);
}

std::string LogKey(uint64_t region, uint64_t index) {
  const RaftLogKey key = MakeRaftLogKey(RegionId(region), Index(index));
  return {key.data(), key.size()};
}

TEST(Seal, GivesBackTheBodyUnderItsKey) {
  for (const std::string& body : {std::string(), std::string("x"), std::string(100000, '\0')}) {
    EXPECT_EQ(Unseal(Family::kData, "key", Sealed(Family::kData, "key", body)).value(), body);
  }
}

TEST(Seal, HasTheBytesOfTheFormatPage) {
  EXPECT_EQ(Sealed(Family::kData, "key", "body"),
            std::string("\x01\xa4\x52\x3f\x57\x0a\xd3\xe6\x00", 9) + "body");
}

TEST(Seal, DoesNotDependOnHowTheBodyIsCutIntoParts) {
  const std::string body(1000, 'b');
  const std::string_view view = body;
  EXPECT_EQ(MakeSeal(Family::kData, "k", {view}),
            MakeSeal(Family::kData, "k", {view.substr(0, 9), view.substr(9)}));
}

TEST(Seal, RefusesEveryFlippedBit) {
  const std::string good = Sealed(Family::kData, "key", "the body");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_TRUE(absl::IsDataLoss(Unseal(Family::kData, "key", bad).status())) << "bit " << bit;
  }
}

TEST(Seal, RefusesEveryShorterValue) {
  const std::string good = Sealed(Family::kData, "key", "the body");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(Unseal(Family::kData, "key", good.substr(0, size)).status()));
  }
}

TEST(Seal, RefusesAValueOfAnotherKeyOrFamilyAndNamesBoth) {
  const std::string value = Sealed(Family::kData, "a", "body");
  EXPECT_TRUE(absl::IsDataLoss(Unseal(Family::kMeta, "a", value).status()));
  const absl::Status moved = Unseal(Family::kData, "b", value).status();
  EXPECT_TRUE(absl::IsDataLoss(moved));
  EXPECT_THAT(std::string(moved.message()), HasSubstr("column family data, key 62"));
}

TEST(Entry, RoundTripsAndKnowsItsPlace) {
  const std::string key = LogKey(7, 9);
  const EntryHead head = EncodeEntryHead(Term(3), raft::EntryKind::kCommand);
  const std::string body = std::string(head.data(), head.size()) + "payload";
  const std::string value = Sealed(Family::kRaftLog, key, body);

  const absl::StatusOr<raft::EntryView> entry = DecodeEntry(key, value);
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->index, Index(9));
  EXPECT_EQ(entry->term, Term(3));
  EXPECT_EQ(entry->kind, raft::EntryKind::kCommand);
  EXPECT_EQ(entry->payload, "payload");

  EXPECT_TRUE(absl::IsDataLoss(DecodeEntry(LogKey(7, 10), value).status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeEntry(LogKey(8, 9), value).status()));
}

TEST(Entry, RefusesAKindThatDoesNotExist) {
  const std::string key = LogKey(1, 1);
  EntryHead head = EncodeEntryHead(Term(3), raft::EntryKind::kNoop);
  head.back() = 100;
  const std::string value = Sealed(Family::kRaftLog, key, {head.data(), head.size()});
  EXPECT_TRUE(absl::IsDataLoss(DecodeEntry(key, value).status()));
}

TEST(ReplicaState, RoundTripsUnderItsRegionOnly) {
  const ReplicaState state{
      Incarnation(0xfedcba9876543210), {Term(5), PeerId(2)}, {Term(4), Index(100)}};
  const std::string value = EncodeReplicaState(RegionId(6), state);
  const RaftStateKey own = MakeRaftStateKey(RegionId(6));
  const RaftStateKey other = MakeRaftStateKey(RegionId(7));
  EXPECT_EQ(DecodeReplicaState({own.data(), own.size()}, value).value(), state);
  EXPECT_TRUE(absl::IsDataLoss(DecodeReplicaState({other.data(), other.size()}, value).status()));
}

TEST(KeySpace, KeysSortByRegionThenIndex) {
  EXPECT_LT(LogKey(1, 255), LogKey(1, 256));
  EXPECT_LT(LogKey(1, ~uint64_t{0}), LogKey(2, 0));
  EXPECT_LT(LogKey(255, 1), LogKey(256, 1));
}

TEST(KeySpace, ParsesItsOwnKeysAndNoOthers) {
  const std::optional<LogPosition> at = ParseRaftLogKey(LogKey(3, 4));
  ASSERT_TRUE(at.has_value());
  EXPECT_EQ(at->region, RegionId(3));
  EXPECT_EQ(at->index, Index(4));
  const RaftStateKey state = MakeRaftStateKey(RegionId(3));
  EXPECT_EQ(ParseRaftStateKey({state.data(), state.size()}), RegionId(3));
  EXPECT_FALSE(ParseRaftLogKey("short").has_value());
  EXPECT_EQ(ParseRaftStateKey(LogKey(3, 4)), std::nullopt);
  EXPECT_EQ(ParseRaftStateKey("12345678x"), std::nullopt);
}

}  // namespace
}  // namespace flaredb::storage
