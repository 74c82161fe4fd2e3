// SPDX-License-Identifier: Apache-2.0
#include "sim/history/wgl.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/rng.h"
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

TEST(WglMemo, KeepsOnlyTheWordsBetweenOnesAndZeros) {
  constexpr uint64_t kOnes = ~uint64_t{0};
  WglMemo<int> memo(3);  // And a word that is kept in any case.
  const std::vector<std::vector<uint64_t>> all = {
      {kOnes, 5, 0, 0}, {5, 0, 0, 0}, {kOnes, kOnes, 5, 0}, {kOnes, 0, 5, 0}, {0, 0, 5, 0},
      {kOnes, 5, 0, 5}, {0, 0, 0, 0}, {kOnes, 0, 0, 0},     {0, kOnes, 0, 0}, {0, 0, 0, kOnes}};
  for (const auto& bits : all) EXPECT_TRUE(memo.Insert(bits, 0, 42));
  for (const auto& bits : all) EXPECT_FALSE(memo.Insert(bits, 0, 42));
}

TEST(Wgl, ALongHistoryTakesMemoryForItsOverlapsOnly) {
  std::vector<TimedOp<RegisterOp>> ops;
  for (EventNumber i = 0; i < 50000; ++i) {
    ops.push_back(
        {Write(static_cast<int64_t>(i)), 2 * i + 1, 2 * i + 4});  // Overlaps the next one.
  }
  EXPECT_TRUE(Linearizable(ops));
}

// Forty clients append at once and never learn what became of it; every order and every subset of
// these would be a state.
TEST(Wgl, AnswersTellWhichUnknownAppendsTookEffect) {
  StringTable strings;
  std::vector<TimedOp<KvOp>> ops;
  EventNumber at = 0;
  for (int i = 0; i < 40; ++i) {
    const StringTable::Id text = strings.Intern("x" + std::to_string(i) + "y");
    ops.push_back({{KvOp::Kind::kAppend, 0, text}, ++at, kNever});
  }
  ops.push_back({{KvOp::Kind::kGet, 0, strings.Intern("x7y")}, at + 1, at + 2});
  ops.push_back({{KvOp::Kind::kGet, 0, strings.Intern("x7yx3yx39y")}, at + 3, at + 4});
  ops.push_back({{KvOp::Kind::kPut, 0, strings.Intern("py")}, at + 5, at + 6});
  ops.push_back({{KvOp::Kind::kGet, 0, strings.Intern("pyx1y")}, at + 7, at + 8});
  KvKeyModel right(1, ops, &strings);
  EXPECT_TRUE(CheckWgl(&right, {ops}).linearizable);
  for (const char* wrong : {"pyx3y", "x7yx3yx39yx1y", "pyx1yx1y", "pyx40y", "p", "x1ypy"}) {
    ops.back().op.value = strings.Intern(wrong);
    KvKeyModel model(1, ops, &strings);
    EXPECT_FALSE(CheckWgl(&model, {ops}).linearizable) << wrong;
  }
}

// KvModel knows nothing of the way that leads to an answer.
TEST(Wgl, TheWayToAnAnswerChangesNoVerdict) {
  uint64_t right = 0;
  constexpr uint64_t kHistories = 20000;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    Rng rng(seed);
    StringTable strings;
    const bool plain = !rng.Chance(200000);  // Else texts repeat, and no value tells its way.
    std::vector<TimedOp<KvOp>> ops;
    std::string value;
    std::vector<std::string> values = {""};
    EventNumber at = 0;
    const uint64_t count = rng.Between(2, 9);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t kind = rng.Below(5);
      const EventNumber invoke = 10 * ++at - rng.Below(3) * 10 + i % 10 + 20;
      KvOp op;
      if (kind < 2) {
        op.kind = KvOp::Kind::kGet;
        op.value = strings.Intern(rng.Chance(300000) ? values[rng.Below(values.size())] : value);
      } else {
        const std::string text = "x" + std::to_string(plain ? i : rng.Below(2)) + "y";
        op.kind = kind == 2 ? KvOp::Kind::kPut : KvOp::Kind::kAppend;
        op.value = strings.Intern(text);
        const bool unknown = rng.Chance(400000);
        if (!unknown || rng.Chance(500000)) {
          value = (kind == 2 ? std::string() : value) + text;
          values.push_back(value);
        }
        if (unknown) {
          ops.push_back({op, invoke * 100 + i, kNever});
          continue;
        }
      }
      ops.push_back({op, invoke * 100 + i, (invoke + 1 + rng.Below(40)) * 100 + 50 + i});
    }
    KvModel whole(1, &strings);
    KvKeyModel key(1, ops, &strings);
    const bool expected = CheckWgl(&whole, {ops}).linearizable;
    ASSERT_EQ(CheckWgl(&key, {ops}).linearizable, expected) << "seed " << seed;
    if (expected) ++right;
  }
  EXPECT_GE(right * 5, kHistories);
  EXPECT_GE((kHistories - right) * 8, kHistories);
}

}  // namespace
}  // namespace flaredb::sim
