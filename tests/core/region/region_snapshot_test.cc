// SPDX-License-Identifier: Apache-2.0
#include "core/region/region_snapshot.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/functional/function_ref.h"
#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/rng.h"
#include "core/kv/key.h"
#include "core/region/state_rows.h"
#include "tests/core/base/exact_decoding.h"
#include "tests/core/base/map_reader.h"

namespace flaredb {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

using Rows = std::map<std::string, std::string, std::less<>>;

constexpr RegionId kId{7};
constexpr raft::LogId kApplied{Term(2), Index(300)};
constexpr size_t kAll = 1 << 20;
// The marks at the end of a piece.
constexpr uint8_t kMore = 2;
constexpr uint8_t kEnd = 3;

std::string Key(std::string_view user_key) {
  return kv::EncodeKey(kv::NamespaceId::kDefault, user_key);
}

// Of the keys [start, end) of the default namespace; an empty bound is none.
Region RegionOf(std::string_view start, std::string_view end) {
  return {kId,
          start.empty() ? "" : Key(start),
          end.empty() ? "" : Key(end),
          {3, 5},
          {{PeerId(1), StoreId(1)}, {PeerId(2), StoreId(2)}}};
}

Region Uninitialized() {
  Region region;
  region.id = kId;
  return region;
}

void PutStateRows(const Region& region, raft::LogId applied, Rows* rows) {
  (*rows)[RegionRowKey(region.id)] = EncodeRegion(region);
  (*rows)[AppliedRowKey(region.id)] = EncodeApplied(applied);
}

absl::StatusOr<RegionSnapshotReader> Open(Rows rows) {
  auto view = std::make_unique<MapReader>();
  view->rows = std::move(rows);
  return RegionSnapshotReader::Open(kId, std::move(view));
}

// The pieces of the snapshot of the region in `rows`, which is sound.
std::vector<std::string> PiecesOf(const Rows& rows, size_t bytes_max) {
  absl::StatusOr<RegionSnapshotReader> reader = Open(rows);
  if (!reader.ok()) ADD_FAILURE() << reader.status();
  std::vector<std::string> pieces;
  for (bool last = false; reader.ok() && !last;) {
    absl::StatusOr<SnapshotPiece> piece = reader->Read(pieces.size(), bytes_max);
    if (!piece.ok()) ADD_FAILURE() << piece.status();
    last = !piece.ok() || piece->last;
    if (piece.ok()) pieces.push_back(std::move(piece->bytes));
  }
  return pieces;
}

class RegionSnapshotTest : public ::testing::Test {
 protected:
  RegionSnapshotTest() {
    PutStateRows(RegionOf("b", "m"), kApplied, &rows_);
    for (const char* key : {"b", "c", "d"}) rows_[Key(key)] = "value of "s + key;
  }

  // Stages pieces that must be taken.
  void Stage(const std::vector<std::string>& pieces) {
    for (const std::string& piece : pieces) {
      const absl::Status status = stage_.Add(piece);
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  // Finishes a stage that is whole, on a replica with these rows; gives the rows after it.
  Rows Install(const Rows& before, Region region) {
    MapReader data;
    data.rows = before;
    WriteBatch batch;
    const absl::Status status = stage_.Finish(data, kApplied, &region, &namespaces_, &batch);
    EXPECT_TRUE(status.ok()) << status;
    data.Write(batch);
    EXPECT_EQ(*DecodeRegion(data.rows[RegionRowKey(kId)]), region);
    return data.rows;
  }
  // Finishes a stage that must be refused and leave everything as it was; tells why.
  absl::Status RefusalOf(raft::LogId applied, Region region, const DataReader& data = MapReader()) {
    const Region before = region;
    WriteBatch batch;
    const absl::Status status = stage_.Finish(data, applied, &region, &namespaces_, &batch);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(region, before);
    EXPECT_TRUE(batch.empty());
    return status;
  }
  // A piece with rows of these keys, as a faulty sender might make it.
  static std::string PieceOf(uint64_t number, const std::vector<std::string>& keys, uint8_t end) {
    ByteWriter out;
    out.U8(1);
    out.Varint(number);
    if (number == 0) {
      out.Bytes(EncodeRegion(RegionOf("b", "m")));
      out.Bytes(EncodeApplied(kApplied));
      out.Bytes(kv::EncodeNamespaceStates({}));
    }
    for (const std::string& key : keys) {
      out.U8(1);
      out.Bytes(key);
      out.Bytes("v");
    }
    out.U8(end);
    return out.Take();
  }

  Rows rows_;  // The sender's.
  RegionSnapshotStage stage_;
  kv::NamespaceStates namespaces_;  // The receiver's.
};

TEST_F(RegionSnapshotTest, SaysWhatItIsOf) {
  const absl::StatusOr<RegionSnapshotReader> reader = Open(rows_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(reader->region(), RegionOf("b", "m"));
  EXPECT_EQ(reader->applied(), kApplied);
}

TEST_F(RegionSnapshotTest, HasTheBytesOfTheFormatPage) {
  Rows rows;
  PutStateRows({kId, "", "", {1, 1}, {{PeerId(1), StoreId(1)}}}, kApplied, &rows);
  rows[Key("a")] = "one";
  rows[Key("b")] = "two";
  EXPECT_THAT(PiecesOf(rows, 0), ElementsAre("\x01\x00"
                                             "\x09\x01\x07\x00\x00\x01\x01\x01\x01\x01"
                                             "\x04\x01\x02\xac\x02"
                                             "\x02\x01\x00"
                                             "\x01\x06z\x00\x00\x00\x01"
                                             "a\x03one\x02"s,
                                             "\x01\x01"
                                             "\x01\x06z\x00\x00\x00\x01"
                                             "b\x03two\x03"s));
}

TEST_F(RegionSnapshotTest, PieceHoldsAsManyRowsAsFit) {
  const size_t row_bytes = Key("b").size() + rows_[Key("b")].size();
  EXPECT_EQ(PiecesOf(rows_, 1).size(), 3u);
  EXPECT_EQ(PiecesOf(rows_, 2 * row_bytes - 1).size(), 3u);
  EXPECT_EQ(PiecesOf(rows_, 2 * row_bytes).size(), 2u);
  EXPECT_EQ(PiecesOf(rows_, 3 * row_bytes).size(), 1u);
}

TEST_F(RegionSnapshotTest, NumberZeroBeginsAnewWithTheSameBytes) {
  absl::StatusOr<RegionSnapshotReader> reader = Open(rows_);
  ASSERT_TRUE(reader.ok());
  const std::vector<std::string> pieces = PiecesOf(rows_, 1);
  for (const size_t read_before : {1, 2, 3}) {
    for (size_t i = 0; i < read_before; ++i) {
      const absl::StatusOr<SnapshotPiece> piece = reader->Read(i, 1);
      ASSERT_TRUE(piece.ok());
      EXPECT_EQ(piece->bytes, pieces[i]);
      EXPECT_EQ(piece->last, i == 2);
    }
  }
}

TEST_F(RegionSnapshotTest, PieceOutOfOrderCannotBeAskedFor) {
  absl::StatusOr<RegionSnapshotReader> reader = Open(rows_);
  ASSERT_TRUE(reader.ok());
  EXPECT_THROW(reader->Read(1, 1).IgnoreError(), InvariantViolation);
  ASSERT_TRUE(reader->Read(0, 1).ok());
  EXPECT_THROW(reader->Read(2, 1).IgnoreError(), InvariantViolation);
  ASSERT_TRUE(reader->Read(1, kAll)->last);
  EXPECT_THROW(reader->Read(1, 1).IgnoreError(), InvariantViolation);
  EXPECT_THROW(reader->Read(2, 1).IgnoreError(), InvariantViolation);
}

TEST_F(RegionSnapshotTest, PieceThatCouldNotBeReadIsAskedForAgain) {
  auto owned = std::make_unique<MapReader>();
  MapReader* view = owned.get();
  view->rows = rows_;
  absl::StatusOr<RegionSnapshotReader> reader = RegionSnapshotReader::Open(kId, std::move(owned));
  ASSERT_TRUE(reader.ok());
  const std::vector<std::string> pieces = PiecesOf(rows_, 1);
  for (size_t i = 0; i < pieces.size(); ++i) {
    view->failure = absl::UnavailableError("no disk");
    EXPECT_EQ(reader->Read(i, 1).status(), view->failure);
    view->failure = absl::OkStatus();
    EXPECT_EQ(reader->Read(i, 1)->bytes, pieces[i]);
  }
}

TEST_F(RegionSnapshotTest, RegionWithoutSoundRowsHasNone) {
  struct Defect {
    std::string key;
    std::optional<std::string> value;
    std::string text;
  };
  const std::vector<Defect> defects = {
      {RegionRowKey(kId), std::nullopt, "region 7: no snapshot without the region row"},
      {RegionRowKey(kId), "\x02", "region 7: the region row: "},
      {RegionRowKey(kId), EncodeRegion({RegionId(8), "", "", {1, 1}, {{PeerId(1), StoreId(1)}}}),
       "region 7: the region row describes region 8"},
      {AppliedRowKey(kId), std::nullopt, "region 7: no snapshot without the applied row"},
      {AppliedRowKey(kId), "\x02", "region 7: the applied row: "},
  };
  for (const auto& [key, value, text] : defects) {
    MapReader damaged;
    damaged.rows = rows_;
    damaged.Write({{{key, value}}});
    const absl::Status status = Open(damaged.rows).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), StartsWith(text));
  }
}

TEST_F(RegionSnapshotTest, BringsTheRegionToANewReplica) {
  for (const size_t bytes_max : {size_t{0}, size_t{40}, kAll}) {
    Stage(PiecesOf(rows_, bytes_max));
    EXPECT_EQ(Install({}, Uninitialized()), rows_) << bytes_max;
  }
}

TEST_F(RegionSnapshotTest, OfAnEmptyRegionIsOnePiece) {
  rows_.clear();
  PutStateRows(RegionOf("b", "m"), kApplied, &rows_);
  const std::vector<std::string> pieces = PiecesOf(rows_, kAll);
  EXPECT_EQ(pieces.size(), 1u);
  Stage(pieces);
  EXPECT_EQ(Install({{Key("c"), "old"}}, Uninitialized()), rows_);
}

TEST_F(RegionSnapshotTest, LeavesRowsOutsideTheRegionWhereTheyAre) {
  const Rows neighbours = {
      {"\x01i", "identity"},  {ReplicaRowKey(kId), "t"}, {RegionRowKey(RegionId(8)), "region 8"},
      {Key("a\xff"), "left"}, {Key("m"), "right"},       {"\xff", "beyond the user keys"}};
  Rows sender = rows_;
  for (const auto& [key, value] : neighbours) sender[key] = "the sender's";
  Stage(PiecesOf(sender, kAll));

  Rows before = neighbours;
  PutStateRows(RegionOf("b", "m"), {Term(1), Index(1)}, &before);
  before[Key("bb")] = "stale";
  Rows expected = rows_;
  expected.insert(neighbours.begin(), neighbours.end());
  EXPECT_EQ(Install(before, RegionOf("b", "m")), expected);
}

TEST_F(RegionSnapshotTest, OfTheWholeKeySpaceHoldsAndDeletesNoSystemRows) {
  Rows sender;
  PutStateRows(RegionOf("", ""), kApplied, &sender);
  sender[Key("a")] = "1";
  Rows expected = sender;
  sender["\x01i"] = "the sender's identity";
  Stage(PiecesOf(sender, kAll));
  expected["\x01i"] = "the receiver's identity";
  Rows before = {{"\x01i", "the receiver's identity"}, {Key("b"), "stale"}};
  EXPECT_EQ(Install(before, Uninitialized()), expected);
}

TEST_F(RegionSnapshotTest, DeletesWhatTheOldRangeHeldBesideTheNewOne) {
  const std::vector<std::pair<std::string, std::string>> old_ranges = {
      {"a", "z"}, {"", ""}, {"b", "m"}, {"c", "d"}, {"a", "c"}, {"c", "z"}, {"a", "b"}, {"m", "z"}};
  for (const auto& [start, end] : old_ranges) {
    SCOPED_TRACE(start + " to " + end);
    const Region old = RegionOf(start, end);
    Rows before;
    Rows expected = rows_;
    for (const char* key : {"a", "b", "bb", "c", "cc", "d", "l", "m", "n", "z"}) {
      before[Key(key)] = "old";
      if (!old.Contains(Key(key)) && !RegionOf("b", "m").Contains(Key(key))) {
        expected[Key(key)] = "old";
      }
    }
    PutStateRows(old, {Term(1), Index(1)}, &before);
    Stage(PiecesOf(rows_, kAll));
    EXPECT_EQ(Install(before, old), expected);
  }
}

TEST_F(RegionSnapshotTest, BatchNamesEachRowOnce) {
  MapReader data;
  data.rows = rows_;
  data.rows[Key("a")] = "of the old range";
  data.rows[Key("bb")] = "stale";
  data.rows[Key("n")] = "of the old range";
  Stage(PiecesOf(rows_, kAll));
  WriteBatch batch;
  Region region = RegionOf("a", "z");
  ASSERT_TRUE(stage_.Finish(data, kApplied, &region, &namespaces_, &batch).ok());
  std::vector<std::string> puts;
  std::vector<std::string> deletes;
  for (const Mutation& mutation : batch.mutations) {
    (mutation.value ? puts : deletes).push_back(mutation.key);
  }
  EXPECT_THAT(puts,
              ElementsAre(Key("b"), Key("c"), Key("d"), RegionRowKey(kId), AppliedRowKey(kId)));
  EXPECT_THAT(deletes, UnorderedElementsAre(Key("a"), Key("bb"), Key("n")));
}

TEST_F(RegionSnapshotTest, CarriesWhatTheRegionKnowsOfNamespaces) {
  kv::NamespaceStates theirs;
  theirs[kv::NamespaceId{7}].fence = kv::Fence{kv::Mode::kEventual, kv::ModeEpoch(4), kv::Hlc(9)};
  rows_[NamespacesRowKey(kId)] = kv::EncodeNamespaceStates(theirs);
  Stage(PiecesOf(rows_, kAll));
  EXPECT_EQ(Install({}, Uninitialized()), rows_);
  EXPECT_EQ(namespaces_, theirs);
  // The sender of another one knows nothing, and then nor does the receiver.
  rows_.erase(NamespacesRowKey(kId));
  Stage(PiecesOf(rows_, kAll));
  Rows before = rows_;
  before[NamespacesRowKey(kId)] = kv::EncodeNamespaceStates(theirs);
  EXPECT_EQ(Install(before, RegionOf("b", "m")), rows_);
  EXPECT_EQ(namespaces_, kv::NamespaceStates());
}

TEST_F(RegionSnapshotTest, ComesAfterWhatTheBatchHoldsAlready) {
  Stage(PiecesOf(rows_, kAll));
  MapReader data;
  WriteBatch batch;
  batch.Put(Key("c"), "earlier in the same turn");
  Region region = Uninitialized();
  ASSERT_TRUE(stage_.Finish(data, kApplied, &region, &namespaces_, &batch).ok());
  data.Write(batch);
  EXPECT_EQ(data.rows, rows_);
}

TEST_F(RegionSnapshotTest, IsInstalledOnce) {
  Stage(PiecesOf(rows_, kAll));
  Install({}, Uninitialized());
  EXPECT_EQ(RefusalOf(kApplied, Uninitialized()).code(), absl::StatusCode::kDataLoss);
}

TEST_F(RegionSnapshotTest, WithoutItsLastPieceIsRefused) {
  std::vector<std::string> pieces = PiecesOf(rows_, 1);
  EXPECT_EQ(RefusalOf(kApplied, Uninitialized()).code(), absl::StatusCode::kDataLoss);
  Stage({pieces[0], pieces[1]});
  EXPECT_THAT(std::string(RefusalOf(kApplied, Uninitialized()).message()),
              HasSubstr("not received to the end"));
}

TEST_F(RegionSnapshotTest, OfSomethingElseIsRefused) {
  Stage(PiecesOf(rows_, kAll));
  Region other;
  other.id = RegionId(8);
  EXPECT_THAT(std::string(RefusalOf(kApplied, other).message()), HasSubstr("of region 7"));
  EXPECT_THAT(std::string(RefusalOf({Term(2), Index(301)}, Uninitialized()).message()),
              HasSubstr("of entry 300"));
  EXPECT_EQ(RefusalOf({Term(3), Index(300)}, Uninitialized()).code(), absl::StatusCode::kDataLoss);
}

// Fails one of its scans; the others find nothing.
class OneScanFails : public DataReader {
 public:
  explicit OneScanFails(int failing) : failing_(failing) {}
  absl::StatusOr<std::optional<std::string>> Get(std::string_view) const override {
    return std::nullopt;
  }
  absl::Status Scan(std::string_view, std::string_view,
                    absl::FunctionRef<bool(std::string_view, std::string_view)>) const override {
    return scans_++ == failing_ ? absl::UnavailableError("no disk") : absl::OkStatus();
  }

 private:
  int failing_;
  mutable int scans_ = 0;
};

TEST_F(RegionSnapshotTest, DataThatCannotBeReadLeavesItStaged) {
  Stage(PiecesOf(rows_, kAll));
  for (const int failing : {0, 1, 2}) {
    EXPECT_EQ(RefusalOf(kApplied, RegionOf("a", "z"), OneScanFails(failing)),
              absl::UnavailableError("no disk"));
  }
  EXPECT_EQ(Install({}, Uninitialized()), rows_);
}

TEST_F(RegionSnapshotTest, NumberZeroThrowsAwayWhatWasStaged) {
  std::vector<std::string> pieces = PiecesOf(rows_, 1);
  Stage({pieces[0], pieces[1]});
  Stage(pieces);
  EXPECT_EQ(Install({}, Uninitialized()), rows_);
  EXPECT_FALSE(stage_.Add("damage").ok());
  Stage(pieces);
  EXPECT_EQ(Install({}, Uninitialized()), rows_);
}

TEST_F(RegionSnapshotTest, PieceOutOfOrderIsRefusedAndSoIsAllAfterIt) {
  const std::vector<std::string> pieces = PiecesOf(rows_, 1);
  for (const std::vector<size_t>& order :
       std::vector<std::vector<size_t>>{{1}, {0, 2}, {0, 1, 1}, {0, 1, 2, 2}}) {
    stage_ = RegionSnapshotStage();
    for (size_t i = 0; i + 1 < order.size(); ++i) Stage({pieces[order[i]]});
    const absl::Status status = stage_.Add(pieces[order.back()]);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    for (const size_t later : {1, 2}) EXPECT_EQ(stage_.Add(pieces[later]), status);
    EXPECT_EQ(RefusalOf(kApplied, Uninitialized()), status);
  }
}

// A stage that is whole takes no piece more, even one with the number that comes next.
TEST_F(RegionSnapshotTest, NothingFollowsTheLastPiece) {
  Stage({PieceOf(0, {Key("b")}, kEnd)});
  EXPECT_EQ(stage_.Add(PieceOf(1, {Key("c")}, kEnd)).code(), absl::StatusCode::kDataLoss);
}

TEST_F(RegionSnapshotTest, MalformedPiecesAreRefused) {
  const auto refused = [this](const std::vector<std::string>& good, const std::string& bad) {
    stage_ = RegionSnapshotStage();
    Stage(good);
    const absl::Status status = stage_.Add(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    return std::string(status.message());
  };
  const std::string first = PieceOf(0, {Key("c")}, kMore);
  // In one piece and from one to the next.
  EXPECT_THAT(refused({}, PieceOf(0, {Key("c"), Key("b")}, kEnd)), HasSubstr("keys ascend"));
  EXPECT_THAT(refused({}, PieceOf(0, {Key("c"), Key("c")}, kEnd)), HasSubstr("keys ascend"));
  EXPECT_THAT(refused({first}, PieceOf(1, {Key("b")}, kEnd)), HasSubstr("keys ascend"));
  EXPECT_THAT(refused({first}, PieceOf(1, {Key("c")}, kEnd)), HasSubstr("keys ascend"));
  EXPECT_THAT(refused({}, PieceOf(0, {Key("a")}, kEnd)), HasSubstr("region's range"));
  EXPECT_THAT(refused({first}, PieceOf(1, {Key("m")}, kEnd)), HasSubstr("region's range"));
  EXPECT_THAT(refused({}, PieceOf(0, {}, kMore)), HasSubstr("has a row"));
  EXPECT_THAT(refused({first}, PieceOf(1, {}, kMore)), HasSubstr("has a row"));
  EXPECT_THAT(refused({}, PieceOf(0, {Key("c")}, 0)), HasSubstr("an end follows"));
  EXPECT_THAT(refused({}, PieceOf(0, {Key("c")}, 4)), HasSubstr("an end follows"));
  EXPECT_THAT(refused({}, PieceOf(0, {Key("c")}, kEnd) + "x"), HasSubstr("nothing follows"));
  EXPECT_THAT(refused({}, "\x02" + first.substr(1)), HasSubstr("format version"));
  EXPECT_THAT(refused({}, ""), HasSubstr("format version"));
}

TEST_F(RegionSnapshotTest, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding(
      PiecesOf(rows_, kAll), 16,
      [](const std::string& bytes) -> absl::StatusOr<Rows> {
        RegionSnapshotStage stage;
        MapReader data;
        WriteBatch batch;
        Region region = Uninitialized();
        kv::NamespaceStates namespaces;
        if (absl::Status status = stage.Add(bytes); !status.ok()) return status;
        absl::Status status = stage.Finish(data, kApplied, &region, &namespaces, &batch);
        if (!status.ok()) return status;
        data.Write(batch);
        return data.rows;
      },
      [](const Rows& rows) { return PiecesOf(rows, kAll).front(); });
}

// Whatever the sender holds, whatever the receiver held, and wherever the pieces are cut.
TEST_F(RegionSnapshotTest, ReceiverEndsWithTheSendersRegionAndItsOwnRest) {
  Rng rng(17);
  const auto random_rows = [&rng](std::string_view by) {
    Rows rows;
    for (uint64_t n = rng.Below(40); n > 0; --n) {
      const std::string key(rng.Between(1, 2), static_cast<char>('a' + rng.Below(26)));
      rows[Key(key)] = std::string(by) + std::string(rng.Below(30), '.');
    }
    return rows;
  };
  const auto random_region = [&rng] {
    const char start = static_cast<char>('a' + rng.Below(20));
    const char end = static_cast<char>(start + rng.Between(1, 5));
    return RegionOf(rng.Chance(100000) ? "" : std::string(1, start),
                    rng.Chance(100000) ? "" : std::string(1, end));
  };
  size_t most_pieces = 0;
  for (int round = 0; round < 2000 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    const Region region = random_region();
    const Region old = rng.Chance(300000) ? Uninitialized() : random_region();
    Rows sender = random_rows("sender");
    PutStateRows(region, kApplied, &sender);
    Rows before = random_rows("receiver");
    Rows expected;
    for (const auto& [key, value] : before) {
      if (!region.Contains(key) && !(old.initialized() && old.Contains(key))) expected[key] = value;
    }
    for (const auto& [key, value] : sender) {
      if (key.front() != 'z' || region.Contains(key)) expected[key] = value;
    }
    if (old.initialized()) PutStateRows(old, {Term(1), Index(1)}, &before);
    const std::vector<std::string> pieces = PiecesOf(sender, rng.Below(200));
    most_pieces = std::max(most_pieces, pieces.size());
    Stage(pieces);
    EXPECT_EQ(Install(before, old), expected);
  }
  EXPECT_GT(most_pieces, 5u);
}

}  // namespace
}  // namespace flaredb
