// SPDX-License-Identifier: Apache-2.0
// One store and the calls that it answers, made by hand.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/wall_clock.h"
#include "tests/core/store/cluster.h"

namespace flaredb::store {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Store 2 is a member that has no replicas; whoever calls it is store 1.
class StoreRollCallTest : public ClusterTest {
 protected:
  StoreRollCallTest() { stores_.AddEmptyStore(2); }

  static cluster::RollCall Call(uint64_t term, uint64_t round) {
    cluster::RollCall call;
    call.term = Term(term);
    call.round = round;
    call.pd = FoundingRegions(StoreId(1))[1];
    return call;
  }
  // With the stores 1 and 2 and the namespace "logs".
  cluster::RollCall CallWithView(uint64_t term, uint64_t round, pd::ModeState state,
                                 uint64_t epoch) {
    cluster::RollCall call = Call(term, round);
    call.view.cluster = pd::ClusterId(7);
    call.view.revision = pd::Revision(epoch + 2);
    for (uint64_t id = 1; id <= 2; ++id) {
      pd::StoreInfo info;
      static_cast<pd::StoreDescriptor&>(info) = {StoreId(id), stores_.IdentityOf(id).instance,
                                                 Stores::AddressOf(id), 0};
      info.changed = pd::Revision(id);
      call.view.stores.push_back(info);
    }
    call.view.namespaces = {
        {kv::NamespaceId(2), "logs", state, pd::ModeEpoch(epoch), false, pd::Revision(epoch + 2)}};
    return call;
  }
  // The answers that leave while the call is taken in and becomes durable.
  std::vector<cluster::RollAnswer> Answers(cluster::RollCall call) {
    stores_.Turn(2, {MessageReceived{StoreId(1), std::move(call)}});
    while (stores_.WriteNext(2)) {
    }
    return Sent();
  }
  std::vector<cluster::RollAnswer> Sent() {
    std::vector<cluster::RollAnswer> answers;
    for (StoreMessage& message : std::exchange(stores_.link(2, 1), {})) {
      auto* answer = std::get_if<cluster::RollAnswer>(&message);
      if (answer != nullptr) answers.push_back(std::move(*answer));
    }
    return answers;
  }
};

TEST_F(StoreRollCallTest, AnAnswerSaysWhichCallAndWhoseDisk) {
  const auto answers = Answers(CallWithView(3, 8, pd::ModeState::kEventual, 4));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].term, Term(3));
  EXPECT_EQ(answers[0].round, 8u);
  EXPECT_EQ(answers[0].instance, stores_.IdentityOf(2).instance);
  EXPECT_EQ(answers[0].known, pd::Revision(6));
  ASSERT_EQ(answers[0].namespaces.size(), 1u);
  EXPECT_EQ(answers[0].namespaces[0].mode_epoch, pd::ModeEpoch(4));
  EXPECT_EQ(answers[0].namespaces[0].unshipped, 0u);
}

TEST_F(StoreRollCallTest, ItLeavesWhenTheDiskHasWhatItSays) {
  stores_.Turn(2, {MessageReceived{StoreId(1), CallWithView(3, 8, pd::ModeState::kEventual, 4)}});
  EXPECT_THAT(Sent(), IsEmpty());
  ASSERT_TRUE(stores_.WriteNext(2));
  EXPECT_EQ(Sent().size(), 1u);
}

TEST_F(StoreRollCallTest, ItLeavesAtOnceWhenTheDiskHasItAlready) {
  EXPECT_EQ(Answers(Call(3, 8)).size(), 1u);
  stores_.Turn(2, {MessageReceived{StoreId(1), Call(3, 9)}});
  EXPECT_EQ(stores_.writes_pending(2), 0u) << "there was nothing new";
  EXPECT_EQ(Sent().size(), 1u);
}

TEST_F(StoreRollCallTest, ButNotBeforeWritesThatAreUnderWay) {
  EXPECT_EQ(Answers(CallWithView(3, 8, pd::ModeState::kEventual, 4)).size(), 1u);
  stores_.HoldDisk(2);
  stores_.Turn(2,
               {MessageReceived{StoreId(1), CallWithView(3, 9, pd::ModeState::kToStrongDrain, 5)}});
  stores_.Turn(2, {MessageReceived{StoreId(1), Call(3, 10)}});
  EXPECT_THAT(Sent(), IsEmpty()) << "the second knows what the first one told";
  stores_.FreeDisk(2);
  EXPECT_EQ(Sent().size(), 2u);
}

TEST_F(StoreRollCallTest, AnOldCallHasNoAnswerAndNoEffect) {
  EXPECT_EQ(Answers(CallWithView(3, 8, pd::ModeState::kEventual, 4)).size(), 1u);
  EXPECT_THAT(Answers(Call(3, 8)), IsEmpty()) << "twice";
  EXPECT_THAT(Answers(Call(3, 7)), IsEmpty());
  EXPECT_THAT(Answers(CallWithView(2, 9, pd::ModeState::kToStrongDrain, 5)), IsEmpty());
  EXPECT_EQ(stores_.store(2).directory()->Find("logs")->state, pd::ModeState::kEventual);
  EXPECT_EQ(Answers(Call(4, 1)).size(), 1u) << "a new term counts anew";
  stores_.Restart(2);
  EXPECT_THAT(Answers(Call(3, 100)), IsEmpty()) << "the term outlives the process";
  EXPECT_EQ(Answers(Call(4, 1)).size(), 1u) << "the round does not";
}

TEST_F(StoreRollCallTest, AnotherClustersCallIsNone) {
  cluster::RollCall call = CallWithView(3, 8, pd::ModeState::kEventual, 4);
  call.view.cluster = pd::ClusterId(8);
  EXPECT_THAT(Answers(call), IsEmpty());
  EXPECT_THAT(Known(2), IsEmpty());
}

TEST_F(StoreRollCallTest, TheClustersClockIsFollowedHoweverFarItIsAhead) {
  cluster::RollCall call = CallWithView(3, 8, pd::ModeState::kEventual, 4);
  call.clock = kv::HlcAt(2'000'000'000'000);
  const auto answers = Answers(call);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_GT(answers[0].clock, call.clock);
  stores_.Restart(2);
  const Reply reply = Do(2, RawWriteRequest{kv::NamespaceId::kDefault, "k", "v"}, "logs");
  const auto* accepted = std::get_if<AcceptedReply>(&reply.result);
  ASSERT_NE(accepted, nullptr) << Sentence(reply);
  EXPECT_GT(accepted->hlc, call.clock) << "the disk remembers";
}

TEST_F(StoreRollCallTest, WritesThatAreNotShippedAreReported) {
  EXPECT_EQ(Answers(CallWithView(3, 8, pd::ModeState::kEventual, 4)).size(), 1u);
  const Reply reply = Do(2, RawWriteRequest{kv::NamespaceId::kDefault, "k", "v"}, "logs");
  const auto* accepted = std::get_if<AcceptedReply>(&reply.result);
  ASSERT_NE(accepted, nullptr) << Sentence(reply);
  const auto answers = Answers(CallWithView(3, 9, pd::ModeState::kToStrongDrain, 5));
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].namespaces.size(), 1u);
  EXPECT_EQ(answers[0].namespaces[0].unshipped, 1u);
  EXPECT_EQ(answers[0].namespaces[0].watermark, accepted->hlc);
  EXPECT_THAT(PutRaw(2, "logs", "l", "v"), HasSubstr("about to change"));
}

TEST_F(StoreRollCallTest, NothingIsAcceptedBeforeTheClusterHasToldTheTime) {
  const auto write = [&] { return Do(2, RawWriteRequest{kv::NamespaceId(2), "k", "v"}); };
  // What an inquiry tells comes from the placement driver, too, but without the time.
  stores_.Turn(
      2, {NamespaceChanged{kv::NamespaceId(2), {kv::Mode::kEventual, kv::ModeEpoch(4), false}}});
  EXPECT_THAT(Sentence(write()), HasSubstr("yet to hear"));
  EXPECT_EQ(Answers(Call(3, 8)).size(), 1u);
  EXPECT_EQ(ErrorOf(write()).code, ErrorCode::kNotAccepting);
  cluster::RollCall call = CallWithView(3, 9, pd::ModeState::kEventual, 4);
  call.clock = kv::HlcAt(2'000'000'000'000);
  EXPECT_EQ(Answers(call).size(), 1u);
  const Reply reply = write();
  const auto* accepted = std::get_if<AcceptedReply>(&reply.result);
  ASSERT_NE(accepted, nullptr) << Sentence(reply);
  EXPECT_GT(accepted->hlc, call.clock);
}

TEST_F(StoreRollCallTest, AWallClockThatIsFarAheadStampsNothing) {
  const uint64_t here = static_cast<uint64_t>((stores_.now() - Instant()).milliseconds());
  const auto call = [&](uint64_t round, uint64_t unix_ms) {
    cluster::RollCall call = CallWithView(3, round, pd::ModeState::kEventual, 4);
    call.unix_ms = unix_ms;
    return Answers(call);
  };
  const auto put = [&](uint64_t unix_ms) {
    const CallId id(1000 + unix_ms);
    stores_.Turn(2, {ClientCall{id,
                                {std::nullopt, kBudget,
                                 RawWriteRequest{kv::NamespaceId::kDefault, "k", "v"}, "logs"},
                                unix_ms}});
    stores_.Settle();
    return Sentence(*stores_.reply(id));
  };
  const uint64_t now = here + 1'000'000;
  EXPECT_EQ(call(8, now).size(), 1u);
  EXPECT_EQ(put(now + 500), "no error");
  EXPECT_THAT(put(now + 501), HasSubstr("its wall clock is 501 ms ahead of most stores'"));
  const auto answers = call(9, now);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].unix_ms, now + 501) << "others shall see it";
  EXPECT_LT(answers[0].clock, kv::HlcAt(now + 501)) << "but no watermark follows it";
  EXPECT_EQ(put(now), "no error") << "it was set";
}

TEST_F(StoreRollCallTest, AWallClockThatIsSetIsSeenWhereNobodyCalls) {
  const auto shown = [&](uint64_t round, uint64_t unix_ms) {
    cluster::RollCall call = CallWithView(3, round, pd::ModeState::kEventual, 4);
    std::vector<Event> events;
    events.push_back(MessageReceived{StoreId(1), std::move(call)});
    TellWallClock(&events, [&] { return unix_ms; });
    stores_.Turn(2, std::move(events));
    while (stores_.WriteNext(2)) {
    }
    const std::vector<cluster::RollAnswer> answers = Sent();
    return answers.empty() ? 0 : answers.back().unix_ms;
  };
  EXPECT_EQ(shown(8, 5'000'000), 5'000'000u);
  EXPECT_EQ(shown(9, 3'000'000), 3'000'000u);
}

TEST_F(StoreRollCallTest, AStoreThatIsToGoAcceptsNothingAnyMore) {
  cluster::RollCall call = CallWithView(3, 8, pd::ModeState::kEventual, 4);
  call.view.stores[1].state = pd::StoreState::kDraining;
  EXPECT_EQ(Answers(call).size(), 1u);
  EXPECT_THAT(PutRaw(2, "logs", "k", "v"), HasSubstr("because it is being drained"));
  stores_.Restart(2);
  EXPECT_THAT(PutRaw(2, "logs", "k", "v"), HasSubstr("because it is being drained"));
  call = CallWithView(4, 1, pd::ModeState::kEventual, 5);
  EXPECT_EQ(Answers(call).size(), 1u);
  EXPECT_EQ(PutRaw(2, "logs", "k", "v"), "accepted") << "it stays after all";
}

TEST_F(StoreRollCallTest, AStoreThatWasGivenUpAcceptsNothingAnyMore) {
  EXPECT_EQ(Answers(CallWithView(3, 8, pd::ModeState::kEventual, 4)).size(), 1u);
  EXPECT_EQ(PutRaw(2, "logs", "k", "v"), "accepted");
  stores_.Turn(2, {Expelled{}});
  EXPECT_THAT(PutRaw(2, "logs", "l", "v"), HasSubstr("because it was given up"));
  stores_.Settle();
  stores_.Restart(2);
  EXPECT_THAT(PutRaw(2, "logs", "l", "v"), HasSubstr("because it was given up"));
  ASSERT_EQ(stores_.store(2).waiting().size(), 1u);
  EXPECT_THAT(stores_.store(2).waiting()[0], HasSubstr("did not pass on: 1"));
}

TEST_F(StoreRollCallTest, AnOrderForARegionThatIsNotHereIsRefused) {
  cluster::RollCall call = Call(3, 8);
  call.orders.push_back({RegionId(9), {1, 1}, cluster::MoveLeader{PeerId(4)}});
  const auto answers = Answers(call);
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].refusals.size(), 1u);
  EXPECT_EQ(answers[0].refusals[0].region, RegionId(9));
  EXPECT_THAT(answers[0].refusals[0].why, HasSubstr("no replica"));
}

TEST_F(StoreRollCallTest, AnOrderIsForTheRegionAsItWasWhenItWasPlanned) {
  Stores stores(1, ClusterOptions());
  stores.AwaitLeader();
  cluster::RollCall call = Call(99, 1);
  const std::vector<raft::MemberChange> add = {
      {raft::MemberChange::Kind::kAddLearner, PeerId(5), StoreId(5)}};
  call.orders.push_back({RegionId(1), {2, 1}, cluster::ChangeMembers{add}});
  stores.Turn(1, {MessageReceived{StoreId(9), call}});
  EXPECT_FALSE(stores.peer(1).raft.conf.IsMember(PeerId(5)));
  call.round = 2;
  call.orders[0].epoch = {1, 1};
  stores.Turn(1, {MessageReceived{StoreId(9), call}});
  EXPECT_TRUE(stores.peer(1).raft.conf.IsMember(PeerId(5)));
}

TEST_F(StoreRollCallTest, WhatTheClusterWaitsForIsShown) {
  cluster::RollCall call = Call(3, 8);
  call.waiting = {"the moon"};
  Answers(call);
  EXPECT_EQ(stores_.store(2).waiting(), call.waiting);
  EXPECT_EQ(Answers(Call(3, 9)).size(), 1u);
  EXPECT_THAT(stores_.store(2).waiting(), IsEmpty());
}

}  // namespace
}  // namespace flaredb::store
