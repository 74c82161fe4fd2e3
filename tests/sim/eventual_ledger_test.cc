// SPDX-License-Identifier: Apache-2.0
// What was acknowledged by eventual namespaces and was lost, or not shown: LOST, EREAD, EVENTUAL.
#include "sim/eventual_ledger.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/kv/key.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr kv::NamespaceId kNs{7};

// Two stores, whose region's log is the test.
class EventualLedgerTest : public testing::Test {
 protected:
  EventualLedgerTest() { Commit(kv::ModeFence{kNs, {kv::Mode::kEventual, kv::ModeEpoch(1), {}}}); }

  Index Commit(kv::NamespaceCommand command) {
    const Index index = model_.applied().next();
    EXPECT_EQ(
        log_.Apply(Append(index.value(), {{1, EncodeRegionCommand({kEpoch, std::move(command)})}})),
        std::nullopt);
    EXPECT_EQ(model_.Apply(log_.At(index)), std::nullopt);
    return index;
  }
  // The region gets what a store accepted; value 0: a deletion.
  Index Carry(uint32_t store, ValueId value, uint64_t hlc) {
    return Commit(kv::LwwBatch{kNs, kv::ModeEpoch(1), {Row(store, value, hlc)}});
  }
  static kv::LwwRow Row(uint32_t store, ValueId value, uint64_t hlc) {
    return {"k", value != 0 ? Text(value) : "", value == 0, kv::Hlc(hlc), StoreId(store + 1)};
  }
  static std::string Text(ValueId value) { return std::to_string(value) + ":x"; }
  // A client's write is acknowledged.
  void Accept(uint32_t store, ValueId value, uint64_t hlc) {
    const size_t write = ledger_.Invoke(1, kNs, "k", value);
    ledger_.Asked(write, store);
    ledger_.Accepted(write, kv::Hlc(hlc));
  }
  // What is wrong with a read that was answered so; empty: nothing. No value: there is none.
  std::string Read(uint32_t store, std::optional<std::pair<ValueId, uint64_t>> found,
                   Index applied) {
    std::optional<kv::VersionedValue> shown;
    if (found) {
      const KvModel::State* record = model_.At(kNs, "k", applied);
      const bool same = record != nullptr && record->hlc == kv::Hlc(found->second);
      shown = {Text(found->first), same ? record->version : kv::Version(9), kv::Hlc(found->second)};
    }
    return ledger_.WrongRead(2, store, ledger_.BeginRead(), kNs, "k", shown, applied, false)
        .value_or("");
  }
  // The verdict at the end, with what is left of the outboxes.
  std::string Judge(std::vector<EventualEnd> ends, bool settled = true) {
    FailureReport report;
    ledger_.Judge(ends, kNs, settled, &report);
    return report.failure().invariant;
  }
  // Members that show what the log makes.
  std::vector<EventualEnd> Ends() const {
    EventualEnd end;
    end.member = true;
    const KvModel::State* state = model_.At(kNs, "k", model_.applied());
    if (state != nullptr) {
      kv::Record record;
      record.version = state->version;
      record.changed_index = state->index;
      record.tombstone = !state->live;
      record.value = state->value;
      record.hlc = state->hlc;
      record.origin = state->origin;
      end.rows[kv::EncodeKey(kNs, "k")] = kv::EncodeRecord(record);
    }
    return {end, end};
  }
  static store::OutboxRow Waiting(uint32_t store, ValueId value, uint64_t hlc) {
    return {kNs, kv::ModeEpoch(1), Row(store, value, hlc)};
  }

  LogImage log_;
  KvModel model_{kEpoch, Index()};
  EventualLedger ledger_{&model_};
};

TEST_F(EventualLedgerTest, AReadShowsTheRecordOrWhatItsStoreAccepted) {
  const Index applied = Carry(0, 5, 10);
  EXPECT_EQ(Read(1, {{5, 10}}, applied), "");
  EXPECT_THAT(Read(1, {}, applied), HasSubstr("neither"));
  EXPECT_THAT(Read(1, {{6, 11}}, applied), HasSubstr("neither"));
  Accept(1, 6, 11);
  EXPECT_EQ(Read(1, {{6, 11}}, applied), "");
  EXPECT_THAT(Read(0, {{6, 11}}, applied), HasSubstr("neither")) << "another store accepted it";
  EXPECT_THAT(Read(1, {{5, 10}}, applied), HasSubstr("but before that client 1 put value 6"));
}

TEST_F(EventualLedgerTest, WhatLosesIsNotShown) {
  const Index applied = Carry(0, 5, 10);
  Accept(1, 6, 9);
  EXPECT_EQ(Read(1, {{5, 10}}, applied), "");
  EXPECT_THAT(Read(1, {{6, 9}}, applied), HasSubstr("neither"));
  Accept(1, 0, 11);
  EXPECT_EQ(Read(1, {}, applied), "");
  EXPECT_THAT(Read(1, {{5, 10}}, applied), HasSubstr("client 1 deleted"));
}

TEST_F(EventualLedgerTest, AWriteWithoutAnAnswerMayShow) {
  const size_t write = ledger_.Invoke(1, kNs, "k", 6);
  ledger_.Asked(write, 1);
  EXPECT_EQ(Read(1, {{6, 11}}, model_.applied()), "");
  EXPECT_EQ(Read(1, {}, model_.applied()), "");
  ledger_.Refused(write);
  EXPECT_THAT(Read(1, {{6, 11}}, model_.applied()), HasSubstr("neither"));
}

TEST_F(EventualLedgerTest, NobodyIsLetInBehindTheFenceToStrong) {
  const Index before = model_.applied();
  const Index fence = Commit(kv::ModeFence{kNs, {kv::Mode::kStrong, kv::ModeEpoch(2), {}}});
  EXPECT_EQ(Read(0, {}, before), "");
  EXPECT_THAT(Read(0, {}, fence), HasSubstr("is strong there"));
  EXPECT_THAT(Read(0, {}, fence.next()), HasSubstr("committed only up to"));
}

TEST_F(EventualLedgerTest, AFenceToStrongComesAfterAllThatWasAcknowledged) {
  FailureReport report;
  Accept(0, 5, 10);
  Carry(0, 5, 10);
  Accept(1, 6, 11);
  Accept(1, 7, 12);
  Carry(1, 7, 12);
  Commit(kv::ModeFence{kNs, {kv::Mode::kStrong, kv::ModeEpoch(2), {}}});
  ledger_.CheckFences(&report);
  EXPECT_FALSE(report.failed()) << "a later write of the key stands for both";
  Accept(1, 8, 13);
  Commit(kv::ModeFence{kNs, {kv::Mode::kStrong, kv::ModeEpoch(3), {}}});
  ledger_.CheckFences(&report);
  EXPECT_EQ(report.failure().invariant, "LOST");
  EXPECT_THAT(report.failure().sentence, AllOf(HasSubstr("put value 8"), HasSubstr("epoch 3")));
}

TEST_F(EventualLedgerTest, WhatWasAcknowledgedIsSomewhereInTheEnd) {
  Accept(0, 5, 10);
  EXPECT_EQ(Judge(Ends(), /*settled=*/false), "LOST");
  std::vector<EventualEnd> ends = Ends();
  ends[0].outbox[kv::EncodeKey(kNs, "k")] = Waiting(0, 5, 10);
  EXPECT_EQ(Judge(ends, /*settled=*/false), "");
  ends[0].outbox[kv::EncodeKey(kNs, "k")] = Waiting(0, 4, 9);
  EXPECT_EQ(Judge(ends, /*settled=*/false), "LOST") << "an earlier write does not stand for it";
  Carry(0, 5, 10);
  EXPECT_EQ(Judge(Ends()), "");
}

TEST_F(EventualLedgerTest, WhatTheOnlyDiskHadIsLostWithIt) {
  Accept(0, 5, 10);
  ledger_.OnDiskLost(0);
  std::vector<EventualEnd> ends = Ends();
  ends[0].wiped = true;
  EXPECT_EQ(Judge(ends), "");
  Accept(0, 6, 11);
  EXPECT_EQ(Judge(ends), "LOST") << "the new disk had that";
}

TEST_F(EventualLedgerTest, CheckerEJudgesTheEnd) {
  Accept(0, 5, 10);
  Accept(1, 6, 11);
  Carry(1, 6, 11);
  Carry(0, 5, 10);
  EXPECT_EQ(Judge(Ends()), "");
  std::vector<EventualEnd> ends = Ends();
  ends[1].rows.clear();
  EXPECT_EQ(Judge(ends), "EVENTUAL");
  EXPECT_EQ(Judge(ends, /*settled=*/false), "") << "not everything has come to rest";
  ends[1].member = false;
  EXPECT_EQ(Judge(ends), "");
}

}  // namespace
}  // namespace flaredb::sim
