// SPDX-License-Identifier: Apache-2.0
// Eventual namespaces: accepted by any store, and the same everywhere in the end.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/store/requests.h"
#include "tests/core/store/stores.h"

namespace flaredb::store {
namespace {

using ::testing::HasSubstr;

constexpr kv::NamespaceId kLogs{7};

class StoreEventualTest : public ::testing::Test {
 protected:
  explicit StoreEventualTest(const Options& options = Options()) : stores_(3, options) {
    Announce({kv::Mode::kEventual, kv::ModeEpoch(2)});
    leader_ = stores_.AwaitLeader();
    follower_ = leader_ % 3 + 1;
  }

  // The cluster has decided, and every store has heard of it.
  void Announce(NamespaceMode mode) {
    for (uint64_t id = 1; id <= 3; ++id) {
      stores_.Turn(id, Events(NamespaceChanged{kLogs, mode}));
    }
  }
  static std::vector<Event> Events(Event event) {
    std::vector<Event> events;
    events.push_back(std::move(event));
    return events;
  }
  Request With(Operation operation) {
    return Request{std::nullopt, Duration::Seconds(5), std::move(operation)};
  }
  // Writes; the answer, which is the write's time.
  kv::Hlc Put(uint64_t store, const std::string& key, std::optional<std::string> value) {
    const Reply reply = stores_.Ask(store, With(RawWriteRequest{kLogs, key, std::move(value)}));
    const auto* accepted = std::get_if<AcceptedReply>(&reply.result);
    EXPECT_NE(accepted, nullptr) << Message(reply);
    return accepted != nullptr ? accepted->hlc : kv::Hlc();
  }
  std::string Get(uint64_t store, const std::string& key) {
    const Reply reply = stores_.Ask(store, With(GetRequest{kLogs, key, kv::Mode::kEventual}));
    const auto* get = std::get_if<GetReply>(&reply.result);
    if (get == nullptr) return Message(reply);
    return get->found ? get->found->value : "none";
  }
  static std::string Message(const Reply& reply) {
    const auto* error = std::get_if<Error>(&reply.result);
    return error != nullptr ? "error: " + error->message : "something else";
  }

  Stores stores_;
  uint64_t leader_ = 0;
  uint64_t follower_ = 0;
};

TEST_F(StoreEventualTest, WhatAnyStoreAcceptedIsEverywhereInTheEnd) {
  Put(leader_, "a", "1");
  Put(follower_, "b", "2");
  stores_.Pass(Duration::Seconds(1));
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(Get(id, "a"), "1");
    EXPECT_EQ(Get(id, "b"), "2");
    EXPECT_EQ(stores_.store(id).outbox_rows(), 0u);
  }
}

TEST_F(StoreEventualTest, AStoreThatIsCutOffGoesOnAndThenCatchesUp) {
  Put(leader_, "k", "before");
  stores_.Pass(Duration::Seconds(1));
  stores_.Isolate(follower_);
  Put(follower_, "k", "cut off");
  EXPECT_EQ(Get(follower_, "k"), "cut off") << "who wrote to a store finds it there";
  EXPECT_EQ(Get(leader_, "k"), "before");
  Put(leader_, "other", "1");
  stores_.Pass(Duration::Seconds(20));
  EXPECT_EQ(Get(follower_, "k"), "cut off");
  stores_.Heal();
  stores_.Pass(Duration::Seconds(10));
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_EQ(Get(id, "k"), "cut off") << "at store " << id;
    EXPECT_EQ(Get(id, "other"), "1");
    EXPECT_EQ(stores_.store(id).outbox_rows(), 0u);
  }
}

TEST_F(StoreEventualTest, TheAnswerWaitsForTheDisk) {
  stores_.HoldDisk(leader_);
  const CallId call = stores_.Call(leader_, With(RawWriteRequest{kLogs, "k", "v"}));
  stores_.Settle();
  EXPECT_EQ(stores_.reply(call), nullptr);
  EXPECT_EQ(Get(leader_, "k"), "none");
  stores_.FreeDisk(leader_);
  stores_.Settle();
  ASSERT_NE(stores_.reply(call), nullptr);
  EXPECT_EQ(Get(leader_, "k"), "v");
}

TEST_F(StoreEventualTest, ADeletionIsAWrite) {
  Put(leader_, "k", "v");
  stores_.Pass(Duration::Seconds(1));
  Put(follower_, "k", std::nullopt);
  EXPECT_EQ(Get(follower_, "k"), "none");
  stores_.Pass(Duration::Seconds(1));
  EXPECT_EQ(Get(leader_, "k"), "none");
}

TEST_F(StoreEventualTest, AcceptedRowsOutliveTheProcess) {
  stores_.Isolate(follower_);
  const kv::Hlc before = Put(follower_, "k", "v");
  stores_.Restart(follower_);
  Announce({kv::Mode::kEventual, kv::ModeEpoch(2)});
  EXPECT_EQ(Get(follower_, "k"), "v");
  EXPECT_GT(Put(follower_, "l", "v"), before);
  stores_.Heal();
  stores_.Pass(Duration::Seconds(10));
  EXPECT_EQ(Get(leader_, "k"), "v");
}

TEST_F(StoreEventualTest, StampsComeAfterWhatTheStoreIsToldToPass) {
  const kv::Hlc after = kv::HlcAt(2'000'000'000'000);
  const NamespaceMode mode{kv::Mode::kEventual, kv::ModeEpoch(2)};
  stores_.Turn(follower_, Events(NamespaceChanged{kLogs, mode, after}));
  EXPECT_GT(Put(follower_, "k", "v"), after);
  stores_.Turn(leader_, Events(NamespaceChanged{kLogs, mode, after}));
  stores_.Settle();
  stores_.Restart(leader_);
  Announce(mode);
  EXPECT_GT(Put(leader_, "l", "v"), after);
}

TEST_F(StoreEventualTest, TheWatermarkOfAnIdleStoreGoesOn) {
  const kv::Hlc before = stores_.store(leader_).eventual(kLogs).watermark;
  stores_.Turn(leader_, Events(WallClock{2'000'000'000'000}));
  EXPECT_LT(before, kv::HlcAt(2'000'000'000'000));
  EXPECT_GT(stores_.store(leader_).eventual(kLogs).watermark, kv::HlcAt(2'000'000'000'000));
}

TEST_F(StoreEventualTest, NobodyComesInThroughTheWrongDoor) {
  const auto refused = [&](Operation operation) {
    const Reply reply = stores_.Ask(leader_, With(std::move(operation)));
    const auto* error = std::get_if<Error>(&reply.result);
    if (error == nullptr) return std::string("let in");
    EXPECT_EQ(error->code, ErrorCode::kNamespaceMode);
    EXPECT_EQ(error->outcome, Outcome::kNotApplied);
    return error->message;
  };
  EXPECT_THAT(refused(kv::CompareAndSwap{kLogs, "k", "v", {}, {}}), HasSubstr("is eventual"));
  EXPECT_THAT(refused(GetRequest{kLogs, "k"}), HasSubstr("is eventual"));
  EXPECT_THAT(refused(ScanRequest{kLogs, "", ""}), HasSubstr("is eventual"));
  const kv::NamespaceId strong = kv::NamespaceId::kDefault;
  EXPECT_THAT(refused(RawWriteRequest{strong, "k", "v"}), HasSubstr("is strong"));
  EXPECT_THAT(refused(GetRequest{strong, "k", kv::Mode::kEventual}), HasSubstr("is strong"));
  Announce({kv::Mode::kEventual, kv::ModeEpoch(3), true});
  EXPECT_THAT(refused(RawWriteRequest{kLogs, "k", "v"}), HasSubstr("about to change"));
  EXPECT_EQ(Get(leader_, "k"), "none") << "reads go on while it changes";
}

TEST_F(StoreEventualTest, TheFenceDecidesWhateverAStoreBelieves) {
  const kv::ModeFence fence{kLogs, {kv::Mode::kStrong, kv::ModeEpoch(4), kv::Hlc()}};
  const Reply fenced = stores_.Ask(leader_, With(kv::NamespaceCommand(fence)));
  ASSERT_TRUE(std::holds_alternative<kv::NamespaceReply>(fenced.result)) << Message(fenced);
  stores_.Pass(Duration::Seconds(1));
  Put(follower_, "k", "too late");
  stores_.Pass(Duration::Seconds(5));
  EXPECT_EQ(stores_.store(follower_).outbox_rows(), 0u) << "it could never be applied";
  EXPECT_THAT(Get(leader_, "k"), HasSubstr("is strong"));
  Announce({kv::Mode::kStrong, kv::ModeEpoch(5)});
  const Reply swapped = stores_.Ask(leader_, With(kv::CompareAndSwap{kLogs, "k", "v", {}, {}}));
  EXPECT_EQ(WriteOf(swapped).version, kv::Version(1));
}

// The store says that it has nothing left to ship as soon as it knows that all is applied, before
// its disk knows. What a crash then brings back is no news to anybody, and nothing to wait for.
TEST_F(StoreEventualTest, ARowFromBeforeTheFenceThatARestartBringsBackIsNotKept) {
  stores_.Isolate(follower_);
  Put(follower_, "k", "v");
  stores_.HoldDisk(follower_);
  stores_.Heal();
  stores_.Pass(Duration::Seconds(10));
  ASSERT_EQ(Get(leader_, "k"), "v");
  const kv::ModeFence fence{kLogs, {kv::Mode::kStrong, kv::ModeEpoch(4), kv::Hlc()}};
  const Reply fenced = stores_.Ask(leader_, With(kv::NamespaceCommand(fence)));
  ASSERT_TRUE(std::holds_alternative<kv::NamespaceReply>(fenced.result)) << Message(fenced);
  stores_.Restart(follower_);
  stores_.FreeDisk(follower_);
  Announce({kv::Mode::kStrong, kv::ModeEpoch(5)});
  ASSERT_EQ(stores_.store(follower_).outbox_rows(), 1u);
  stores_.Pass(Duration::Seconds(5));
  EXPECT_EQ(stores_.store(follower_).outbox_rows(), 0u);
  const Reply read = stores_.Ask(leader_, With(GetRequest{kLogs, "k"}));
  ASSERT_TRUE(std::holds_alternative<GetReply>(read.result)) << Message(read);
  EXPECT_EQ(std::get<GetReply>(read.result).found->value, "v");
}

TEST_F(StoreEventualTest, ScansShowBothWhatIsAppliedAndWhatIsHeld) {
  Put(leader_, "a", "1");
  Put(leader_, "c", "3");
  stores_.Pass(Duration::Seconds(1));
  stores_.Isolate(follower_);
  Put(follower_, "b", "2");
  Put(follower_, "c", std::nullopt);
  const Reply reply =
      stores_.Ask(follower_, With(ScanRequest{kLogs, "", "", 0, 0, false, kv::Mode::kEventual}));
  const auto* scan = std::get_if<ScanReply>(&reply.result);
  ASSERT_NE(scan, nullptr) << Message(reply);
  std::string rows;
  for (const kv::ScanRow& row : scan->page.rows) rows += row.key + row.value;
  EXPECT_EQ(rows, "a1b2");
}

// Every store has room for one call.
class FullStoreTest : public StoreEventualTest {
 protected:
  FullStoreTest() : StoreEventualTest(OneCall()) {}
  static Options OneCall() {
    Options options;
    options.waiting_calls_max = 1;
    return options;
  }
};

// Clients who take all the room there is would keep a drain from its end.
TEST_F(FullStoreTest, ParcelsAreTakenWhereClientsAreTurnedAway) {
  stores_.HoldDisk(leader_);
  const CallId waiting = stores_.Call(leader_, With(RawWriteRequest{kLogs, "a", "1"}));
  EXPECT_THAT(Message(stores_.Ask(leader_, With(GetRequest{kLogs, "a", kv::Mode::kEventual}))),
              HasSubstr("too many requests"));
  Put(follower_, "k", "v");
  stores_.Pass(Duration::Milliseconds(500));
  EXPECT_EQ(stores_.store(follower_).outbox_rows(), 0u);
  EXPECT_EQ(stores_.reply(waiting), nullptr);
}

// An entry that its region cannot apply would stop every replica of it.
TEST(StoreEventualRegions, ABatchOfSeveralRegionsIsTurnedAway) {
  Stores stores(3, Options(), {RegionOn(1, 3, "", "m"), RegionOn(2, 3, "m", "")});
  const uint64_t leader = stores.AwaitLeader();
  const kv::NamespaceId ns = kv::NamespaceId::kDefault;
  const kv::NamespaceCommand batch = kv::LwwBatch{
      ns,
      kv::ModeEpoch(2),
      {{"a", "1", false, kv::Hlc(1), StoreId(1)}, {"z", "1", false, kv::Hlc(2), StoreId(1)}}};
  const kv::NamespaceCommand collect = kv::CollectTombstones{ns, "a", "z", kv::Hlc(1)};
  for (const kv::NamespaceCommand& command : {batch, collect}) {
    const Reply reply = stores.Ask(leader, Make(command));
    EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kEpochNotMatch);
    EXPECT_EQ(ErrorOf(reply).outcome, Outcome::kNotApplied);
    // For whoever cut it, to cut it anew.
    EXPECT_TRUE(ErrorOf(reply).region.has_value());
  }
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_TRUE(stores.failure(id).ok()) << stores.failure(id);
}

}  // namespace
}  // namespace flaredb::store
