// SPDX-License-Identifier: Apache-2.0
#include "core/region/region_machine.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/kv/engine.h"
#include "core/kv/key.h"
#include "core/raft/membership.h"
#include "core/region/state_rows.h"
#include "tests/core/base/exact_decoding.h"
#include "tests/core/base/map_reader.h"
#include "tests/core/region/list_machine.h"

namespace flaredb {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr kv::NamespaceId kNs = kv::NamespaceId::kDefault;
constexpr RegionEpoch kEpoch{3, 5};

// Keys [b, m) of the default namespace.
Region TestRegion() {
  return {RegionId(7),
          kv::EncodeKey(kNs, "b"),
          kv::EncodeKey(kNs, "m"),
          kEpoch,
          {{PeerId(1), StoreId(1)}}};
}

std::string SwapBytes(std::string key, std::string value, uint64_t expected = 0,
                      RegionEpoch epoch = kEpoch) {
  return EncodeRegionCommand(
      {epoch,
       kv::CompareAndSwap{kNs, std::move(key), std::move(value), kv::Version(expected), {}}});
}

class RegionMachineTest : public ::testing::Test {
 protected:
  raft::EntryView Next(std::string_view payload,
                       raft::EntryKind kind = raft::EntryKind::kCommand) const {
    return {machine_.applied().index.next(), Term(4), kind, payload};
  }
  // Applies an entry that must succeed, and writes its changes.
  ApplyReply Do(const raft::EntryView& entry) {
    WriteBatch batch;
    absl::StatusOr<ApplyReply> reply = machine_.Apply(entry, data_, &batch);
    EXPECT_TRUE(reply.ok()) << reply.status();
    data_.Write(batch);
    return reply.value_or(ApplyReply());
  }
  // Applies an entry that must fail and leave everything as it was; tells why.
  absl::Status FailureOf(const raft::EntryView& entry) {
    const raft::LogId before = machine_.applied();
    WriteBatch batch;
    const absl::Status status = machine_.Apply(entry, data_, &batch).status();
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(machine_.applied(), before);
    return status;
  }
  std::optional<kv::VersionedValue> Read(std::string_view key) const {
    return *kv::Get(kNs, key, data_);
  }
  raft::LogId AppliedRow() const {
    return *DecodeApplied(data_.rows.find(AppliedRowKey(RegionId(7)))->second);
  }

  MapReader data_;
  RegionMachine machine_{TestRegion(), {Term(4), Index(9)}};
};

TEST_F(RegionMachineTest, CommandChangesDataAndAppliedPositionInOneBatch) {
  WriteBatch batch;
  const absl::StatusOr<ApplyReply> reply = machine_.Apply(Next(SwapBytes("k", "v")), data_, &batch);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(std::get<kv::WriteReply>(*reply),
            (kv::WriteReply{kv::WriteResult::kApplied, kv::Version(1), ""}));
  EXPECT_EQ(batch.mutations.size(), 2u);
  data_.Write(batch);
  EXPECT_EQ(Read("k"), (kv::VersionedValue{"v", kv::Version(1)}));
  EXPECT_EQ(AppliedRow(), (raft::LogId{Term(4), Index(10)}));
  EXPECT_EQ(machine_.applied(), AppliedRow());
}

TEST_F(RegionMachineTest, EachEntrySeesTheOnesBefore) {
  Do(Next(SwapBytes("k", "a", 0)));
  Do(Next(SwapBytes("k", "b", 1)));
  const ApplyReply reply = Do(Next(SwapBytes("k", "c", 1)));
  EXPECT_EQ(std::get<kv::WriteReply>(reply),
            (kv::WriteReply{kv::WriteResult::kMismatch, kv::Version(2), "b"}));
  EXPECT_EQ(AppliedRow().index, Index(12));
}

TEST_F(RegionMachineTest, LogIndexReachesTheRecord) {
  Do(Next(SwapBytes("k", "a")));
  const absl::StatusOr<kv::Record> record =
      kv::DecodeRecord(data_.rows.find(kv::EncodeKey(kNs, "k"))->second);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->changed_index, Index(10));
}

TEST_F(RegionMachineTest, NoopMovesTheAppliedPositionAndAnswersNothing) {
  const ApplyReply reply = Do(Next("", raft::EntryKind::kNoop));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(reply));
  EXPECT_EQ(AppliedRow(), (raft::LogId{Term(4), Index(10)}));
  EXPECT_EQ(data_.rows.size(), 1u);
}

// Peer i lives on store i.
raft::ConfState ConfOf(std::vector<uint64_t> voters, std::vector<uint64_t> outgoing = {},
                       std::vector<uint64_t> learners = {}) {
  raft::ConfState conf;
  for (const uint64_t id : voters) conf.voters.push_back(PeerId(id));
  for (const uint64_t id : outgoing) conf.voters_outgoing.push_back(PeerId(id));
  for (const uint64_t id : learners) conf.learners.push_back(PeerId(id));
  for (const PeerId id : conf.Everybody()) {
    conf.members.push_back({id, StoreId(id.value()), Incarnation(100 + id.value())});
  }
  return conf;
}

TEST_F(RegionMachineTest, ConfigurationMakesEverybodyInItAPeer) {
  const raft::ConfState conf = ConfOf({2, 3}, {1, 2}, {1, 4});
  const std::string bytes = raft::EncodeConfState(conf);
  WriteBatch batch;
  const absl::StatusOr<ApplyReply> reply =
      machine_.Apply(Next(bytes, raft::EntryKind::kConf), data_, &batch);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(*reply, ApplyReply(ConfChanged{conf}));

  Region expected = TestRegion();
  expected.epoch.conf_version = 4;
  expected.peers.clear();
  for (const uint64_t id : {1, 2, 3, 4}) expected.peers.push_back({PeerId(id), StoreId(id)});
  EXPECT_EQ(machine_.region(), expected);
  EXPECT_EQ(batch.mutations.size(), 2u);
  data_.Write(batch);
  EXPECT_EQ(*DecodeRegion(data_.rows.find(RegionRowKey(RegionId(7)))->second), expected);
  EXPECT_EQ(AppliedRow().index, Index(10));
}

TEST_F(RegionMachineTest, EachChangeOfThePeersRaisesConfVersion) {
  const auto apply = [this](const raft::ConfState& conf) {
    Do(Next(raft::EncodeConfState(conf), raft::EntryKind::kConf));
    return machine_.region().epoch;
  };
  EXPECT_EQ(apply(ConfOf({1}, {}, {2})), (RegionEpoch{4, 5}));
  EXPECT_EQ(apply(ConfOf({1, 2}, {1})), (RegionEpoch{4, 5}));
  EXPECT_EQ(apply(ConfOf({1, 2})), (RegionEpoch{4, 5}));
  EXPECT_EQ(apply(ConfOf({2}, {1, 2})), (RegionEpoch{4, 5}));
  EXPECT_EQ(apply(ConfOf({2})), (RegionEpoch{5, 5}));
  // Somebody else in the same number.
  EXPECT_EQ(apply(ConfOf({3})), (RegionEpoch{6, 5}));
}

TEST_F(RegionMachineTest, ConfigurationThatPinsLivesChangesNoRow) {
  const raft::ConfState conf = ConfOf({1});
  const ApplyReply reply = Do(Next(raft::EncodeConfState(conf), raft::EntryKind::kConf));
  EXPECT_EQ(reply, ApplyReply(ConfChanged{conf}));
  EXPECT_EQ(machine_.region(), TestRegion());
  EXPECT_EQ(data_.rows.size(), 1u);
  EXPECT_EQ(AppliedRow().index, Index(10));
}

TEST_F(RegionMachineTest, ConfigurationThatARegionCannotHaveFails) {
  raft::ConfState homeless = ConfOf({1, 2});
  homeless.members[1].store = StoreId();
  raft::ConfState crowded = ConfOf({1, 2});
  crowded.members[1].store = StoreId(1);
  for (const std::string& bytes :
       {raft::EncodeConfState(homeless), raft::EncodeConfState(crowded), std::string("\x99")}) {
    EXPECT_EQ(FailureOf(Next(bytes, raft::EntryKind::kConf)).code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(machine_.region(), TestRegion());
  }
}

TEST_F(RegionMachineTest, UninitializedReplicaHasNothingToApplyTo) {
  Region region;
  region.id = RegionId(7);
  RegionMachine machine(region, {});
  WriteBatch batch;
  const raft::EntryView noop{Index(1), Term(1), raft::EntryKind::kNoop, ""};
  EXPECT_THROW(machine.Apply(noop, data_, &batch).IgnoreError(), InvariantViolation);
}

TEST_F(RegionMachineTest, EntryOutOfOrderIsImpossible) {
  const std::string bytes = SwapBytes("k", "v");
  WriteBatch batch;
  for (const uint64_t index : {8, 9, 11}) {
    const raft::EntryView entry{Index(index), Term(4), raft::EntryKind::kCommand, bytes};
    EXPECT_THROW(machine_.Apply(entry, data_, &batch).IgnoreError(), InvariantViolation) << index;
  }
  const raft::EntryView older{Index(10), Term(3), raft::EntryKind::kCommand, bytes};
  EXPECT_THROW(machine_.Apply(older, data_, &batch).IgnoreError(), InvariantViolation);
  EXPECT_TRUE(batch.empty());
}

TEST_F(RegionMachineTest, CommandOfAnEarlierRangeHasNoEffect) {
  const ApplyReply reply = Do(Next(SwapBytes("k", "v", 0, {3, 4})));
  EXPECT_EQ(reply, ApplyReply(EpochChanged{}));
  EXPECT_EQ(Read("k"), std::nullopt);
  EXPECT_EQ(AppliedRow().index, Index(10));
}

TEST_F(RegionMachineTest, CommandOfEarlierReplicasIsApplied) {
  Do(Next(SwapBytes("k", "v", 0, {2, 5})));
  EXPECT_NE(Read("k"), std::nullopt);
}

TEST_F(RegionMachineTest, CommandOfALaterRangeCannotBe) {
  const absl::Status status = FailureOf(Next(SwapBytes("k", "v", 0, {3, 6})));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(RegionMachineTest, CommandOutsideTheRangeCannotBe) {
  EXPECT_EQ(FailureOf(Next(SwapBytes("a", "v"))).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FailureOf(Next(SwapBytes("m", "v"))).code(), absl::StatusCode::kDataLoss);
  Do(Next(SwapBytes("b", "v")));
}

TEST_F(RegionMachineTest, EntryThatCannotBeUnderstoodFailsAndNamesItsPlace) {
  const std::string good = SwapBytes("k", "v");
  for (const std::string& bytes :
       {std::string(), std::string("\x03") + good.substr(1), good.substr(0, 5)}) {
    const absl::Status status = FailureOf(Next(bytes));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("region 7"), HasSubstr("entry 10")));
  }
  EXPECT_EQ(FailureOf(Next(good, static_cast<raft::EntryKind>(99))).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(RegionMachineTest, UnreadableDataFails) {
  data_.failure = absl::UnavailableError("no disk");
  EXPECT_EQ(FailureOf(Next(SwapBytes("k", "v"))).code(), absl::StatusCode::kUnavailable);
}

TEST_F(RegionMachineTest, SameEntriesGiveTheSameBytesOnEveryReplica) {
  MapReader other_data;
  RegionMachine other(TestRegion(), {Term(4), Index(9)});
  for (const std::string& bytes :
       {SwapBytes("k", "a"), SwapBytes("k", "b", 1), SwapBytes("c", "x"), SwapBytes("c", "y")}) {
    const raft::EntryView entry = Next(bytes);
    WriteBatch batch;
    ASSERT_TRUE(other.Apply(entry, other_data, &batch).ok());
    other_data.Write(batch);
    Do(entry);
  }
  EXPECT_EQ(data_.rows, other_data.rows);
}

// --- Commands on namespaces.

constexpr kv::NamespaceId kLogs{9};

std::string NamespaceBytes(kv::NamespaceCommand command) {
  return EncodeRegionCommand({kEpoch, std::move(command)});
}
std::string FenceBytes(kv::NamespaceId ns, kv::Mode mode, uint64_t mode_epoch) {
  return NamespaceBytes(kv::ModeFence{ns, {mode, kv::ModeEpoch(mode_epoch), kv::Hlc(mode_epoch)}});
}
std::string RowBytes(std::string key, uint64_t hlc, kv::NamespaceId ns = kNs) {
  return NamespaceBytes(
      kv::LwwBatch{ns, kv::ModeEpoch(5), {{std::move(key), "v", false, kv::Hlc(hlc), StoreId(1)}}});
}

TEST_F(RegionMachineTest, AFenceTurnsAwayTheCommandsOfTheOtherMode) {
  Do(Next(SwapBytes("k", "a")));
  Do(Next(FenceBytes(kNs, kv::Mode::kEventual, 4)));
  const ApplyReply refused = Do(Next(SwapBytes("k", "b", 1)));
  ASSERT_TRUE(std::holds_alternative<kv::NamespaceReply>(refused));
  EXPECT_FALSE(std::get<kv::NamespaceReply>(refused).admitted);
  EXPECT_EQ(Read("k")->value, "a");
  EXPECT_TRUE(std::get<kv::NamespaceReply>(Do(Next(RowBytes("k", 100)))).admitted);
  EXPECT_EQ(Read("k")->value, "v");
  Do(Next(FenceBytes(kNs, kv::Mode::kStrong, 6)));
  EXPECT_FALSE(std::get<kv::NamespaceReply>(Do(Next(RowBytes("k", 101)))).admitted);
  EXPECT_EQ(std::get<kv::WriteReply>(Do(Next(SwapBytes("k", "b", 2)))).version, kv::Version(3));
}

TEST_F(RegionMachineTest, AFenceConcernsItsNamespaceAlone) {
  Do(Next(FenceBytes(kLogs, kv::Mode::kEventual, 4)));
  EXPECT_EQ(std::get<kv::WriteReply>(Do(Next(SwapBytes("k", "a")))).version, kv::Version(1));
}

TEST_F(RegionMachineTest, WhatItKnowsOfNamespacesIsARow) {
  EXPECT_FALSE(data_.rows.contains(NamespacesRowKey(RegionId(7))));
  Do(Next(FenceBytes(kLogs, kv::Mode::kEventual, 4)));
  Do(Next(FenceBytes(kNs, kv::Mode::kEventual, 5)));
  const auto states =
      kv::DecodeNamespaceStates(data_.rows.find(NamespacesRowKey(RegionId(7)))->second);
  ASSERT_TRUE(states.ok()) << states.status();
  EXPECT_EQ(*states, machine_.namespaces());
  EXPECT_EQ(states->size(), 2u);
  machine_ = RegionMachine(TestRegion(), machine_.applied(), nullptr, *states);
  EXPECT_TRUE(std::holds_alternative<kv::NamespaceReply>(Do(Next(SwapBytes("k", "a")))));
}

TEST_F(RegionMachineTest, RowsAndCollectionsStayInsideTheRegion) {
  EXPECT_EQ(FailureOf(Next(RowBytes("a", 1))).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FailureOf(Next(RowBytes("k", 1, kLogs))).code(), absl::StatusCode::kDataLoss);
  const auto collect = [](std::string begin, std::string end) {
    return NamespaceBytes(kv::CollectTombstones{kNs, std::move(begin), std::move(end), kv::Hlc(1)});
  };
  EXPECT_EQ(FailureOf(Next(collect("a", "c"))).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FailureOf(Next(collect("b", ""))).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FailureOf(Next(collect("b", "n"))).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(std::get<kv::NamespaceReply>(Do(Next(collect("b", "m")))).admitted);
}

// --- Commands of another machine.

const ListMachine kLists;

Region Whole() {
  Region region = TestRegion();
  region.start_key.clear();
  region.end_key.clear();
  return region;
}

std::string CommandBytes(std::string object, std::string command, RegionEpoch epoch = kEpoch) {
  return EncodeRegionCommand({epoch, MachineCommand{std::move(object), std::move(command)}});
}

class RegionOwnMachineTest : public RegionMachineTest {
 protected:
  RegionOwnMachineTest() { machine_ = RegionMachine(Whole(), {Term(4), Index(9)}, &kLists); }
};

TEST_F(RegionOwnMachineTest, ItsRowsAndTheAppliedPositionChangeInOneBatch) {
  EXPECT_EQ(Do(Next(CommandBytes("a", "one"))), ApplyReply(MachineReply{"one", Index(10)}));
  WriteBatch batch;
  const auto reply = machine_.Apply(Next(CommandBytes("a", "two")), data_, &batch);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(*reply, ApplyReply(MachineReply{"one two", Index(11)}));
  ASSERT_EQ(batch.mutations.size(), 2u);
  EXPECT_EQ(batch.mutations[0], (Mutation{ObjectPrefix("a") + "\x01", "two"}));
  EXPECT_EQ(batch.mutations[1].key, AppliedRowKey(RegionId(7)));
}

TEST_F(RegionOwnMachineTest, KeyValueCommandsAreCarriedOutBesideIt) {
  Do(Next(SwapBytes("k", "v")));
  Do(Next(CommandBytes("k", "one")));
  EXPECT_EQ(Read("k"), (kv::VersionedValue{"v", kv::Version(1)}));
}

TEST_F(RegionOwnMachineTest, ACommandOfAnEarlierRangeHasNoEffect) {
  EXPECT_EQ(Do(Next(CommandBytes("a", "one", {3, 4}))), ApplyReply(EpochChanged{}));
  EXPECT_EQ(ObjectRows("a", data_).Get(std::string(1, '\0')), std::nullopt);
}

TEST_F(RegionOwnMachineTest, UnreadableRowsFailWhateverTheMachineMakesOfThem) {
  data_.failure = absl::UnavailableError("no disk");
  EXPECT_EQ(FailureOf(Next(CommandBytes("a", "one"))).code(), absl::StatusCode::kUnavailable);
}

TEST_F(RegionMachineTest, ACommandOfAnotherMachineCannotBeWithoutIt) {
  machine_ = RegionMachine(Whole(), {Term(4), Index(9)});
  const absl::Status status = FailureOf(Next(CommandBytes("a", "one")));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("started without"));
}

TEST_F(RegionMachineTest, AnObjectOutsideTheRangeCannotBe) {
  machine_ = RegionMachine(TestRegion(), {Term(4), Index(9)}, &kLists);
  EXPECT_EQ(FailureOf(Next(CommandBytes("k", "one"))).code(), absl::StatusCode::kDataLoss);
}

TEST(RegionCommand, ComesBack) {
  const RegionCommand command{
      {300, 2}, kv::CompareAndDelete{kNs, "k", kv::Version(5), {{1, 2, 3}, Index(4)}}};
  const absl::StatusOr<RegionCommand> decoded = DecodeRegionCommand(EncodeRegionCommand(command));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->epoch, command.epoch);
  EXPECT_TRUE(decoded->command == command.command);
}

TEST(RegionCommand, OnANamespaceComesBack) {
  const RegionCommand command{
      {300, 2}, kv::NamespaceCommand(kv::CollectTombstones{kLogs, "a", "b", kv::Hlc(3)})};
  const absl::StatusOr<RegionCommand> decoded = DecodeRegionCommand(EncodeRegionCommand(command));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(decoded->command == command.command);
}

TEST(RegionCommand, OfAnotherMachineComesBack) {
  for (const std::string bytes : {"", "one", "\x01\x02"}) {
    const RegionCommand command{{300, 2}, MachineCommand{"object", bytes}};
    const absl::StatusOr<RegionCommand> decoded = DecodeRegionCommand(EncodeRegionCommand(command));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->epoch, command.epoch);
    EXPECT_TRUE(decoded->command == command.command);
  }
}

// docs/FORMAT.md shows these bytes.
TEST(RegionCommand, OfAnotherMachineHasTheDocumentedBytes) {
  EXPECT_EQ(EncodeRegionCommand({{1, 1}, MachineCommand{"ab", "run"}}),
            "\x02\x01\x01\x02"
            "abrun");
}

TEST(RegionCommand, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding({SwapBytes("key", "value", 3, {300, 2}), SwapBytes("", ""),
                       EncodeRegionCommand({{300, 2}, MachineCommand{"object", "command"}})},
                      15, DecodeRegionCommand, EncodeRegionCommand);
}

}  // namespace
}  // namespace flaredb
