// SPDX-License-Identifier: Apache-2.0
#include "storage/record_codec.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "tests/core/base/exact_decoding.h"

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

TEST(Entry, KnowsEveryKind) {
  const std::string key = LogKey(1, 1);
  for (const raft::EntryKind kind :
       {raft::EntryKind::kNoop, raft::EntryKind::kCommand, raft::EntryKind::kConf}) {
    const EntryHead head = EncodeEntryHead(Term(3), kind);
    const std::string value = Sealed(Family::kRaftLog, key, {head.data(), head.size()});
    EXPECT_EQ(DecodeEntry(key, value).value().kind, kind);
  }
}

TEST(Entry, RefusesAKindThatDoesNotExist) {
  const std::string key = LogKey(1, 1);
  EntryHead head = EncodeEntryHead(Term(3), raft::EntryKind::kNoop);
  head.back() = 3;
  const std::string value = Sealed(Family::kRaftLog, key, {head.data(), head.size()});
  EXPECT_TRUE(absl::IsDataLoss(DecodeEntry(key, value).status()));
}

std::string StateKey(uint64_t region, RaftStateRow row) {
  const RaftStateKey key = MakeRaftStateKey(RegionId(region), row);
  return {key.data(), key.size()};
}

TEST(ReplicaState, RoundTripsUnderItsKeyOnly) {
  const ReplicaState state{Incarnation(0xfedcba9876543210), {Term(5), PeerId(2)}};
  const std::string value = EncodeReplicaState(RegionId(6), state);
  const std::string own = StateKey(6, RaftStateRow::kReplica);
  EXPECT_EQ(DecodeReplicaState(own, value).value(), state);
  for (const std::string& other :
       {StateKey(7, RaftStateRow::kReplica), StateKey(6, RaftStateRow::kBase)}) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeReplicaState(other, value).status()));
  }
}

raft::LogBase SampleBase() {
  raft::ConfState conf;
  conf.voters = {PeerId(1), PeerId(2)};
  conf.voters_outgoing = {PeerId(1), PeerId(3)};
  conf.learners = {PeerId(3), PeerId(300)};
  conf.members = {{PeerId(1), StoreId(9), Incarnation(~uint64_t{0})}};
  return {{Term(4), Index(100)}, conf};
}

TEST(LogBase, RoundTripsUnderItsKeyOnly) {
  const std::string own = StateKey(6, RaftStateRow::kBase);
  for (const raft::LogBase& base : {raft::LogBase(), SampleBase()}) {
    const std::string value = EncodeLogBase(RegionId(6), base);
    EXPECT_EQ(DecodeLogBase(own, value).value(), base);
    for (const std::string& other :
         {StateKey(7, RaftStateRow::kBase), StateKey(6, RaftStateRow::kReplica)}) {
      EXPECT_TRUE(absl::IsDataLoss(DecodeLogBase(other, value).status()));
    }
  }
}

TEST(LogBase, HasTheBytesOfTheFormatPage) {
  raft::ConfState conf;
  conf.voters = {PeerId(1), PeerId(2)};
  conf.members = {{PeerId(2), StoreId(3), Incarnation(4)}};
  const std::string value = EncodeLogBase(RegionId(6), {{Term(1), Index(300)}, conf});
  EXPECT_EQ(absl::BytesToHexString(value.substr(kSealBytes)),
            "0000000000000001000000000000012c"
            "0102010200000102030000000000000004");
}

TEST(LogBase, DecodesExactly) {
  const std::string key = StateKey(6, RaftStateRow::kBase);
  ExpectExactDecoding(
      {EncodeLogBase(RegionId(6), SampleBase()).substr(kSealBytes),
       EncodeLogBase(RegionId(6), {}).substr(kSealBytes)},
      11,
      [&](const std::string& body) {
        return DecodeLogBase(key, Sealed(Family::kRaftState, key, body));
      },
      [](const raft::LogBase& base) {
        return EncodeLogBase(RegionId(6), base).substr(kSealBytes);
      });
}

TEST(LogBase, RefusesAnIndexWithoutATerm) {
  raft::LogBase base = SampleBase();
  base.last.term = Term();
  const std::string value = EncodeLogBase(RegionId(6), base);
  const absl::Status status = DecodeLogBase(StateKey(6, RaftStateRow::kBase), value).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a term and an index, or neither"));
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
  for (const RaftStateRow row : {RaftStateRow::kBase, RaftStateRow::kReplica}) {
    EXPECT_EQ(ParseRaftStateKey(StateKey(3, row)), (RaftStatePlace{RegionId(3), row}));
  }
  EXPECT_FALSE(ParseRaftLogKey("short").has_value());
  EXPECT_EQ(ParseRaftStateKey(LogKey(3, 4)), std::nullopt);
  EXPECT_EQ(ParseRaftStateKey("12345678x"), std::nullopt);
}

}  // namespace
}  // namespace flaredb::storage
