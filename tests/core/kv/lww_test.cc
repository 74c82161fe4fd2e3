// SPDX-License-Identifier: Apache-2.0
#include "core/kv/lww.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/kv/engine.h"
#include "core/kv/key.h"
#include "core/kv/lww_view.h"
#include "core/kv/namespace_command.h"
#include "tests/core/base/exact_decoding.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::kv {
namespace {

using ::testing::ElementsAre;

constexpr NamespaceId kNs{5};

LwwRow Row(std::string key, std::string value, uint64_t hlc, uint64_t origin = 1) {
  return {std::move(key), std::move(value), false, Hlc(hlc), StoreId(origin)};
}
LwwRow Deletion(std::string key, uint64_t hlc, uint64_t origin = 1) {
  return {std::move(key), "", true, Hlc(hlc), StoreId(origin)};
}

TEST(HlcClock, GoesOnWhenTheWallClockDoesNot) {
  HlcClock clock;
  const Hlc first = clock.Next(1000);
  EXPECT_EQ(first, HlcAt(1000));
  EXPECT_EQ(clock.Next(1000), first.next());
  EXPECT_EQ(clock.Next(10), first + 2) << "the wall clock was set back";
  EXPECT_EQ(clock.Next(1001), HlcAt(1001));
}

TEST(HlcClock, StartsAboveItsEarlierLife) {
  HlcClock clock(HlcAt(2000));
  EXPECT_GT(clock.Next(5), HlcAt(2000));
}

TEST(HlcClock, FollowsOthersButNotOneThatIsFarAhead) {
  HlcClock clock;
  EXPECT_TRUE(clock.Observe(HlcAt(1500), 1000, 500));
  EXPECT_GT(clock.Next(1000), HlcAt(1500));
  EXPECT_FALSE(clock.Observe(HlcAt(1501), 1000, 500));
  EXPECT_LT(clock.Next(1000), HlcAt(1501));
}

TEST(HlcClock, OverflowOfTheCounterTakesTheNextMillisecond) {
  HlcClock clock;
  clock.Next(7);
  for (int i = 0; i < 1 << kHlcCounterBits; ++i) clock.Next(7);
  EXPECT_EQ(UnixMsOf(clock.last()), 8u);
}

// One replica's data of one namespace.
class Replica {
 public:
  NamespaceReply Do(const NamespaceCommand& command) {
    WriteBatch batch;
    ++index_;
    absl::StatusOr<NamespaceReply> reply = Apply(command, index_, data, &state, &batch);
    EXPECT_TRUE(reply.ok()) << reply.status();
    data.Write(batch);
    return reply.value_or(NamespaceReply());
  }
  NamespaceReply Add(std::vector<LwwRow> rows, ModeEpoch epoch = ModeEpoch(9)) {
    return Do(LwwBatch{kNs, epoch, std::move(rows)});
  }
  WriteReply Swap(std::string key, std::string value, uint64_t expected, Retry retry = {}) {
    WriteBatch batch;
    ++index_;
    const CompareAndSwap swap{kNs, std::move(key), std::move(value), Version(expected), retry};
    absl::StatusOr<WriteReply> reply = Apply(swap, index_, state, data, &batch);
    EXPECT_TRUE(reply.ok()) << reply.status();
    data.Write(batch);
    return reply.value_or(WriteReply());
  }
  // Values of live keys, deletions as "-", in order; each with its time.
  std::vector<std::pair<std::string, uint64_t>> Rows() const {
    std::vector<std::pair<std::string, uint64_t>> rows;
    for (const auto& [key, bytes] : data.rows) {
      const Record record = *DecodeRecord(bytes);
      rows.emplace_back(record.tombstone ? "-" : record.value, record.hlc.value());
    }
    return rows;
  }
  std::string ValueOf(std::string_view key) const {
    return (*Get(kNs, key, data)).value_or(VersionedValue{"none", {}, {}}).value;
  }
  Index index() const { return index_; }

  MapReader data;
  NamespaceState state;

 private:
  Index index_{100};
};

TEST(Lww, TheLaterTimeWinsWhateverTheOrder) {
  Replica a, b;
  a.Add({Row("k", "old", 5), Row("k", "new", 6)});
  b.Add({Row("k", "new", 6)});
  b.Add({Row("k", "old", 5)});
  EXPECT_EQ(a.ValueOf("k"), "new");
  EXPECT_EQ(a.Rows(), b.Rows());
}

TEST(Lww, ADeletionWinsAtTheSameTimeThenTheOriginThenTheValue) {
  Replica replica;
  replica.Add({Row("a", "x", 5, 9), Deletion("a", 5, 1)});
  replica.Add({Row("b", "y", 5, 1), Row("b", "x", 5, 2)});
  replica.Add({Row("c", "x", 5, 1), Row("c", "y", 5, 1)});
  EXPECT_EQ(replica.ValueOf("a"), "none");
  EXPECT_EQ(replica.ValueOf("b"), "x");
  EXPECT_EQ(replica.ValueOf("c"), "y");
}

// Commutative, associative, idempotent: any order, any grouping, any number of times.
TEST(Lww, ReplicasThatGotTheSameRowsAreEqual) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Rng rng(seed);
    std::vector<LwwRow> rows;
    for (int i = 0; i < 12; ++i) {
      const std::string key(1, static_cast<char>('a' + rng.Below(3)));
      const uint64_t hlc = 1 + rng.Below(4), origin = 1 + rng.Below(3);
      rows.push_back(rng.Below(3) == 0 ? Deletion(key, hlc, origin)
                                       : Row(key, std::string(1, 'p' + rng.Below(2)), hlc, origin));
    }
    Replica a, b;
    a.Add(rows);
    for (int round = 0; round < 2; ++round) {
      for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[rng.Below(i)]);
      for (size_t i = 0; i < rows.size();) {
        const size_t size = std::min<size_t>(1 + rng.Below(4), rows.size() - i);
        b.Add({rows.begin() + i, rows.begin() + i + size});
        i += size;
      }
    }
    ASSERT_EQ(a.Rows(), b.Rows()) << "seed " << seed;
  }
}

TEST(Lww, VersionsGoOnCountingThroughBothModes) {
  Replica replica;
  EXPECT_EQ(replica.Swap("k", "a", 0).version, Version(1));
  replica.Do(ModeFence{kNs, {Mode::kEventual, ModeEpoch(3), Hlc(50)}});
  replica.Add({Row("k", "b", 60)});
  replica.Do(ModeFence{kNs, {Mode::kStrong, ModeEpoch(6), Hlc()}});
  EXPECT_EQ(replica.Swap("k", "c", 1).result, WriteResult::kMismatch);
  EXPECT_EQ(replica.Swap("k", "c", 2).version, Version(3));
}

TEST(Lww, AStrongRecordCountsAsWrittenAtTheFence) {
  Replica replica;
  replica.Swap("k", "strong", 0);
  replica.Do(ModeFence{kNs, {Mode::kEventual, ModeEpoch(3), Hlc(50)}});
  replica.Add({Row("k", "early", 49)});
  EXPECT_EQ(replica.ValueOf("k"), "strong");
  replica.Add({Row("k", "late", 51)});
  EXPECT_EQ(replica.ValueOf("k"), "late");
}

TEST(Lww, RowsOfAnotherEpochThanTheFencesAreRefused) {
  Replica replica;
  replica.Do(ModeFence{kNs, {Mode::kEventual, ModeEpoch(3), Hlc(50)}});
  EXPECT_FALSE(replica.Add({Row("k", "v", 60)}, ModeEpoch(2)).admitted);
  EXPECT_TRUE(replica.Add({Row("k", "v", 60)}, ModeEpoch(4)).admitted);
  replica.Do(ModeFence{kNs, {Mode::kStrong, ModeEpoch(6), Hlc()}});
  const NamespaceReply refused = replica.Add({Row("k", "w", 70)}, ModeEpoch(7));
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.state.fence->mode, Mode::kStrong);
  EXPECT_EQ(replica.ValueOf("k"), "v");
}

TEST(Lww, AnOlderFenceChangesNothing) {
  Replica replica;
  replica.Do(ModeFence{kNs, {Mode::kStrong, ModeEpoch(6), Hlc()}});
  replica.Do(ModeFence{kNs, {Mode::kEventual, ModeEpoch(3), Hlc(50)}});
  replica.Do(ModeFence{kNs, {Mode::kEventual, ModeEpoch(6), Hlc(50)}});
  EXPECT_EQ(replica.state.fence->mode, Mode::kStrong);
}

TEST(Lww, WhatWasCollectedNeitherComesBackNorIsIssuedAgain) {
  Replica replica;
  replica.Add({Row("a", "1", 10), Deletion("b", 20), Row("b", "1", 11), Deletion("c", 30)});
  replica.Add({Row("b", "2", 12)});
  replica.Do(CollectTombstones{kNs, "", "", Hlc(25)});
  EXPECT_EQ(replica.data.rows.size(), 2u) << "only the deletion of b is before 25";
  EXPECT_EQ(replica.state.floors.version, Version(1));
  // A copy of the row that was deleted arrives late.
  replica.Add({Row("b", "1", 11)});
  EXPECT_EQ(replica.ValueOf("b"), "none");
  // The key comes back in its own right.
  replica.Add({Row("b", "new", 40)});
  EXPECT_EQ((*Get(kNs, "b", replica.data))->version, Version(2));
}

TEST(Lww, AStrongWriteKnowsThatTheRecordBeforeItWasCollected) {
  Replica replica;
  replica.Add({Deletion("k", 20)});
  const Index seen = replica.index();
  replica.Do(CollectTombstones{kNs, "", "", Hlc(25)});
  replica.Do(ModeFence{kNs, {Mode::kStrong, ModeEpoch(6), Hlc()}});
  const Retry late{{1, 2, 3}, seen};
  EXPECT_EQ(replica.Swap("k", "v", 0, late).result, WriteResult::kForgotten);
  const Retry fresh{{1, 2, 4}, replica.index()};
  EXPECT_EQ(replica.Swap("k", "v", 0, fresh).version, Version(2));
  EXPECT_EQ(replica.Swap("k", "v", 0, fresh).version, Version(2)) << "the same request again";
}

TEST(Lww, CollectionKeepsToItsRange) {
  Replica replica;
  replica.Add({Deletion("a", 1), Deletion("b", 1), Deletion("c", 1)});
  replica.Do(CollectTombstones{kNs, "b", "c", Hlc(5)});
  EXPECT_EQ(replica.data.rows.size(), 2u);
  EXPECT_FALSE(replica.data.rows.contains(EncodeKey(kNs, "b")));
}

TEST(Lww, CollectionLooksAtSoManyRecordsAndSaysWhereToGoOn) {
  Replica replica;
  replica.Add({Deletion("a", 1), Row("b", "1", 1), Deletion("c", 1), Deletion("d", 1)});
  EXPECT_EQ(replica.Do(CollectTombstones{kNs, "", "", Hlc(5), 2}).next, "c");
  EXPECT_EQ(replica.data.rows.size(), 3u);
  EXPECT_EQ(replica.state.floors.collected_hlc, Hlc(5)) << "no row of before is under way anywhere";
  EXPECT_EQ(replica.Do(CollectTombstones{kNs, "c", "", Hlc(5), 2}).next, "");
  EXPECT_EQ(replica.data.rows.size(), 1u);
}

// It would write the states of all namespaces of the region, each time.
TEST(Lww, ACollectionThatFindsNothingChangesNothing) {
  Replica replica;
  replica.Add({Row("a", "1", 10), Deletion("b", 20)});
  const NamespaceState before = replica.state;
  replica.Do(CollectTombstones{kNs, "", "", Hlc(20)});
  EXPECT_EQ(replica.state, before);
  // What comes again meets what there is.
  replica.Add({Row("a", "0", 9), Row("a", "1", 10), Row("b", "1", 19)});
  EXPECT_EQ(replica.ValueOf("a"), "1");
  EXPECT_EQ(replica.ValueOf("b"), "none");
  EXPECT_EQ((*Get(kNs, "a", replica.data))->version, Version(1));
  replica.Do(CollectTombstones{kNs, "", "", Hlc(21)});
  EXPECT_EQ(replica.state.floors.collected_hlc, Hlc(21));
}

TEST(Lww, DamagedDataChangesNothing) {
  Replica replica;
  replica.Add({Row("a", "1", 1), Deletion("b", 1)});
  replica.data.rows[EncodeKey(kNs, "c")] = "damaged";
  const NamespaceState before = replica.state;
  WriteBatch batch;
  EXPECT_FALSE(Apply(CollectTombstones{kNs, "", "", Hlc(5)}, Index(500), replica.data,
                     &replica.state, &batch)
                   .ok());
  EXPECT_FALSE(Apply(LwwBatch{kNs, ModeEpoch(9), {Row("a", "2", 9), Row("c", "2", 9)}}, Index(500),
                     replica.data, &replica.state, &batch)
                   .ok());
  EXPECT_EQ(replica.state, before);
  EXPECT_TRUE(batch.empty());
}

// --- Reads of a store that holds rows which are not applied yet.

class LwwViewTest : public ::testing::Test {
 protected:
  void Hold(LwwRow row) {
    const std::string key = EncodeKey(kNs, row.key);
    held_[key] = std::move(row);
  }
  std::vector<std::string> Page(size_t rows_max = 100) {
    const LwwView view(kNs, replica_.state, held_, replica_.data);
    const absl::StatusOr<ScanPage> page = Scan(kNs, "", "", {rows_max, 1000, 1000, false}, view);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> rows;
    for (const ScanRow& row : page->rows) rows.push_back(row.key + "=" + row.value);
    if (!page->next_key.empty()) rows.push_back("next " + page->next_key);
    return rows;
  }

  Replica replica_;
  LwwRows held_;
};

TEST_F(LwwViewTest, ShowsEachKeyMerged) {
  replica_.Add({Row("b", "applied", 10), Row("d", "applied", 10), Row("f", "applied", 10)});
  Hold(Row("a", "held", 5));
  Hold(Row("b", "held", 11));
  Hold(Row("d", "older", 9));
  Hold(Deletion("f", 11));
  Hold(Row("g", "held", 5));
  EXPECT_THAT(Page(), ElementsAre("a=held", "b=held", "d=applied", "g=held"));
  EXPECT_THAT(Page(2), ElementsAre("a=held", "b=held", "next d"));
  const LwwView view(kNs, replica_.state, held_, replica_.data);
  EXPECT_EQ((*Get(kNs, "b", view))->value, "held");
  EXPECT_EQ(*Get(kNs, "f", view), std::nullopt);
  EXPECT_EQ((*Get(kNs, "b", view))->hlc, Hlc(11));
}

TEST_F(LwwViewTest, ARowThatWasCollectedMeanwhileIsGone) {
  replica_.Add({Row("k", "v", 10), Deletion("k", 11)});
  replica_.Do(CollectTombstones{kNs, "", "", Hlc(20)});
  Hold(Row("k", "v", 10));
  EXPECT_THAT(Page(), ElementsAre());
}

// --- Bytes.

std::vector<NamespaceCommand> Samples() {
  return {
      LwwBatch{kNs, ModeEpoch(4), {Row("k", "", 1)}},
      LwwBatch{kNs, ModeEpoch(4), {Row("k", "v", 300, 3), Deletion("", UINT64_MAX, 128)}},
      ModeFence{NamespaceId::kDefault, {Mode::kEventual, ModeEpoch(200), Hlc(5)}},
      ModeFence{kNs, {Mode::kStrong, ModeEpoch(1), Hlc()}},
      CollectTombstones{kNs, "a", "", Hlc(9), 300},
  };
}

TEST(NamespaceCommand, DamagedBytesAreRefusedOrMeanSomethingElse) {
  std::vector<std::string> samples;
  for (const NamespaceCommand& command : Samples()) {
    samples.push_back(EncodeNamespaceCommand(command));
    const absl::StatusOr<NamespaceCommand> decoded = DecodeNamespaceCommand(samples.back());
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(*decoded == command);
  }
  ExpectExactDecoding(samples, 11, DecodeNamespaceCommand, EncodeNamespaceCommand);
}

TEST(NamespaceStates, DamagedBytesAreRefusedOrMeanSomethingElse) {
  NamespaceState fenced;
  fenced.fence = Fence{Mode::kEventual, ModeEpoch(300), Hlc(1 << 20)};
  NamespaceState collected;
  collected.floors = {Version(7), Index(300), Hlc(9)};
  std::vector<std::string> samples;
  for (const NamespaceStates& states :
       {NamespaceStates(), {{kNs, fenced}}, {{NamespaceId::kDefault, collected}, {kNs, fenced}}}) {
    samples.push_back(EncodeNamespaceStates(states));
    EXPECT_EQ(*DecodeNamespaceStates(samples.back()), states);
  }
  ExpectExactDecoding(samples, 11, DecodeNamespaceStates, EncodeNamespaceStates);
}

}  // namespace
}  // namespace flaredb::kv
