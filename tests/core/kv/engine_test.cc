// SPDX-License-Identifier: Apache-2.0
#include "core/kv/engine.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/kv/key.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::kv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr NamespaceId kNs = NamespaceId::kDefault;
constexpr NamespaceId kOtherNs{2};

Retry By(uint64_t client, uint64_t seen_index) { return {{client, 0, 1}, Index(seen_index)}; }

// One store's data, changed by commands at ascending log indexes.
class EngineTest : public ::testing::Test {
 protected:
  WriteReply Do(const Command& command) {
    ++index_;
    WriteBatch batch;
    absl::StatusOr<WriteReply> reply = Apply(command, index_, NamespaceState(), data_, &batch);
    EXPECT_TRUE(reply.ok()) << reply.status();
    data_.Write(batch);
    return reply.value_or(WriteReply{});
  }
  WriteReply Swap(uint64_t expected, std::string value, Retry retry = {}) {
    return Do(CompareAndSwap{kNs, "k", std::move(value), Version(expected), retry});
  }
  WriteReply Delete(uint64_t expected, Retry retry = {}) {
    return Do(CompareAndDelete{kNs, "k", Version(expected), retry});
  }
  std::optional<VersionedValue> Read(std::string_view key = "k", NamespaceId ns = kNs) {
    absl::StatusOr<std::optional<VersionedValue>> found = Get(ns, key, data_);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(std::nullopt);
  }
  void Put(NamespaceId ns, std::string key, std::string value) {
    EXPECT_EQ(Do(CompareAndSwap{ns, std::move(key), std::move(value), {}, {}}).result,
              WriteResult::kApplied);
  }

  // Writes by five other clients since `index_`: whatever was remembered before is forgotten.
  // Leaves the key live.
  void MakeForget() {
    const std::optional<VersionedValue> found = Read();
    Version version = found ? found->version : Version();
    for (uint64_t client = 100; client < 105; ++client) {
      const WriteReply reply = Swap(version.value(), "theirs", By(client, index_.value()));
      ASSERT_EQ(reply.result, WriteResult::kApplied);
      version = reply.version;
    }
  }

  static WriteReply Applied(uint64_t version) {
    return {WriteResult::kApplied, Version(version), {}};
  }
  static WriteReply Mismatch(uint64_t version, std::string value) {
    return {WriteResult::kMismatch, Version(version), std::move(value)};
  }
  static WriteReply Overtaken(uint64_t version) {
    return {WriteResult::kOvertaken, Version(version), {}};
  }
  static WriteReply Forgotten(uint64_t version) {
    return {WriteResult::kForgotten, Version(version), {}};
  }

  MapReader data_;
  Index index_{10};
};

TEST_F(EngineTest, SwapAtTheLiveVersionIsApplied) {
  EXPECT_EQ(Swap(0, "a"), Applied(1));
  EXPECT_EQ(Swap(1, "b"), Applied(2));
  EXPECT_EQ(Read(), (VersionedValue{"b", Version(2)}));
}

TEST_F(EngineTest, SwapAtAnotherVersionChangesNothingAndTellsTheLiveOne) {
  EXPECT_EQ(Swap(3, "a"), Mismatch(0, ""));
  EXPECT_EQ(Read(), std::nullopt);
  Swap(0, "a");
  EXPECT_EQ(Swap(0, "b"), Mismatch(1, "a"));
  EXPECT_EQ(Swap(2, "b"), Mismatch(1, "a"));
  EXPECT_EQ(Read(), (VersionedValue{"a", Version(1)}));
}

TEST_F(EngineTest, RefusedCommandLeavesTheBatchEmpty) {
  Swap(0, "a");
  WriteBatch batch;
  const Command command = CompareAndSwap{kNs, "k", "b", Version(7), {}};
  ASSERT_TRUE(Apply(command, Index(99), NamespaceState(), data_, &batch).ok());
  EXPECT_TRUE(batch.empty());
}

TEST_F(EngineTest, DeleteAtTheLiveVersionIsAppliedAndAnswersVersionZero) {
  Swap(0, "a");
  EXPECT_EQ(Delete(1), Applied(0));
  EXPECT_EQ(Read(), std::nullopt);
}

TEST_F(EngineTest, DeleteAtAnotherVersionChangesNothing) {
  EXPECT_EQ(Delete(1), Mismatch(0, ""));
  Swap(0, "a");
  EXPECT_EQ(Delete(2), Mismatch(1, "a"));
  EXPECT_EQ(Read(), (VersionedValue{"a", Version(1)}));
}

TEST_F(EngineTest, DeleteOfADeletedKeyIsAMismatch) {
  Swap(0, "a");
  Delete(1);
  EXPECT_EQ(Delete(1), Mismatch(0, ""));
  EXPECT_EQ(Delete(2), Mismatch(0, ""));  // The tombstone's own version is not live.
}

TEST_F(EngineTest, VersionsAreNotReusedAfterADeletion) {
  Swap(0, "a");
  Delete(1);
  EXPECT_EQ(Swap(0, "b"), Applied(3));
  EXPECT_EQ(Swap(1, "c"), Mismatch(3, "b"));
}

TEST_F(EngineTest, TombstoneHoldsNoValue) {
  Swap(0, std::string(1000, 'x'));
  Delete(1);
  EXPECT_LT(data_.rows.begin()->second.size(), 20u);
}

TEST_F(EngineTest, RetryOfASwapIsAnsweredWithTheVersionItProduced) {
  const Retry mine = By(1, 10);
  EXPECT_EQ(Swap(0, "a", mine), Applied(1));
  EXPECT_EQ(Swap(0, "a", mine), Applied(1));
  Swap(1, "b");
  EXPECT_EQ(Swap(0, "a", mine), Applied(1));
  EXPECT_EQ(Read(), (VersionedValue{"b", Version(2)}));
}

TEST_F(EngineTest, RetryOfADeleteIsAnsweredWithVersionZero) {
  Swap(0, "a");
  const Retry mine = By(1, index_.value());
  EXPECT_EQ(Delete(1, mine), Applied(0));
  EXPECT_EQ(Delete(1, mine), Applied(0));
  Swap(0, "b");
  EXPECT_EQ(Delete(1, mine), Applied(0));
  EXPECT_EQ(Read(), (VersionedValue{"b", Version(3)}));
}

TEST_F(EngineTest, RetryFindsItsAnswerInATombstone) {
  const Retry mine = By(1, 10);
  Swap(0, "a", mine);
  Delete(1);
  EXPECT_EQ(Swap(0, "a", mine), Applied(1));
  EXPECT_EQ(Read(), std::nullopt);
}

TEST_F(EngineTest, UnidentifiedWritesMakeNothingForgotten) {
  const Retry mine = By(1, 10);
  Swap(0, "a", mine);
  for (uint64_t version = 1; version < 20; ++version) Swap(version, "theirs");
  EXPECT_EQ(Swap(0, "a", mine), Applied(1));
}

TEST_F(EngineTest, FourIdentifiedWritesAreRememberedAndTheFifthForgetsTheFirst) {
  const uint64_t seen = index_.value();
  for (uint64_t client = 1; client <= 4; ++client) {
    Swap(client - 1, "x", By(client, index_.value()));
  }
  EXPECT_EQ(Swap(0, "x", By(1, seen)), Applied(1));
  Swap(4, "x", By(5, index_.value()));
  EXPECT_EQ(Swap(0, "x", By(1, seen)), Forgotten(5));
  EXPECT_EQ(Swap(1, "x", By(2, seen + 1)), Applied(2));
}

TEST_F(EngineTest, LateRetryOfAForgottenCreateIsForgottenEvenWhenTheKeyIsGone) {
  const Retry mine = By(1, 10);
  EXPECT_EQ(Swap(0, "mine", mine), Applied(1));
  MakeForget();
  Delete(Read()->version.value());
  EXPECT_EQ(Swap(0, "mine", mine), Forgotten(0));
  EXPECT_EQ(Read(), std::nullopt);
}

TEST_F(EngineTest, LateRetryOfAForgottenDeleteIsForgotten) {
  Swap(0, "a");
  const Retry mine = By(1, index_.value());
  EXPECT_EQ(Delete(1, mine), Applied(0));
  MakeForget();
  EXPECT_EQ(Delete(1, mine).result, WriteResult::kForgotten);
  EXPECT_NE(Read(), std::nullopt);
}

TEST_F(EngineTest, RequestBegunAfterTheLastForgettingGetsAMismatch) {
  MakeForget();
  EXPECT_EQ(Swap(0, "mine", By(1, index_.value())), Mismatch(5, "theirs"));
}

TEST_F(EngineTest, RequestAtItsExpectedVersionWasNeverAppliedWhateverWasForgotten) {
  MakeForget();
  EXPECT_EQ(Swap(5, "mine", By(1, 0)), Overtaken(5));
  EXPECT_EQ(Swap(5, "mine", By(1, index_.value())), Applied(6));
}

TEST_F(EngineTest, SeenIndexMustReachTheLastChangeItself) {
  Swap(0, "a");
  Swap(1, "b");
  EXPECT_EQ(Swap(2, "mine", By(1, index_.value() - 1)), Overtaken(2));
  EXPECT_EQ(Swap(2, "mine", By(2, index_.value() - 1)), Applied(3));  // That changed nothing.
}

TEST_F(EngineTest, SeenIndexMustReachTheLastForgettingItself) {
  MakeForget();
  EXPECT_EQ(Swap(0, "mine", By(1, index_.value() - 1)), Forgotten(5));
  EXPECT_EQ(Swap(0, "mine", By(2, index_.value() - 1)), Mismatch(5, "theirs"));
}

TEST_F(EngineTest, UnidentifiedRequestIsNeverForgottenNorOvertaken) {
  MakeForget();
  EXPECT_EQ(Swap(0, "mine"), Mismatch(5, "theirs"));
  EXPECT_EQ(Swap(5, "mine"), Applied(6));
}

// One attempt of a create is told kMismatch. The key is then deleted, and an older attempt of the
// same create arrives: to apply it now would make the first answer a lie.
TEST_F(EngineTest, DelayedAttemptDoesNotBreakTheAnswerOfAnotherOne) {
  Swap(0, "theirs");
  const Retry mine = By(1, index_.value());
  EXPECT_EQ(Swap(0, "mine", mine), Mismatch(1, "theirs"));
  Delete(1);
  EXPECT_EQ(Swap(0, "mine", mine), Overtaken(0));
  EXPECT_EQ(Read(), std::nullopt);
  EXPECT_EQ(Swap(0, "mine", {{1, 0, 2}, index_}), Applied(3));
}

TEST_F(EngineTest, FirstIdentifiedWriteOfAKeyNeedsNoSeenIndex) {
  EXPECT_EQ(Swap(0, "mine", By(1, 0)), Applied(1));
}

TEST_F(EngineTest, IdsDifferInEveryField) {
  EXPECT_EQ(Swap(0, "x", {{1, 0, 0}, index_}), Applied(1));
  EXPECT_EQ(Swap(1, "x", {{0, 1, 0}, index_}), Applied(2));
  EXPECT_EQ(Swap(2, "x", {{0, 0, 1}, index_}), Applied(3));
}

TEST_F(EngineTest, NamespacesDoNotSeeEachOther) {
  Put(kNs, "k", "one");
  Put(kOtherNs, "k", "two");
  EXPECT_EQ(Read("k", kNs), (VersionedValue{"one", Version(1)}));
  EXPECT_EQ(Read("k", kOtherNs), (VersionedValue{"two", Version(1)}));
}

TEST_F(EngineTest, CommandBelowAnAppliedIndexIsImpossible) {
  Swap(0, "a");
  WriteBatch batch;
  const Command command = CompareAndSwap{kNs, "k", "b", Version(1), {}};
  EXPECT_THROW(Apply(command, index_, NamespaceState(), data_, &batch).IgnoreError(),
               InvariantViolation);
}

TEST_F(EngineTest, DamagedRecordIsAnErrorEverywhereAndShowsNoKey) {
  data_.rows[EncodeKey(kNs, "secret")] = "\x7f";
  WriteBatch batch;
  const absl::Status applied = Apply(CompareAndSwap{kNs, "secret", "b", Version(1), {}}, Index(1),
                                     NamespaceState(), data_, &batch)
                                   .status();
  EXPECT_EQ(applied.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(applied.message()), testing::Not(HasSubstr("secret")));
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(Get(kNs, "secret", data_).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Scan(kNs, "", "", {10, 10, 10, false}, data_).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(EngineTest, UnreadableDataIsAnErrorEverywhere) {
  data_.failure = absl::UnavailableError("no disk");
  WriteBatch batch;
  EXPECT_EQ(Apply(CompareAndSwap{kNs, "k", "b", {}, {}}, Index(1), NamespaceState(), data_, &batch)
                .status(),
            data_.failure);
  EXPECT_EQ(Get(kNs, "k", data_).status(), data_.failure);
  EXPECT_EQ(Scan(kNs, "", "", {10, 10, 10, false}, data_).status(), data_.failure);
}

class ScanTest : public EngineTest {
 protected:
  ScanPage Page(std::string_view begin, std::string_view end, ScanLimits limits) {
    absl::StatusOr<ScanPage> page = Scan(kNs, begin, end, limits, data_);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.value_or(ScanPage{});
  }
  static std::vector<std::string> Keys(const ScanPage& page) {
    std::vector<std::string> keys;
    for (const ScanRow& row : page.rows) keys.push_back(row.key);
    return keys;
  }
  void Bury(std::string key) {
    Put(kNs, key, "x");
    Do(CompareAndDelete{kNs, key, Version(1), {}});
  }

  const ScanLimits unlimited_{1000, 1000000, 1000, false};
};

TEST_F(ScanTest, ReturnsLiveKeysOfTheRangeInOrder) {
  for (const char* key : {"d", "a", "c", "b"}) Put(kNs, key, std::string("of ") + key);
  Bury("bb");
  const ScanPage page = Page("b", "d", unlimited_);
  EXPECT_THAT(page.rows,
              ElementsAre(ScanRow{"b", "of b", Version(1)}, ScanRow{"c", "of c", Version(1)}));
  EXPECT_EQ(page.next_key, "");
}

TEST_F(ScanTest, WithoutEndStopsAtTheEndOfTheNamespace) {
  Put(kNs, "a", "x");
  Put(kNs, "\xff\xff", "x");
  Put(kOtherNs, "", "x");
  EXPECT_THAT(Keys(Page("", "", unlimited_)), ElementsAre("a", "\xff\xff"));
}

TEST_F(ScanTest, OfAPrefixThatEndsInFfFindsExactlyItsKeys) {
  for (const char* key : {"a\xff", "a\xff\x01", "a\xff\xff\xff", "a\xfe", "b"}) Put(kNs, key, "x");
  EXPECT_THAT(Keys(Page("a\xff", PrefixSuccessor("a\xff"), unlimited_)),
              ElementsAre("a\xff", "a\xff\x01", "a\xff\xff\xff"));
}

TEST_F(ScanTest, OfAnEmptyRangeIsEmpty) {
  Put(kNs, "a", "x");
  EXPECT_THAT(Page("b", "b", unlimited_).rows, IsEmpty());
  EXPECT_THAT(Page("c", "a", unlimited_).rows, IsEmpty());
}

TEST_F(ScanTest, StopsAtRowsMaxAndTellsWhereToGoOn) {
  for (const char* key : {"a", "b", "c"}) Put(kNs, key, "x");
  ScanLimits limits = unlimited_;
  limits.rows_max = 2;
  const ScanPage page = Page("", "", limits);
  EXPECT_THAT(Keys(page), ElementsAre("a", "b"));
  EXPECT_EQ(page.next_key, "c");
  limits.rows_max = 3;
  EXPECT_EQ(Page("", "", limits).next_key, "");
}

TEST_F(ScanTest, StopsBeforeBytesMaxButReturnsOneRow) {
  for (const char* key : {"a", "b", "c"}) Put(kNs, key, "four");
  ScanLimits limits = unlimited_;
  limits.bytes_max = 10;  // Two rows of a 1-byte key and a 4-byte value.
  EXPECT_THAT(Keys(Page("", "", limits)), ElementsAre("a", "b"));
  EXPECT_EQ(Page("", "", limits).next_key, "c");
  limits.bytes_max = 9;
  EXPECT_THAT(Keys(Page("", "", limits)), ElementsAre("a"));
  limits.bytes_max = 0;
  EXPECT_THAT(Keys(Page("", "", limits)), ElementsAre("a"));
  EXPECT_EQ(Page("", "", limits).next_key, "b");
}

TEST_F(ScanTest, StopsAfterVisitsMaxEvenWithAnEmptyPage) {
  for (const char* key : {"a", "b", "c"}) Bury(key);
  Put(kNs, "d", "x");
  ScanLimits limits = unlimited_;
  limits.visits_max = 2;
  const ScanPage first = Page("", "", limits);
  EXPECT_THAT(first.rows, IsEmpty());
  EXPECT_EQ(first.next_key, "c");
  const ScanPage second = Page(first.next_key, "", limits);
  EXPECT_THAT(Keys(second), ElementsAre("d"));
  EXPECT_EQ(second.next_key, "");
}

TEST_F(ScanTest, KeysOnlyLeavesValuesOutOfRowsAndBytes) {
  for (const char* key : {"a", "b"}) Put(kNs, key, std::string(100, 'x'));
  ScanLimits limits = unlimited_;
  limits.bytes_max = 2;
  limits.keys_only = true;
  EXPECT_THAT(Page("", "", limits).rows,
              ElementsAre(ScanRow{"a", "", Version(1)}, ScanRow{"b", "", Version(1)}));
}

TEST_F(ScanTest, PagesTogetherAreTheWholeRangeWhateverTheLimits) {
  Rng rng(1);
  std::vector<std::string> live;
  for (int i = 0; i < 100; ++i) {
    const std::string key = "k" + std::to_string(100 + i);
    if (rng.Chance(500000)) {
      Bury(key);
    } else {
      Put(kNs, key, std::string(rng.Below(50), 'x'));
      live.push_back(key);
    }
  }
  for (int round = 0; round < 200; ++round) {
    const ScanLimits limits{rng.Between(1, 10), rng.Below(200), rng.Between(1, 10), false};
    std::vector<std::string> keys;
    std::string begin;
    do {
      const ScanPage page = Page(begin, "", limits);
      EXPECT_LE(page.rows.size(), limits.rows_max);
      for (const ScanRow& row : page.rows) keys.push_back(row.key);
      ASSERT_TRUE(page.next_key.empty() || page.next_key > begin);
      begin = page.next_key;
    } while (!begin.empty());
    EXPECT_EQ(keys, live);
  }
}

TEST_F(ScanTest, WithoutRoomForProgressIsImpossible) {
  EXPECT_THROW(Page("", "", {0, 10, 10, false}), InvariantViolation);
  EXPECT_THROW(Page("", "", {10, 10, 0, false}), InvariantViolation);
}

}  // namespace
}  // namespace flaredb::kv
