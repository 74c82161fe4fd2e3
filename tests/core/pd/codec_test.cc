// SPDX-License-Identifier: Apache-2.0
// The bytes of commands, queries, answers and rows.
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/pd/rows.h"
#include "tests/core/base/exact_decoding.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::pd {
namespace {

using std::string_literals::operator""s;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

StoreInfo SomeStore() { return {StoreOf(4), StoreState::kDraining, Revision(300)}; }
Namespace SomeNamespace() {
  return {kv::NamespaceId{2}, "logs", ModeState::kToStrongDrain, ModeEpoch(4), true, Revision(7)};
}

std::vector<Command> Commands() {
  return {
      Founding(),
      Bootstrap{ClusterId(kMax), StoreOf(kMax), {RegionOf(2, "m", "", 1), RegionOf(1, "", "m", 1)}},
      Bootstrap{ClusterId(1), StoreOf(1), {}},
      PutStore{StoreOf(4), Revision(300)},
      PutStore{{StoreId(1), {kMax, 0}, "", kMax}, Revision()},
      SetStoreState{StoreId(3), StoreState::kUp, Revision(5)},
      SetStoreState{StoreId(3), StoreState::kRemoved, Revision(kMax)},
      AllocateIds{0},
      AllocateIds{kMax},
      EnsureNamespace{"logs", std::nullopt},
      EnsureNamespace{"", Mode::kEventual},
      StartModeSwitch{"logs", Mode::kStrong, ModeEpoch()},
      CancelModeSwitch{"logs", ModeEpoch(3)},
      AdvanceModeSwitch{std::string(200, 'n'), ModeEpoch(kMax)},
      PutRegion{ReportOf(RegionOf(7, "a", "b", 3, {1, 2, 3}))},
  };
}

std::vector<Query> Queries() {
  return {GetCluster{},         GetCluster{Revision(300)},      GetRegion{""},
          GetRegion{"a\0b"s},   ScanRegions{"", "", 1},         ScanRegions{"a", "b", kMax},
          GetNamespace{"logs"}, ListNamespaces{"lo", "log", 10}};
}

std::vector<Reply> Replies() {
  const RegionInfo region = ReportOf(RegionOf(7, "a", "b", 3, {1, 2, 3}));
  return {
      Refused{Refusal::kNotUnderstood},
      Refused{Refusal::kNoRegion, kMax},
      Done{},
      IdRange{5, 3},
      SomeStore(),
      SomeNamespace(),
      region,
      RegionInfo{RegionOf(1, "", "", 1), Term(), PeerId()},
      ClusterView{ClusterId(100), Revision(3), Revision(9), {}, {}},
      ClusterView{
          ClusterId(100), Revision(), Revision(9), {SomeStore(), SomeStore()}, {SomeNamespace()}},
      RegionPage{{region, region}, true, "b"},
      RegionPage{},
      NamespacePage{{SomeNamespace()}, true},
      NamespacePage{}};
}

template <typename T>
std::vector<std::string> Encoded(const std::vector<T>& values, std::string (*encode)(const T&)) {
  std::vector<std::string> bytes;
  for (const T& value : values) bytes.push_back(encode(value));
  return bytes;
}

template <typename T>
void ExpectThatTheyComeBack(const std::vector<T>& values, std::string (*encode)(const T&),
                            absl::StatusOr<T> (*decode)(std::string_view)) {
  for (const T& value : values) {
    const absl::StatusOr<T> decoded = decode(encode(value));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(*decoded == value) << "kind " << value.index();
  }
}

// What is cut off may be a value by itself only where its last field is `rest`.
template <typename T>
void ExpectThatCutOnesAreRefused(const std::vector<T>& values, bool (*ends_with_rest)(const T&),
                                 std::string (*encode)(const T&),
                                 absl::StatusOr<T> (*decode)(std::string_view)) {
  for (const T& value : values) {
    if (ends_with_rest(value)) continue;
    const std::string bytes = encode(value);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decode(bytes.substr(0, size)).status().code(), absl::StatusCode::kDataLoss)
          << "kind " << value.index() << " cut to " << size;
    }
    EXPECT_FALSE(decode(bytes + '\0').ok()) << "kind " << value.index();
  }
}

bool EndsWithRest(const Command&) { return false; }
bool EndsWithRest(const Query& query) {
  return std::holds_alternative<GetRegion>(query) || std::holds_alternative<GetNamespace>(query);
}
bool EndsWithRest(const Reply& reply) { return std::holds_alternative<RegionPage>(reply); }

TEST(PdCodec, WhatIsWrittenComesBack) {
  ExpectThatTheyComeBack(Commands(), EncodeCommand, DecodeCommand);
  ExpectThatTheyComeBack(Queries(), EncodeQuery, DecodeQuery);
  ExpectThatTheyComeBack(Replies(), EncodeReply, DecodeReply);
}

TEST(PdCodec, WhatIsCutShortIsRefused) {
  ExpectThatCutOnesAreRefused(Commands(), EndsWithRest, EncodeCommand, DecodeCommand);
  ExpectThatCutOnesAreRefused(Queries(), EndsWithRest, EncodeQuery, DecodeQuery);
  ExpectThatCutOnesAreRefused(Replies(), EndsWithRest, EncodeReply, DecodeReply);
}

TEST(PdCodec, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding(Encoded(Commands(), EncodeCommand), 1, DecodeCommand, EncodeCommand);
  ExpectExactDecoding(Encoded(Queries(), EncodeQuery), 2, DecodeQuery, EncodeQuery);
  ExpectExactDecoding(Encoded(Replies(), EncodeReply), 3, DecodeReply, EncodeReply);
}

TEST(PdCodec, AnotherFormatOrKindIsRefused) {
  for (const char kind : {'\0', '\x0a', '\xff'}) {
    EXPECT_FALSE(DecodeCommand("\x01"s + kind).ok());
    EXPECT_FALSE(DecodeQuery("\x01"s + kind).ok());
    EXPECT_FALSE(DecodeReply("\x01"s + kind).ok());
  }
  std::string bytes = EncodeCommand(AllocateIds{1});
  bytes[0] = 2;
  EXPECT_FALSE(DecodeCommand(bytes).ok());
}

// docs/FORMAT.md shows these bytes.
TEST(PdCodec, HasTheBytesOfTheFormatPage) {
  EXPECT_EQ(EncodeCommand(EnsureNamespace{"logs", Mode::kEventual}), "\x01\x05\x04logs\x01\x02"s);
  EXPECT_EQ(EncodeQuery(GetCluster{Revision(300)}), "\x01\x01\xac\x02"s);
  EXPECT_EQ(EncodeReply(Refused{Refusal::kAddressTaken, 3}), "\x01\x01\x09\x03"s);

  MapReader data;
  MutableObjectRows rows(kObject, data);
  WriteNamespace(SomeNamespace(), &rows);
  WriteRegion({RegionOf(7, "", "m", 3), Term(), PeerId()}, &rows);
  data.Write(rows.changes());
  const std::string prefix = ObjectPrefix(kObject);
  ASSERT_EQ(data.rows.size(), 3u);
  EXPECT_EQ(data.rows[prefix + "nlogs"], "\x01\x02\x04logs\x04\x04\x01\x07"s);
  EXPECT_EQ(data.rows[prefix + "i\0\0\0\0\0\0\0\x07"s], "\x01\x00m"s);
  EXPECT_TRUE(data.rows.contains(prefix + "r\0m"s));
}

TEST(PdCodec, WhatCannotBeIsNotWritten) {
  StoreDescriptor store = StoreOf(1);
  store.instance = {};
  EXPECT_THROW(EncodeCommand(PutStore{store, Revision()}), InvariantViolation);
  EXPECT_THROW(EncodeCommand(SetStoreState{}), InvariantViolation);
  EXPECT_THROW(EncodeCommand(PutRegion{{RegionOf(1, "", "", 1), Term(), PeerId()}}),
               InvariantViolation);
  RegionInfo stranger = ReportOf(RegionOf(1, "", "", 1));
  stranger.leader = PeerId(999);
  EXPECT_THROW(EncodeCommand(PutRegion{stranger}), InvariantViolation);
  EXPECT_THROW(EncodeQuery(ScanRegions{"", "", 0}), InvariantViolation);
}

TEST(PdCodec, StatesModesAndReasonsAreThoseOfThisRelease) {
  EXPECT_TRUE(DecodeCommand("\x01\x03\x03\x05\x05").ok());
  EXPECT_FALSE(DecodeCommand("\x01\x03\x03\x06\x05").ok());
  EXPECT_FALSE(DecodeCommand("\x01\x03\x03\0\x05"s).ok());
  EXPECT_TRUE(DecodeCommand("\x01\x06\x01n\x02\x05").ok());
  EXPECT_FALSE(DecodeCommand("\x01\x06\x01n\x03\x05").ok());
  EXPECT_FALSE(DecodeCommand("\x01\x06\x01n\0\x05"s).ok());
  EXPECT_FALSE(DecodeReply("\x01\x01\0\x05"s).ok());
  EXPECT_FALSE(DecodeReply("\x01\x01\x19\x05").ok());
}

TEST(PdCodec, ATermAndALeaderComeTogether) {
  const Region region = RegionOf(1, "", "", 1);
  EXPECT_THROW(EncodeReply(RegionInfo{region, Term(5), PeerId()}), InvariantViolation);
  EXPECT_THROW(EncodeReply(RegionInfo{region, Term(), PeerId(10)}), InvariantViolation);
  const std::string none = EncodeReply(RegionInfo{region, Term(), PeerId()});
  ASSERT_EQ(none.substr(none.size() - 2), "\0\0"s);
  const std::string fields = none.substr(0, none.size() - 2);
  EXPECT_TRUE(DecodeReply(fields + "\x05\x0a").ok());
  EXPECT_FALSE(DecodeReply(fields + "\x05\0"s).ok());
  EXPECT_FALSE(DecodeReply(fields + "\0\x0a"s).ok());
  EXPECT_FALSE(DecodeReply(fields + "\x05\x0b").ok());
}

TEST(PdRows, ARowOfAnotherReleaseIsNotMisread) {
  MapReader data;
  data.rows[ObjectPrefix(kObject) + "c"] = "\x02";
  const ObjectRows rows(kObject, data);
  EXPECT_THROW(ReadCluster(rows), InvariantViolation);
}

TEST(PdExplain, EveryRefusalHasASentence) {
  for (const Command& command : Commands()) {
    for (uint8_t reason = 1; reason <= static_cast<uint8_t>(Refusal::kNoRegion); ++reason) {
      const std::string sentence = Explain(command, Refused{Refusal{reason}, 3});
      EXPECT_EQ(sentence.find("newer release:"), std::string::npos) << sentence;
      EXPECT_GT(sentence.size(), 20u);
    }
  }
  EXPECT_EQ(
      Explain(Query(GetNamespace{"a\n"}), Refused{Refusal::kNoSuchNamespace}),
      "there is no namespace \"a\\n\": a strong one is created by its first write, an eventual "
      "one by \"flaredb ns set-mode\"");
}

}  // namespace
}  // namespace flaredb::pd
