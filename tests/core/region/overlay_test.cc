// SPDX-License-Identifier: Apache-2.0
#include "core/region/overlay.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "tests/core/base/map_reader.h"

namespace flaredb {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows ScanAll(const DataReader& data, std::string_view begin = "", std::string_view end = "",
             size_t rows_max = 1000) {
  Rows rows;
  const absl::Status status =
      data.Scan(begin, end, [&](std::string_view key, std::string_view value) {
        EXPECT_LT(rows.size(), rows_max) << "visited after it was told to stop";
        rows.emplace_back(key, value);
        return rows.size() < rows_max;
      });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

WriteBatch Put(std::string key, std::string value) {
  WriteBatch batch;
  batch.Put(std::move(key), std::move(value));
  return batch;
}

WriteBatch Delete(std::string key) {
  WriteBatch batch;
  batch.Delete(std::move(key));
  return batch;
}

class OverlayTest : public ::testing::Test {
 protected:
  std::optional<std::string> Get(std::string_view key) {
    absl::StatusOr<std::optional<std::string>> value = overlay_.Get(key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.value_or(std::nullopt);
  }

  MapReader base_;
  Overlay overlay_{&base_};
};

TEST_F(OverlayTest, WithoutMutationsShowsTheBase) {
  base_.rows = {{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Get("c"), std::nullopt);
  EXPECT_THAT(ScanAll(overlay_), ElementsAre(Pair("a", "1"), Pair("b", "2")));
}

TEST_F(OverlayTest, MutationHidesTheBase) {
  base_.rows = {{"a", "1"}, {"b", "2"}};
  overlay_.Add(IoToken(1), Put("a", "new"));
  overlay_.Add(IoToken(1), Delete("b"));
  EXPECT_EQ(Get("a"), "new");
  EXPECT_EQ(Get("b"), std::nullopt);
  EXPECT_THAT(ScanAll(overlay_), ElementsAre(Pair("a", "new")));
}

TEST_F(OverlayTest, LaterMutationOfAKeyWins) {
  WriteBatch batch = Put("a", "1");
  batch.Delete("a");
  batch.Put("a", "2");
  overlay_.Add(IoToken(1), batch);
  EXPECT_EQ(Get("a"), "2");
  overlay_.Add(IoToken(2), Delete("a"));
  EXPECT_EQ(Get("a"), std::nullopt);
}

TEST_F(OverlayTest, ScanMergesBothSidesInOrder) {
  base_.rows = {{"b", "base"}, {"d", "base"}, {"f", "base"}};
  overlay_.Add(IoToken(1), Put("a", "over"));
  overlay_.Add(IoToken(1), Put("c", "over"));
  overlay_.Add(IoToken(1), Delete("d"));
  overlay_.Add(IoToken(1), Delete("e"));
  overlay_.Add(IoToken(1), Put("g", "over"));
  EXPECT_THAT(ScanAll(overlay_),
              ElementsAre(Pair("a", "over"), Pair("b", "base"), Pair("c", "over"),
                          Pair("f", "base"), Pair("g", "over")));
  EXPECT_THAT(ScanAll(overlay_, "b", "d"), ElementsAre(Pair("b", "base"), Pair("c", "over")));
}

TEST_F(OverlayTest, ScanOfAnInvertedRangeIsEmpty) {
  overlay_.Add(IoToken(1), Put("a", "over"));
  overlay_.Add(IoToken(1), Put("c", "over"));
  EXPECT_TRUE(ScanAll(overlay_, "c", "a").empty());
  EXPECT_TRUE(ScanAll(overlay_, "a", "a").empty());
}

TEST_F(OverlayTest, ReleaseDropsARowOnlyWithItsLatestMutation) {
  base_.rows = {{"a", "old"}};
  overlay_.Add(IoToken(1), Put("a", "1"));
  overlay_.Add(IoToken(3), Put("a", "3"));
  overlay_.Release(IoToken(1));
  EXPECT_EQ(Get("a"), "3");
  overlay_.Release(IoToken(2));
  EXPECT_EQ(Get("a"), "3");
  base_.rows["a"] = "3";
  overlay_.Release(IoToken(3));
  EXPECT_EQ(Get("a"), "3");
  EXPECT_EQ(overlay_.size(), 0u);
}

TEST_F(OverlayTest, RowAddedAgainAfterItsReleaseStaysUntilTheNewToken) {
  overlay_.Add(IoToken(1), Put("a", "1"));
  overlay_.Release(IoToken(1));
  overlay_.Add(IoToken(2), Put("a", "2"));
  overlay_.Release(IoToken(1));
  EXPECT_EQ(Get("a"), "2");
}

TEST_F(OverlayTest, TokensNeverDecrease) {
  overlay_.Add(IoToken(2), Put("a", "1"));
  EXPECT_THROW(overlay_.Add(IoToken(1), Put("b", "1")), InvariantViolation);
}

TEST_F(OverlayTest, ErrorsOfTheBaseComeThrough) {
  base_.failure = absl::UnavailableError("no disk");
  overlay_.Add(IoToken(1), Put("a", "1"));
  EXPECT_EQ(overlay_.Get("b").status(), base_.failure);
  EXPECT_EQ(overlay_.Scan("", "", [](auto, auto) { return true; }), base_.failure);
}

// Writes enter the overlay at once and the base later, in order, at random moments. Readers must
// never notice: the overlay always equals a plain map that took every write immediately.
TEST_F(OverlayTest, EqualsAPlainMapHoweverLateTheBaseIs) {
  Rng rng(1);
  const auto random_key = [&rng] { return std::string(1, static_cast<char>('a' + rng.Below(12))); };
  MapReader model;
  std::deque<std::pair<IoToken, WriteBatch>> in_flight;
  IoToken token;
  IoToken written;
  size_t most_held = 0;
  for (int step = 0; step < 20000; ++step) {
    SCOPED_TRACE(step);
    switch (rng.Below(4)) {
      case 0: {  // A write; sometimes under the token of the one before.
        if (in_flight.empty() || rng.Chance(700000)) ++token;
        WriteBatch batch;
        for (uint64_t n = rng.Below(5); n > 0; --n) {
          if (rng.Chance(400000)) {
            batch.Delete(random_key());
          } else {
            batch.Put(random_key(), std::to_string(step) + "/" + std::to_string(n));
          }
        }
        model.Write(batch);
        overlay_.Add(token, batch);
        in_flight.emplace_back(token, std::move(batch));
        break;
      }
      case 1:  // The disk finishes the oldest writes, before anybody is told.
        for (uint64_t n = rng.Below(4); n > 0 && !in_flight.empty(); --n) {
          written = in_flight.front().first;
          while (!in_flight.empty() && in_flight.front().first == written) {
            base_.Write(in_flight.front().second);
            in_flight.pop_front();
          }
        }
        break;
      case 2:
        overlay_.Release(written);
        EXPECT_TRUE(overlay_.size() == 0 || !in_flight.empty());
        break;
      case 3: {
        const std::string key = random_key();
        EXPECT_EQ(Get(key), *model.Get(key));
        const std::string begin = rng.Chance(300000) ? "" : random_key();
        const std::string end = rng.Chance(300000) ? "" : random_key();
        const size_t rows_max = rng.Chance(500000) ? 1000 : rng.Between(1, 5);
        if (end.empty() || begin < end) {
          EXPECT_EQ(ScanAll(overlay_, begin, end, rows_max), ScanAll(model, begin, end, rows_max));
        } else {
          EXPECT_EQ(ScanAll(overlay_, begin, end), Rows());
        }
        break;
      }
    }
    most_held = std::max(most_held, overlay_.size());
    if (HasFailure()) return;
  }
  EXPECT_GT(most_held, 5u);
}

}  // namespace
}  // namespace flaredb
