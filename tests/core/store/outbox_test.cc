// SPDX-License-Identifier: Apache-2.0
#include "core/store/outbox.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/kv/key.h"
#include "tests/core/base/exact_decoding.h"
#include "tests/core/base/map_reader.h"

namespace flaredb::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using std::string_literals::operator""s;

constexpr kv::NamespaceId kNs{5};
constexpr kv::NamespaceId kOther{6};
constexpr kv::ModeEpoch kEpoch(2);
constexpr StoreId kSelf(3);
constexpr RegionId kRegion(9);

// An outbox, its disk, and turns of its store.
class OutboxTest : public ::testing::Test {
 protected:
  // Accepts a write in a turn of its own, which becomes durable when Land is called.
  kv::Hlc Accept(const std::string& key, std::optional<std::string> value, uint64_t unix_ms = 1000,
                 kv::NamespaceId ns = kNs, kv::ModeEpoch mode_epoch = kEpoch) {
    env::GroupCommit commit = Begin();
    const auto hlc = outbox_.Accept(ns, mode_epoch, key, std::move(value), unix_ms, &commit);
    EXPECT_TRUE(hlc.has_value());
    Issue(std::move(commit));
    return hlc.value_or(kv::Hlc());
  }
  env::GroupCommit Begin() {
    env::GroupCommit commit;
    commit.token = ++token_;
    return commit;
  }
  void Issue(env::GroupCommit commit) { in_flight_.push_back(std::move(commit)); }
  // Everything issued is durable.
  void Land() {
    for (const env::GroupCommit& commit : in_flight_) disk_.Write(commit.data);
    in_flight_.clear();
    outbox_.OnDurable(token_);
  }
  void Release(Index applied) {
    env::GroupCommit commit = Begin();
    outbox_.Release(kRegion, applied, &commit);
    Issue(std::move(commit));
    Land();
  }
  // What comes back from the disk.
  Outbox Restarted() {
    absl::StatusOr<RecoveredOutbox> recovered = RecoverOutbox(kSelf, disk_);
    EXPECT_TRUE(recovered.ok()) << recovered.status();
    return Outbox(kSelf, limits_, *std::move(recovered));
  }
  std::vector<std::string> Held() const { return Rows(outbox_); }
  static std::vector<std::string> Rows(const Outbox& outbox) {
    std::vector<std::string> rows;
    for (const auto& [key, row] : outbox.held()) {
      rows.push_back(row.key + (row.deleted ? " deleted" : "=" + row.value));
    }
    return rows;
  }
  static std::vector<std::string> Keys(const std::optional<Parcel>& parcel) {
    std::vector<std::string> keys;
    if (!parcel) return {"nothing"};
    for (const kv::LwwRow& row : parcel->batch.rows) keys.push_back(row.key);
    return keys;
  }

  Outbox::Limits limits_{50 * Outbox::kRowBytes + 100, 20};
  MapReader disk_;
  IoToken token_;
  std::vector<env::GroupCommit> in_flight_;
  Outbox outbox_{kSelf, limits_, {}};
};

TEST_F(OutboxTest, ShowsAndSendsWhatIsDurable) {
  Accept("a", "1");
  EXPECT_THAT(Held(), IsEmpty());
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("nothing"));
  Land();
  EXPECT_THAT(Held(), ElementsAre("a=1"));
  const auto parcel = outbox_.Take("", "");
  EXPECT_THAT(Keys(parcel), ElementsAre("a"));
  EXPECT_EQ(parcel->batch.ns, kNs);
  EXPECT_EQ(parcel->batch.mode_epoch, kEpoch);
  EXPECT_EQ(parcel->batch.rows[0].origin, kSelf);
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("nothing")) << "it is on its way";
}

TEST_F(OutboxTest, StaysUntilItIsAppliedHere) {
  Accept("a", "1");
  Land();
  const ParcelId parcel = outbox_.Take("", "")->id;
  Release(Index(100));
  EXPECT_EQ(outbox_.rows(), 1u) << "nobody said that it was applied";
  outbox_.OnApplied(parcel, kRegion, Index(7));
  Release(Index(6));
  EXPECT_THAT(Held(), ElementsAre("a=1"));
  Release(Index(7));
  EXPECT_EQ(outbox_.rows(), 0u);
  EXPECT_EQ(outbox_.bytes(), 0u);
  EXPECT_THAT(Rows(Restarted()), IsEmpty());
}

TEST_F(OutboxTest, WhatFailedIsSentAgain) {
  Accept("a", "1");
  Land();
  outbox_.OnFailed(outbox_.Take("", "")->id);
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("a"));
}

TEST_F(OutboxTest, ALaterWriteTakesThePlaceOfAnEarlierOne) {
  Accept("a", "1");
  Land();
  const ParcelId first = outbox_.Take("", "")->id;
  Accept("a", "2");
  EXPECT_THAT(Held(), ElementsAre("a=1")) << "a reader sees what can't be lost";
  outbox_.OnApplied(first, kRegion, Index(7));
  Release(Index(7));
  EXPECT_THAT(Held(), ElementsAre("a=2"));
  EXPECT_THAT(Rows(Restarted()), ElementsAre("a=2")) << "the release spared the later row";
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("a"));
}

TEST_F(OutboxTest, TwoWritesInFlightAndThenTheFirstIsReleased) {
  Accept("a", "1");
  const IoToken first = token_;
  Accept("a", "2");
  disk_.Write(in_flight_[0].data);
  outbox_.OnDurable(first);
  outbox_.OnApplied(outbox_.Take("", "")->id, kRegion, Index(7));
  Release(Index(7));
  EXPECT_THAT(Rows(Restarted()), ElementsAre("a=2"));
}

TEST_F(OutboxTest, AnAnswerAboutTheEarlierWriteSaysNothingAboutTheLaterOne) {
  Accept("a", "1");
  Land();
  const ParcelId first = outbox_.Take("", "")->id;
  Accept("a", std::nullopt);
  Land();
  outbox_.OnApplied(first, kRegion, Index(7));
  Release(Index::Max());
  EXPECT_THAT(Held(), ElementsAre("a deleted"));
}

TEST_F(OutboxTest, AParcelIsOfOneNamespaceAndEpochAndSoMuch) {
  Accept("a", std::string(9, 'x'));
  Accept("b", std::string(9, 'x'));
  Accept("c", std::string(9, 'x'));
  Accept("d", "1", 1000, kNs, kv::ModeEpoch(4));
  Accept("a", "1", 1000, kOther);
  Accept("e", std::string(29, 'x'));
  Land();
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("a", "b"));
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("c"));
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("d"));
  EXPECT_THAT(Keys(outbox_.Take("", "")), ElementsAre("e")) << "one row always goes";
  EXPECT_EQ(outbox_.Take("", "")->batch.ns, kOther);
  EXPECT_FALSE(outbox_.Take("", ""));
}

TEST_F(OutboxTest, KeepsToTheRange) {
  for (const char* key : {"a", "b", "c"}) Accept(key, "1");
  Land();
  const std::string begin = kv::EncodeKey(kNs, "b"), end = kv::EncodeKey(kNs, "c");
  const auto parcel = outbox_.Take(begin, end);
  EXPECT_THAT(Keys(parcel), ElementsAre("b"));
  outbox_.OnApplied(parcel->id, kRegion, Index(7));
  EXPECT_THAT(outbox_.RegionsToRelease(), ElementsAre(kRegion));
  env::GroupCommit commit = Begin();
  outbox_.Release(RegionId(8), Index(7), &commit);
  EXPECT_TRUE(commit.data.empty());
  outbox_.Release(kRegion, Index(7), &commit);
  EXPECT_EQ(commit.data.mutations.size(), 1u);
  EXPECT_THAT(outbox_.RegionsToRelease(), IsEmpty());
}

TEST_F(OutboxTest, ReleasesInTheOrderOfTheRegionsLog) {
  for (const char* key : {"a", "b", "c"}) Accept(key, "1");
  Land();
  const auto take = [&](const char* key) {
    const std::string begin = kv::EncodeKey(kNs, key);
    return outbox_.Take(begin, begin + '\0')->id;
  };
  outbox_.OnApplied(take("a"), kRegion, Index(9));
  outbox_.OnApplied(take("b"), RegionId(8), Index(9));
  outbox_.OnApplied(take("c"), kRegion, Index(7));
  Release(Index(8));
  EXPECT_THAT(Held(), ElementsAre("a=1", "b=1"));
  Release(Index(9));
  EXPECT_THAT(Held(), ElementsAre("b=1"));
  EXPECT_THAT(outbox_.RegionsToRelease(), ElementsAre(RegionId(8)));
}

// The release passes it over once and for all, and the later write takes its place.
TEST_F(OutboxTest, ARowWhoseSuccessorIsUnderWayIsNotReleasedButReplaced) {
  Accept("a", "1");
  Land();
  outbox_.OnApplied(outbox_.Take("", "")->id, kRegion, Index(7));
  Accept("a", "2");
  env::GroupCommit commit = Begin();
  outbox_.Release(kRegion, Index(7), &commit);
  EXPECT_TRUE(commit.data.empty());
  EXPECT_THAT(Held(), ElementsAre("a=1"));
  EXPECT_THAT(outbox_.RegionsToRelease(), IsEmpty());
  Land();
  EXPECT_THAT(Held(), ElementsAre("a=2"));
  EXPECT_EQ(outbox_.rows(), 1u);
}

// Where nobody here shows the region, what comes here later may be from before.
TEST_F(OutboxTest, WhatWasReleasedUnseenIsRememberedUntilItIsSeen) {
  const auto release = [&](Index applied) {
    Accept("k", "1");
    Land();
    outbox_.OnApplied(outbox_.Take("", "")->id, kRegion, applied);
    env::GroupCommit commit = Begin();
    outbox_.ReleaseUnseen(kRegion, &commit);
    Issue(std::move(commit));
    Land();
    EXPECT_THAT(Held(), IsEmpty());
  };
  EXPECT_EQ(outbox_.unseen(kRegion), Index());
  release(Index(7));
  EXPECT_EQ(outbox_.unseen(kRegion), Index(7));
  EXPECT_EQ(disk_.rows["\x02u\0\0\0\0\0\0\0\x09"s], "\x01\x07");
  release(Index(5));
  EXPECT_EQ(outbox_.unseen(kRegion), Index(7));
  EXPECT_EQ(Restarted().unseen(kRegion), Index(7));

  env::GroupCommit commit = Begin();
  outbox_.OnSeen(kRegion, Index(6), &commit);
  outbox_.OnSeen(RegionId(8), Index(9), &commit);
  EXPECT_EQ(outbox_.unseen(kRegion), Index(7));
  outbox_.OnSeen(kRegion, Index(7), &commit);
  Issue(std::move(commit));
  Land();
  EXPECT_EQ(outbox_.unseen(kRegion), Index());
  EXPECT_FALSE(Restarted().has_unseen());
}

TEST_F(OutboxTest, WhatWasReleasedUnseenAndIsDamagedIsRefused) {
  const std::string key = "\x02u\0\0\0\0\0\0\0\x09"s;
  for (const auto& [name, value] : {std::pair(key, "\x02\x07"s),
                                    {key, "\x01"s},
                                    {key, "\x01\0"s},
                                    {key, "\x01\x07\x07"s},
                                    {key + "x", "\x01\x07"s},
                                    {"\x02u"s, "\x01\x07"s},
                                    {"\x02u\0\0\0\0\0\0\0\0"s, "\x01\x07"s}}) {
    disk_.rows = {{name, value}};
    EXPECT_EQ(RecoverOutbox(kSelf, disk_).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(OutboxTest, RefusesWhatDoesNotFit) {
  Outbox outbox(kSelf, {2 * Outbox::kRowBytes + 100, 20}, {});
  env::GroupCommit first = Begin();
  EXPECT_TRUE(outbox.Accept(kNs, kEpoch, "a", std::string(90, 'x'), 1000, &first));
  env::GroupCommit commit = Begin();
  EXPECT_FALSE(outbox.Accept(kNs, kEpoch, "b", std::string(10, 'x'), 1000, &commit));
  EXPECT_TRUE(commit.data.empty());
  EXPECT_TRUE(outbox.Accept(kNs, kEpoch, "b", std::string(8, 'x'), 1000, &commit));
  EXPECT_EQ(outbox.bytes(), 2 * Outbox::kRowBytes + 100);
}

TEST_F(OutboxTest, RowsTakeSpaceHoweverShortTheyAre) {
  env::GroupCommit commit = Begin();
  uint64_t rows = 0;
  while (outbox_.Accept(kNs, kEpoch, std::to_string(rows), "", 1000, &commit)) ++rows;
  EXPECT_EQ(rows, 50u);
}

TEST_F(OutboxTest, ComesBackAfterARestartWithItsClock) {
  const kv::Hlc last = Accept("a", "1", 5000);
  Accept("b", std::nullopt, 4000);
  Land();
  Outbox outbox = Restarted();
  EXPECT_THAT(Rows(outbox), ElementsAre("a=1", "b deleted"));
  EXPECT_EQ(outbox.bytes(), outbox_.bytes());
  env::GroupCommit commit = Begin();
  EXPECT_GT(*outbox.Accept(kNs, kEpoch, "c", "1", 1, &commit), last + 1)
      << "the wall clock was set back between two lives";
}

TEST_F(OutboxTest, TheWatermarkIsTheOldestWriteThatMayBeUnknown) {
  const kv::Hlc a = Accept("a", "1", 1000);
  const kv::Hlc b = Accept("b", "1", 2000);
  EXPECT_EQ(outbox_.Watermark(kNs), a);
  EXPECT_GT(outbox_.Watermark(kOther), b);
  Land();
  outbox_.OnApplied(outbox_.Take("", kv::EncodeKey(kNs, "b"))->id, kRegion, Index(7));
  EXPECT_EQ(outbox_.Watermark(kNs), b);
  outbox_.OnApplied(outbox_.Take("", "")->id, kRegion, Index(8));
  EXPECT_GT(outbox_.Watermark(kNs), b);
}

// Against a walk over all rows.
TEST_F(OutboxTest, WhatIsToldOfANamespaceIsTrueWhateverHappened) {
  struct Known {
    kv::NamespaceId ns;
    std::string key;
    bool durable = false;
    bool applied = false;
  };
  std::map<kv::Hlc, Known> rows;
  std::map<ParcelId, std::vector<kv::Hlc>> parcels;
  const auto is_replaced = [&](const Known& row, kv::Hlc at, bool by_durable) {
    return std::any_of(rows.upper_bound(at), rows.end(), [&](const auto& later) {
      return later.second.ns == row.ns && later.second.key == row.key &&
             (later.second.durable || !by_durable);
    });
  };
  Rng rng(5);
  for (uint64_t step = 1; step <= 3000; ++step) {
    const kv::NamespaceId ns = rng.Below(2) == 0 ? kNs : kOther;
    const uint64_t what = rng.Below(8);
    if (what < 3) {
      const std::string key(1, static_cast<char>('a' + rng.Below(5)));
      if (rows.size() < 40) rows[Accept(key, "1", step, ns)] = {ns, key};
    } else if (what == 3) {
      Land();
      for (auto& [hlc, row] : rows) row.durable = true;
      std::erase_if(rows,
                    [&](const auto& each) { return is_replaced(each.second, each.first, true); });
    } else if (what < 6) {
      const std::optional<Parcel> parcel = outbox_.Take("", "");
      if (!parcel) continue;
      for (const kv::LwwRow& row : parcel->batch.rows) parcels[parcel->id].push_back(row.hlc);
    } else if (what == 6 && !parcels.empty()) {
      const auto parcel = parcels.begin();
      const bool applied = rng.Below(3) != 0;
      applied ? outbox_.OnApplied(parcel->first, kRegion, Index(step))
              : outbox_.OnFailed(parcel->first);
      for (const kv::Hlc hlc : parcel->second) {
        if (const auto row = rows.find(hlc); row != rows.end()) row->second.applied = applied;
      }
      parcels.erase(parcel);
    } else if (what == 7) {
      env::GroupCommit commit = Begin();
      outbox_.Release(kRegion, Index::Max(), &commit);
      Issue(std::move(commit));
      std::erase_if(rows, [&](const auto& each) {
        return each.second.applied && !is_replaced(each.second, each.first, false);
      });
    }
    for (const kv::NamespaceId each : {kNs, kOther}) {
      size_t count = 0;
      kv::Hlc oldest = outbox_.clock().next();
      for (const auto& [hlc, row] : rows) {
        if (row.ns != each) continue;
        ++count;
        if (!row.applied) oldest = std::min(oldest, hlc);
      }
      ASSERT_EQ(outbox_.rows_of(each), count) << "step " << step;
      ASSERT_EQ(outbox_.Watermark(each), oldest) << "step " << step;
    }
    ASSERT_EQ(outbox_.rows(), rows.size());
  }
}

TEST_F(OutboxTest, AWatermarkThatMovedOnBindsTheNextLife) {
  env::GroupCommit commit = Begin();
  outbox_.Advance(9000, &commit);
  Issue(std::move(commit));
  Land();
  const kv::Hlc promised = outbox_.Watermark(kNs);
  EXPECT_GT(promised, kv::HlcAt(9000));
  Outbox outbox = Restarted();
  commit = Begin();
  EXPECT_GE(*outbox.Accept(kNs, kEpoch, "a", "1", 1, &commit), promised);
}

// docs/FORMAT.md
TEST_F(OutboxTest, BytesOnTheDisk) {
  Accept("k", "val", 258);
  Accept("l", std::nullopt, 258);
  Land();
  const std::string prefix("\x02oz\0\0\0\x05", 7);
  EXPECT_THAT(disk_.rows, ElementsAre(Pair("\x01h", "\x01\0\0\0\0\x01\x02\0\x01"s),
                                      Pair(prefix + "k", "\x01\0\x02\0\0\0\0\x01\x02\0\0val"s),
                                      Pair(prefix + "l", "\x01\x01\x02\0\0\0\0\x01\x02\0\x01"s)));
}

TEST_F(OutboxTest, DamagedRowsAreRefusedOrMeanSomethingElse) {
  Accept("put", "1");
  Accept("deleted", std::nullopt);
  Land();
  Rng rng(3);
  int refused = 0, accepted = 0;
  for (const auto& [key, value] : disk_.rows) {
    MapReader only;
    only.rows[key] = value;
    const absl::StatusOr<RecoveredOutbox> sound = RecoverOutbox(kSelf, only);
    ASSERT_TRUE(sound.ok()) << sound.status();
    for (int i = 0; i < 3000; ++i) {
      only.rows[key] = Damaged(value, &rng);
      const absl::StatusOr<RecoveredOutbox> damaged = RecoverOutbox(kSelf, only);
      ++(damaged.ok() ? accepted : refused);
      if (!damaged.ok()) {
        EXPECT_EQ(damaged.status().code(), absl::StatusCode::kDataLoss) << damaged.status();
      } else {
        const bool same = damaged->rows == sound->rows && damaged->last == sound->last;
        ASSERT_EQ(same, only.rows[key] == value) << "two encodings of one row";
      }
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(accepted, 0);
}

TEST_F(OutboxTest, ARowUnderNoUsersKeyIsRefused) {
  disk_.rows["\x02ox"] = "\x01\0\x02\0\0\0\0\x01\x02\0\0val"s;
  EXPECT_EQ(RecoverOutbox(kSelf, disk_).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace flaredb::store
