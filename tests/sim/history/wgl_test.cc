// SPDX-License-Identifier: Apache-2.0
#include "sim/history/wgl.h"

#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "sim/history/kv_model.h"
#include "sim/history/register_model.h"
#include "sim/history/wgl_memo.h"

namespace flaredb::sim {
namespace {

RegisterOp ReadNil() { return {RegisterOp::Kind::kRead, std::nullopt, 0}; }
RegisterOp Read(int64_t value) { return {RegisterOp::Kind::kRead, value, 0}; }
RegisterOp Write(int64_t value) { return {RegisterOp::Kind::kWrite, value, 0}; }
RegisterOp Cas(int64_t from, int64_t to) { return {RegisterOp::Kind::kCas, to, from}; }
RegisterOp CasMismatch(int64_t from, int64_t to) {
  return {RegisterOp::Kind::kCasMismatch, to, from};
}

bool Linearizable(const std::vector<TimedOp<RegisterOp>>& ops) {
  RegisterModel model;
  return CheckWgl(&model, {ops}).linearizable;
}

TEST(Wgl, ARegisterIsNilAtFirst) {
  EXPECT_TRUE(Linearizable({}));
  EXPECT_TRUE(Linearizable({{ReadNil(), 1, 2}}));
  EXPECT_FALSE(Linearizable({{Read(3), 1, 2}}));
}

TEST(Wgl, AReadSeesTheLastWrite) {
  EXPECT_TRUE(Linearizable({{Write(3), 1, 2}, {Read(3), 3, 4}}));
  EXPECT_FALSE(Linearizable({{Write(3), 1, 2}, {ReadNil(), 3, 4}}));
  EXPECT_TRUE(Linearizable({{Write(3), 1, 4}, {ReadNil(), 2, 3}}));
}

TEST(Wgl, ACompareAndSwapNeedsItsValueAndAMismatchAnother) {
  EXPECT_TRUE(Linearizable({{Write(3), 1, 2}, {Cas(3, 4), 3, 4}}));
  EXPECT_FALSE(Linearizable({{Write(3), 1, 2}, {Cas(2, 4), 3, 4}}));
  EXPECT_FALSE(Linearizable({{Cas(0, 4), 1, 2}}));
  EXPECT_TRUE(Linearizable({{Write(3), 1, 2}, {CasMismatch(2, 4), 3, 4}}));
  EXPECT_FALSE(Linearizable({{Write(3), 1, 2}, {CasMismatch(3, 4), 3, 4}}));
}

TEST(Wgl, AnUnknownWriteMayTakeEffectLateOnceOrNever) {
  const TimedOp<RegisterOp> unknown{Write(3), 1, kNever};
  EXPECT_TRUE(Linearizable({unknown, {ReadNil(), 2, 3}, {Read(3), 4, 5}}));
  EXPECT_TRUE(Linearizable({unknown, {ReadNil(), 2, 3}}));
  EXPECT_FALSE(Linearizable({unknown, {Read(3), 2, 3}, {Write(4), 4, 5}, {Read(3), 6, 7}}));
  EXPECT_FALSE(Linearizable({{Read(3), 1, 2}, {Write(3), 3, kNever}}));
}

TEST(Wgl, EqualUnknownWritesCountOnceEach) {
  std::vector<TimedOp<RegisterOp>> ops = {{Write(3), 1, kNever},
                                          {Write(3), 2, kNever},
                                          {Read(3), 3, 4},
                                          {Write(4), 5, 6},
                                          {Read(3), 7, 8}};
  EXPECT_TRUE(Linearizable(ops));
  ops.push_back({Write(5), 9, 10});
  ops.push_back({Read(3), 11, 12});
  EXPECT_FALSE(Linearizable(ops));
}

TEST(Wgl, EqualUnknownWritesAreUsedInTheOrderOfTheirInvocations) {
  EXPECT_TRUE(Linearizable({{Write(3), 1, kNever},
                            {Read(3), 2, 3},
                            {Write(4), 4, 5},
                            {Write(3), 6, kNever},
                            {Read(3), 7, 8}}));
}

TEST(Wgl, NamesThePartAndTheOperationThatIsStuck) {
  RegisterModel model;
  const WglResult result =
      CheckWgl(&model, {{{Write(1), 1, 2}}, {{Write(1), 1, 2}, {Read(7), 3, 4}}});
  EXPECT_FALSE(result.linearizable);
  EXPECT_EQ(result.part, 1u);
  EXPECT_EQ(result.blocked, 1u);
}

TEST(Wgl, ASearchCanBePaused) {
  RegisterModel model;
  std::vector<TimedOp<RegisterOp>> ops;
  for (int i = 0; i < 10; ++i) {
    ops.push_back({Write(i), static_cast<EventNumber>(i + 1), 100u + i});
  }
  WglSearch<RegisterModel> search(&model, ops);
  EXPECT_FALSE(search.Run(5).has_value());
  EXPECT_EQ(search.Run(1000000), true);
}

TEST(Wgl, AMapOfKeysIsCheckedAsOneObject) {
  StringTable strings;
  const StringTable::Id x = strings.Intern("x");
  const StringTable::Id y = strings.Intern("y");
  const StringTable::Id xy = strings.Intern("xy");
  using KvKind = KvOp::Kind;
  std::vector<TimedOp<KvOp>> ops = {{{KvKind::kAppend, 0, y}, 1, 10},
                                    {{KvKind::kAppend, 0, x}, 2, 9},
                                    {{KvKind::kPut, 1, y}, 3, 8},
                                    {{KvKind::kGet, 0, xy}, 11, 12},
                                    {{KvKind::kGet, 1, y}, 13, 14}};
  KvModel model(2, &strings);
  EXPECT_TRUE(CheckWgl(&model, {ops}).linearizable);
  ops[4].op.value = x;
  EXPECT_FALSE(CheckWgl(&model, {ops}).linearizable);
  ops[4].op.value = y;
  ops[3].op.value = x;
  EXPECT_FALSE(CheckWgl(&model, {ops}).linearizable);
}

TEST(StringTable, NumbersEqualTextsEqually) {
  StringTable strings;
  EXPECT_EQ(strings.Intern(""), StringTable::kEmpty);
  const StringTable::Id ab = strings.Intern("ab");
  EXPECT_EQ(strings.Concatenate(strings.Intern("a"), strings.Intern("b")), ab);
  EXPECT_EQ(strings.text(ab), "ab");
}

TEST(WglMemo, TellsConfigurationsWithEqualHashesApart) {
  WglMemo<int> memo(1);
  for (int state = 0; state < 1000; ++state) EXPECT_TRUE(memo.Insert({5}, state, 42));
  for (int state = 0; state < 1000; ++state) EXPECT_FALSE(memo.Insert({5}, state, 42));
  EXPECT_TRUE(memo.Insert({6}, 0, 42));
}

}  // namespace
}  // namespace flaredb::sim
