// SPDX-License-Identifier: Apache-2.0
// What a store does for its clients in regions of which it has no replica.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/store/cluster.h"

namespace flaredb::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Stores 1 to 3 hold everything, store 4 nothing. The namespace "logs" is eventual.
class StoreElsewhereTest : public ClusterTest {
 protected:
  StoreElsewhereTest() {
    Grow(3);
    Join(4);
    Ask(1, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
    Await([&] {
      const cluster::Directory* directory = stores_.store(4).directory();
      return directory->stores().size() == 4 && directory->Find("logs") != nullptr;
    });
    EXPECT_THAT(stores_.store(4).peers(), IsEmpty());
  }
  void CutOff(uint64_t store) { stores_.Isolate(store); }
  size_t Held(uint64_t store) { return stores_.store(store).outbox_rows(); }
};

TEST_F(StoreElsewhereTest, ItPassesStrongCallsOn) {
  EXPECT_EQ(Swap(4, "", "k", "v"), "version 1");
  EXPECT_EQ(Get(4, "", "k"), "v");
  EXPECT_EQ(Swap(4, "", "k", "w", 7), "mismatch");
  EXPECT_EQ(Get(1, "", "k"), "v");
}

TEST_F(StoreElsewhereTest, ItFindsANewLeader) {
  EXPECT_EQ(Swap(4, "", "k", "v"), "version 1");
  stores_.Kill(Leader(1)->first);
  EXPECT_EQ(Get(4, "", "k"), "v");
}

TEST_F(StoreElsewhereTest, WhatHasBeenForwardedIsNotForwardedAgain) {
  EXPECT_EQ(Swap(4, "", "k", "v"), "version 1");
  const uint64_t leader = Leader(1)->first;
  const uint64_t follower = leader % 3 + 1;
  const size_t before = stores_.sent<ForwardedRequest>();
  stores_.Turn(follower, {MessageReceived{StoreId(4),
                                          ForwardedRequest{1, RegionId(1), store::Get("k"), {}}}});
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), before);
  const auto& answers = stores_.link(follower, 4);
  ASSERT_FALSE(answers.empty());
  const auto* reply = std::get_if<ForwardedReply>(&answers.back());
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(ErrorOf(reply->reply).code, ErrorCode::kNotLeader);
  EXPECT_EQ(ErrorOf(reply->reply).leader, StoreId(leader));
}

TEST_F(StoreElsewhereTest, NorByAStoreThatHasNoReplicaEither) {
  EXPECT_EQ(Get(4, "", "k"), "none");  // It knows where to.
  const size_t before = stores_.sent<ForwardedRequest>();
  stores_.Turn(
      4, {MessageReceived{StoreId(1), ForwardedRequest{1, RegionId(1), store::Get("k"), {}}}});
  EXPECT_EQ(stores_.sent<ForwardedRequest>(), before);
  const auto* reply = std::get_if<ForwardedReply>(&stores_.link(4, 1).back());
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(ErrorOf(reply->reply).code, ErrorCode::kRegionNotFound);
}

TEST_F(StoreElsewhereTest, AClientThatRoutesItselfIsTold) {
  const Region region = std::get<pd::RegionInfo>(Ask(1, pd::Query(pd::GetRegion{"z"}))).region;
  const Reply reply = stores_.Ask(4, In(region.id.value(), region.epoch, store::Get("k")));
  EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kRegionNotFound);
}

// Nobody speaks to the learner, and it asks nobody: calls would wait for its leader for ever.
TEST_F(StoreElsewhereTest, NotWhenARemovedLearnerIsLeftHere) {
  const PeerId learner(1000);
  const raft::MemberChange add{raft::MemberChange::Kind::kAddLearner, learner, StoreId(4)};
  ASSERT_EQ(stores_.Tell(Leader(1)->first, ChangePeers{{add}}), "");
  // Sooner than the driver, which has no use for it, can have it removed.
  while (!stores_.hosts(4) || !stores_.peer(4).raft.last_log.index) {
    if (!stores_.Step()) stores_.Wait(Duration::Milliseconds(1));
  }
  stores_.Isolate(4);
  Await([&] { return !Leader(1)->second.raft.conf.IsMember(learner); });
  stores_.Settle();
  stores_.Heal();
  stores_.DropAll();
  stores_.Pass(Duration::Seconds(5));
  ASSERT_TRUE(stores_.hosts(4));
  EXPECT_EQ(Swap(4, "", "k", "v"), "version 1");
  Await([&] { return !stores_.hosts(4); });
}

// Each region on a store of its own, and neither on store 1, which is let go.
class DriverElsewhereTest : public ClusterTest {
 protected:
  static Options OneReplica() {
    Options options = ClusterOptions();
    options.cluster->driver.replicas = 1;
    return options;
  }
  DriverElsewhereTest() : ClusterTest(OneReplica()) {
    Found();
    Join(2);
    Join(3);
    const auto view = std::get<pd::ClusterView>(Ask(1, pd::Query(pd::GetCluster{})));
    Ask(1, pd::Command(pd::SetStoreState{StoreId(1), pd::StoreState::kDraining, view.revision}));
    Await([&] { return Apart(); });
  }
  bool Apart() {
    return Holders(1).size() == 1 && Holders(2).size() == 1 && Holders(1) != Holders(2) &&
           Holders(1).front() != 1 && Holders(2).front() != 1;
  }
};

// The driver's errands name the region, so that nothing else asks where it is.
TEST_F(DriverElsewhereTest, ItFindsTheRegionsThatItsErrandsAreFor) {
  ASSERT_TRUE(Apart());
  const uint64_t driver = Holders(2).front();
  const auto ns = std::get<pd::Namespace>(
      Ask(driver, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kStrong})));
  stores_.Restart(driver);
  Await([&] { return Leader(2).has_value(); });
  Ask(driver, pd::Command(pd::StartModeSwitch{"logs", pd::Mode::kEventual, ns.mode_epoch}));
  Await([&] {
    const pd::Namespace* known = stores_.store(driver).directory()->Find("logs");
    return known != nullptr && known->state == pd::ModeState::kEventual;
  });
}

// The driver is here: its answer that a replica without a leader is a member comes at once, and
// helps nobody.
TEST_F(DriverElsewhereTest, ItDoesNotAskWithoutAPause) {
  const uint64_t driver = Holders(2).front();
  const uint64_t leader = Holders(1).front();
  Ask(driver, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
  const PeerId learner(1000);
  const raft::MemberChange add{raft::MemberChange::Kind::kAddLearner, learner, StoreId(driver)};
  ASSERT_EQ(stores_.Tell(leader, ChangePeers{{add}}), "");
  const auto has_begun = [&] {
    return stores_.hosts(driver) && stores_.peer(driver).raft.last_log.index;
  };
  for (int step = 0; step < 10'000 && !has_begun(); ++step) {
    if (!stores_.Step()) stores_.Wait(Duration::Milliseconds(1));
  }
  ASSERT_TRUE(has_begun());
  stores_.Drop([&](const StoreMessage& message) {
    const auto* raft = std::get_if<RaftEnvelope>(&message);
    return raft != nullptr && raft->message.to == learner &&
           std::holds_alternative<raft::AppendRequest>(raft->message.body);
  });
  EXPECT_EQ(PutRaw(driver, "logs", "k", "v"), "accepted");
  Await([&] { return stores_.peer(leader).applied_index > stores_.peer(driver).applied_index; });
  stores_.Kill(leader);
  stores_.Pass(Duration::Seconds(2));
  EXPECT_TRUE(stores_.hosts(driver));
  EXPECT_EQ(stores_.store(driver).outbox_rows(), 1u);
}

TEST_F(StoreElsewhereTest, ItAcceptsEventualWritesAndShipsThem) {
  EXPECT_EQ(PutRaw(4, "logs", "k", "v"), "accepted");
  Await([&] { return Held(4) == 0; });
  for (uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(GetRaw(id, "logs", "k"), "v") << "at " << id;
}

// Its leader showed them then. A replica that comes here later may begin with a snapshot from
// before.
TEST_F(StoreElsewhereTest, WhatItReleasedAReplicaHasToShowBeforeItIsRead) {
  const std::string unseen("\x02u\0\0\0\0\0\0\0\x01", 10);
  EXPECT_EQ(PutRaw(4, "logs", "k", "v"), "accepted");
  Await([&] { return Held(4) == 0; });
  EXPECT_TRUE(stores_.data(4).rows.contains(unseen));

  const uint64_t follower = Leader(1)->first % 3 + 1;
  const auto forwards = [&] { return stores_.sent<ForwardedRequest>(); };
  size_t before = forwards();
  EXPECT_EQ(GetRaw(follower, "logs", "k"), "v");
  EXPECT_EQ(forwards(), before);
  // As if it had released a write that its replica is far from having.
  stores_.data(follower).rows[unseen] = "\x01\xe8\x07";
  stores_.Restart(follower);
  Await([&] { return Leader(1) && stores_.peer(follower).raft.leader; });
  before = forwards();
  EXPECT_EQ(GetRaw(follower, "logs", "k"), "v");
  EXPECT_GT(forwards(), before);
  // And one that it has.
  stores_.data(follower).rows[unseen] = "\x01\x01";
  stores_.Restart(follower);
  EXPECT_EQ(PutRaw(follower, "logs", "l", "w"), "accepted");
  Await([&] { return !stores_.data(follower).rows.contains(unseen); });
}

// Nor does one elsewhere answer that has yet to apply them.
TEST_F(StoreElsewhereTest, WhatItReleasedIsAskedOfWhoHasIt) {
  EXPECT_EQ(PutRaw(4, "logs", "k", "v"), "accepted");
  Await([&] { return Held(4) == 0; });
  std::optional<ForwardedRequest> asked;
  stores_.Drop([&](const StoreMessage& message) {
    const auto* forwarded = std::get_if<ForwardedRequest>(&message);
    if (forwarded != nullptr && std::holds_alternative<GetRequest>(forwarded->request.operation)) {
      asked = *forwarded;
    }
    return false;
  });
  EXPECT_EQ(GetRaw(4, "logs", "k"), "v");
  ASSERT_TRUE(asked);
  EXPECT_GT(asked->unseen, Index());

  const uint64_t leader = Leader(1)->first;
  const uint64_t follower = leader % 3 + 1;
  const auto answer = [&](uint64_t store) {
    stores_.link(store, 4).clear();
    stores_.Turn(store, {MessageReceived{StoreId(4), *asked}});
    const std::deque<StoreMessage>& answers = stores_.link(store, 4);
    const auto* reply = answers.empty() ? nullptr : std::get_if<ForwardedReply>(&answers.back());
    return reply == nullptr ? "none" : Sentence(reply->reply);
  };
  EXPECT_EQ(answer(follower), "no error");
  asked->unseen = stores_.peer(follower).applied_index + 1;
  EXPECT_THAT(answer(follower), HasSubstr("does not lead"));
}

TEST_F(StoreElsewhereTest, CutOffItAcceptsThemAndDoesNotGuess) {
  EXPECT_EQ(PutRaw(4, "logs", "k", "old"), "accepted");
  Await([&] { return Held(4) == 0; });
  CutOff(4);
  EXPECT_EQ(PutRaw(4, "logs", "k", "new"), "accepted");
  EXPECT_THAT(GetRaw(4, "logs", "k"), HasSubstr("deadline")) << "somebody may have written later";
  EXPECT_EQ(Held(4), 1u);
  stores_.Restart(4);
  EXPECT_EQ(Held(4), 1u);
  stores_.Heal();
  Await([&] { return Held(4) == 0; });
  EXPECT_EQ(GetRaw(1, "logs", "k"), "new");
}

TEST_F(StoreElsewhereTest, WhoWroteHereFindsItHereBeforeItIsShipped) {
  EXPECT_EQ(PutRaw(1, "logs", "a", "1"), "accepted");
  EXPECT_EQ(PutRaw(1, "logs", "c", "3"), "accepted");
  EXPECT_EQ(GetRaw(4, "logs", "a"), "1");
  // Parcels do not get through, questions do.
  stores_.Drop([](const StoreMessage& message) {
    const auto* forwarded = std::get_if<ForwardedRequest>(&message);
    return forwarded != nullptr &&
           std::holds_alternative<kv::NamespaceCommand>(forwarded->request.operation);
  });
  EXPECT_EQ(PutRaw(4, "logs", "a", "one"), "accepted");
  EXPECT_EQ(PutRaw(4, "logs", "b", "2"), "accepted");
  EXPECT_EQ(PutRaw(4, "logs", "c", std::nullopt), "accepted");
  EXPECT_EQ(GetRaw(4, "logs", "a"), "one");
  EXPECT_EQ(GetRaw(4, "logs", "c"), "none");
  EXPECT_EQ(GetRaw(1, "logs", "c"), "3");
  ScanRequest scan;
  scan.mode = kv::Mode::kEventual;
  const Reply reply = Do(4, scan, "logs");
  const auto* page = std::get_if<ScanReply>(&reply.result);
  ASSERT_NE(page, nullptr) << Sentence(reply);
  std::string rows;
  for (const kv::ScanRow& row : page->page.rows) rows += row.key + "=" + row.value + " ";
  EXPECT_EQ(rows, "a=one b=2 ");
  EXPECT_EQ(Held(4), 3u);
}

TEST_F(StoreElsewhereTest, AScanOverMoreThanFitsIsCutShort) {
  stores_.Drop([](const StoreMessage& message) {
    const auto* forwarded = std::get_if<ForwardedRequest>(&message);
    return forwarded != nullptr &&
           std::holds_alternative<kv::NamespaceCommand>(forwarded->request.operation);
  });
  const std::string large(200 << 10, 'x');
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_EQ(PutRaw(4, "logs", key, large), "accepted");
  }
  EXPECT_EQ(PutRaw(1, "logs", "d", "4"), "accepted");
  std::string keys;
  ScanRequest scan;
  scan.mode = kv::Mode::kEventual;
  for (int pages = 0; pages < 10; ++pages) {
    const Reply reply = Do(4, scan, "logs");
    const auto* page = std::get_if<ScanReply>(&reply.result);
    ASSERT_NE(page, nullptr) << Sentence(reply);
    for (const kv::ScanRow& row : page->page.rows) keys += row.key;
    scan.begin = page->page.next_key;
    if (scan.begin.empty()) break;
  }
  EXPECT_EQ(keys, "abcd");
}

// A store that is to get its replica of region 1, but not the snapshot that it would begin with.
class StoreGrowingTest : public ClusterTest {
 protected:
  StoreGrowingTest() {
    Grow(2);
    Ask(1, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
    stores_.Drop([](const StoreMessage& message) {
      const auto* raft = std::get_if<RaftEnvelope>(&message);
      return raft != nullptr && raft->region == RegionId(1) &&
             std::holds_alternative<raft::SnapshotRequest>(raft->message.body);
    });
    Join(3);
    Await(
        [&] { return stores_.hosts(3) && stores_.store(3).directory()->Find("logs") != nullptr; });
    EXPECT_EQ(PutRaw(3, "logs", "k", "v"), "accepted");
    Await([&] { return GetRaw(1, "logs", "k") == "v"; });
  }
  size_t Held() { return stores_.store(3).outbox_rows(); }
};

// The snapshot may be older than the row: who wrote here would not find it here.
TEST_F(StoreGrowingTest, ItKeepsWhatTheReplicaThatComesHasYetToShow) {
  stores_.Pass(Duration::Seconds(10));
  EXPECT_EQ(Held(), 1u);
  EXPECT_EQ(GetRaw(3, "logs", "k"), "v");
  stores_.Heal();
  Await([&] { return Held() == 0; });
  EXPECT_EQ(GetRaw(3, "logs", "k"), "v");
}

TEST_F(StoreGrowingTest, ButNotForOneThatNobodySpeaksTo) {
  stores_.Drop([](const StoreMessage& message) {
    const auto* raft = std::get_if<RaftEnvelope>(&message);
    return raft != nullptr && raft->region == RegionId(1) && raft->message.to == PeerId(3);
  });
  Await([&] { return Held() == 0; });
}

}  // namespace
}  // namespace flaredb::store
