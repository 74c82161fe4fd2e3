// SPDX-License-Identifier: Apache-2.0
#include "net/server/mode_service.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/pd/command.h"
#include "core/pd/mode_switch.h"
#include "net/server/mode_wish.h"
#include "proto/modes.pb.h"
#include "tests/net/server/pd_server.h"

namespace flaredb::net {
namespace {

using absl::StatusCode;
using errorpb::PlacementRefused;
using pd::Mode;
using pd::ModeState;

constexpr char kGet[] = "/raftpb.RaftService/GetMode";
constexpr char kList[] = "/raftpb.RaftService/ListNamespaceModes";
constexpr char kUpdate[] = "/raftpb.RaftService/UpdateNamespaceMode";

class ModeServiceTest : public PdServer {
 protected:
  ModeServiceTest() { Must(pd::Founding()); }

  static raftpb::UpdateNamespaceModeRequest To(const std::string& mode, uint64_t expected = 0) {
    raftpb::UpdateNamespaceModeRequest request;
    request.set_namespace_("logs");
    request.set_mode(mode);
    request.set_expected_mode_epoch(expected);
    request.set_wait_ms(1);
    return request;
  }
  static raftpb::UpdateNamespaceModeRequest Back(uint64_t expected = 0) {
    raftpb::UpdateNamespaceModeRequest request = To("", expected);
    request.set_cancel(true);
    return request;
  }
  raftpb::UpdateNamespaceModeResponse Update(const raftpb::UpdateNamespaceModeRequest& request) {
    return Call<raftpb::UpdateNamespaceModeResponse>(kUpdate, request);
  }
  // "logs", which must exist.
  pd::Namespace Logs() const { return Get<pd::Namespace>(pd::GetNamespace{"logs"}); }
  pd::Namespace Advance() {
    return Must<pd::Namespace>(pd::AdvanceModeSwitch{"logs", Logs().mode_epoch});
  }
  // Takes "logs", which comes into being, to `state`.
  void Reach(ModeState state) {
    Must<pd::Namespace>(pd::EnsureNamespace{"logs", Mode::kStrong});
    if (state == ModeState::kStrong) return;
    Must<pd::Namespace>(pd::StartModeSwitch{"logs", Mode::kEventual, Logs().mode_epoch});
    if (state == ModeState::kToEventual) return;
    Advance();
    if (state == ModeState::kEventual) return;
    Must<pd::Namespace>(pd::StartModeSwitch{"logs", Mode::kStrong, Logs().mode_epoch});
    if (state == ModeState::kToStrongDrain) return;
    Advance();
  }
};

TEST_F(ModeServiceTest, TellsTheModeOfANamespace) {
  Reach(ModeState::kEventual);
  raftpb::GetModeRequest request;
  request.set_namespace_("logs");
  const auto got = Call<raftpb::GetModeResponse>(kGet, request);
  EXPECT_EQ(got.namespace_(), "logs");
  EXPECT_EQ(got.mode(), "eventual");
  EXPECT_EQ(got.state(), "eventual");
  EXPECT_EQ(got.mode_epoch(), Logs().mode_epoch.value());
  EXPECT_EQ(got.namespace_id(), static_cast<uint32_t>(Logs().id));
  EXPECT_FALSE(got.from_default());
}

TEST_F(ModeServiceTest, NoNameIsTheDefaultNamespaceAndUseMakesNamespacesFromDefault) {
  Must<pd::Namespace>(pd::EnsureNamespace{"used", std::nullopt});
  raftpb::GetModeRequest request;
  EXPECT_EQ(Call<raftpb::GetModeResponse>(kGet, request).namespace_(), "default");
  request.set_namespace_("used");
  const auto got = Call<raftpb::GetModeResponse>(kGet, request);
  EXPECT_EQ(got.mode(), "strong");
  EXPECT_TRUE(got.from_default());
}

TEST_F(ModeServiceTest, UntilASwitchIsThroughTheModeIsTheOneItComesFrom) {
  raftpb::GetModeRequest request;
  request.set_namespace_("logs");
  Reach(ModeState::kToEventual);
  EXPECT_EQ(Call<raftpb::GetModeResponse>(kGet, request).mode(), "strong");
  EXPECT_EQ(Call<raftpb::GetModeResponse>(kGet, request).state(), "to_eventual");
  Reach(ModeState::kToStrongDrain);
  EXPECT_EQ(Call<raftpb::GetModeResponse>(kGet, request).mode(), "eventual");
  EXPECT_EQ(Call<raftpb::GetModeResponse>(kGet, request).state(), "to_strong_drain");
}

TEST_F(ModeServiceTest, ANamespaceThatDoesNotExistIsNotFound) {
  raftpb::GetModeRequest request;
  request.set_namespace_("logs");
  const errorpb::Error error = Refusal(kGet, request, StatusCode::kNotFound);
  EXPECT_EQ(error.namespace_not_found().namespace_(), "logs");
}

TEST_F(ModeServiceTest, ListsAllNamespacesHoweverManyPagesTheyAre) {
  for (int i = 0; i < 2100; ++i) {
    Must<pd::Namespace>(pd::EnsureNamespace{"n" + std::to_string(10000 + i), std::nullopt});
  }
  raftpb::ListNamespaceModesRequest request;
  auto got = Call<raftpb::ListNamespaceModesResponse>(kList, request);
  ASSERT_EQ(got.namespaces_size(), 2101);
  EXPECT_EQ(got.namespaces(0).namespace_(), "default");
  for (int i = 1; i < 2101; ++i) {
    EXPECT_EQ(got.namespaces(i).namespace_(), "n" + std::to_string(9999 + i));
  }
  EXPECT_EQ(got.default_mode(), "strong");
  request.set_prefix("n1200");
  got = Call<raftpb::ListNamespaceModesResponse>(kList, request);
  EXPECT_EQ(got.namespaces_size(), 10);
}

TEST_F(ModeServiceTest, AnUpdateCreatesANamespaceInItsMode) {
  const auto got = Update(To("Eventual"));
  EXPECT_EQ(got.mode().mode(), "eventual");
  EXPECT_EQ(got.mode().state(), "eventual");
  EXPECT_EQ(got.mode().mode_epoch(), 1u);
  EXPECT_EQ(got.waiting_for_size(), 0);
  EXPECT_FALSE(Logs().from_default);
}

TEST_F(ModeServiceTest, AnUpdateThatExpectsAnEpochCreatesNothing) {
  EXPECT_TRUE(Refusal(kUpdate, To("eventual", 3), StatusCode::kNotFound).has_namespace_not_found());
}

TEST_F(ModeServiceTest, AnUpdateWaitsUntilTheSwitchIsThrough) {
  Reach(ModeState::kStrong);
  auto request = To("eventual");
  request.set_wait_ms(9000);
  const auto result = Begin(kUpdate, request);
  RunUntil([&] { return Logs().state == ModeState::kToEventual; });
  loop_->RunOnce(MonotonicNow() + Duration::Milliseconds(20));
  EXPECT_FALSE(result->has_value());
  Advance();
  const auto got = ResponseOf<raftpb::UpdateNamespaceModeResponse>(Finish(result));
  EXPECT_EQ(got.mode().state(), "eventual");
  EXPECT_EQ(got.waiting_for_size(), 0);
}

TEST_F(ModeServiceTest, AnUpdateThatWaitedInVainSaysWhatForAndTheSwitchGoesOn) {
  Reach(ModeState::kEventual);
  const auto got = Update(To("strong"));
  EXPECT_EQ(got.mode().state(), "to_strong_drain");
  ASSERT_EQ(got.waiting_for_size(), 1);
  EXPECT_NE(got.waiting_for(0).find("\"logs\" waits for every store"), std::string::npos);
  EXPECT_EQ(Logs().state, ModeState::kToStrongDrain);
}

TEST_F(ModeServiceTest, WhatIsWaitedForIsToldAsThePlacementDriversLeaderPutsIt) {
  Reach(ModeState::kEventual);
  waiting_ = {"the switch of 'logs2' to strong waits for store 2, which has 3 rows to ship",
              "the switch of 'logs' to strong waits for store 4, which has 1 row to ship",
              "region 1 waits for store 3 to catch up"};
  const auto got = Update(To("strong"));
  ASSERT_EQ(got.waiting_for_size(), 1);
  EXPECT_EQ(got.waiting_for(0), waiting_[1]);
}

TEST_F(ModeServiceTest, AnUpdateAnswersBeforeItsDeadline) {
  Reach(ModeState::kStrong);
  auto request = To("eventual");
  request.set_wait_ms(0);
  loop_->RunOnce(MonotonicNow());  // The deadline is told as the time left by the loop's clock.
  CallOptions options;
  options.deadline = MonotonicNow() + Duration::Milliseconds(300);
  const auto got =
      ResponseOf<raftpb::UpdateNamespaceModeResponse>(Finish(Begin(kUpdate, request, options)));
  EXPECT_EQ(got.mode().state(), "to_eventual");
}

TEST_F(ModeServiceTest, WhoseStoreIsCutOffWhileItWaitsIsToldWhatWasHeardLast) {
  Reach(ModeState::kStrong);
  auto request = To("eventual");
  request.set_wait_ms(200);
  const auto result = Begin(kUpdate, request);
  RunUntil([&] { return Logs().state == ModeState::kToEventual; });
  store_error_.emplace();
  const auto got = ResponseOf<raftpb::UpdateNamespaceModeResponse>(Finish(result));
  EXPECT_EQ(got.mode().state(), "to_eventual");
  EXPECT_EQ(got.waiting_for_size(), 1);
}

TEST_F(ModeServiceTest, AnUpdateThatSawAnotherEpochIsRefused) {
  Reach(ModeState::kStrong);
  const errorpb::Error error = Refusal(kUpdate, To("eventual", 7), StatusCode::kFailedPrecondition);
  EXPECT_EQ(error.placement_refused().reason(), PlacementRefused::MODE_CHANGED);
  EXPECT_EQ(error.placement_refused().about(), 1u);
  EXPECT_EQ(Logs().state, ModeState::kStrong);
}

TEST_F(ModeServiceTest, OnlyTheTwoModesAreModes) {
  for (const char* mode : {"", "stron", "linearizable"}) {
    const errorpb::Error error = Refusal(kUpdate, To(mode), StatusCode::kInvalidArgument);
    EXPECT_NE(error.message().find("\"strong\" and \"eventual\""), std::string::npos);
  }
}

TEST_F(ModeServiceTest, ACancelTurnsASwitchBack) {
  Reach(ModeState::kToStrongDrain);
  EXPECT_EQ(Update(Back()).mode().state(), "eventual");
  EXPECT_EQ(Update(Back()).mode().state(), "eventual");  // Nothing to cancel any more.
  Reach(ModeState::kToStrongFence);
  const errorpb::Error error = Refusal(kUpdate, Back(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(error.placement_refused().reason(), PlacementRefused::TOO_LATE);
  auto request = Back();
  request.set_mode("strong");
  EXPECT_TRUE(Refusal(kUpdate, request, StatusCode::kInvalidArgument).has_invalid_request());
}

TEST_F(ModeServiceTest, ADryRunChangesNothingAndSaysWhoHasToAgree) {
  Must<pd::StoreInfo>(pd::PutStore{pd::StoreOf(2), revision()});
  Reach(ModeState::kEventual);
  const auto before = data_.rows;
  auto request = To("strong");
  request.set_dry_run(true);
  auto got = Update(request);
  EXPECT_EQ(got.mode().state(), "eventual");
  EXPECT_EQ(std::vector<uint64_t>(got.store_ids().begin(), got.store_ids().end()),
            (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(std::vector<uint64_t>(got.region_ids().begin(), got.region_ids().end()),
            (std::vector<uint64_t>{1}));
  EXPECT_EQ(got.waiting_for_size(), 2);

  request.set_mode("eventual");
  got = Update(request);
  EXPECT_EQ(got.waiting_for_size(), 0);
  EXPECT_EQ(got.store_ids_size() + got.region_ids_size(), 0);
  EXPECT_TRUE(data_.rows == before);
}

TEST_F(ModeServiceTest, ADryRunOfANewNamespaceCreatesNone) {
  const auto before = data_.rows;
  auto request = To("eventual");
  request.set_dry_run(true);
  const auto got = Update(request);
  EXPECT_EQ(got.mode().mode(), "eventual");
  EXPECT_EQ(got.mode().mode_epoch(), 0u);
  EXPECT_TRUE(data_.rows == before);
}

// In every state, for every wish.
TEST_F(ModeServiceTest, ADryRunForeseesWhatThePlacementDriverDecides) {
  int refused = 0;
  for (const ModeState state : {ModeState::kStrong, ModeState::kToEventual, ModeState::kEventual,
                                ModeState::kToStrongDrain, ModeState::kToStrongFence}) {
    for (const std::optional<Mode> mode :
         {std::optional<Mode>(), std::optional(Mode::kStrong), std::optional(Mode::kEventual)}) {
      for (const uint64_t off : {0, 1}) {
        data_.rows.clear();
        Must(pd::Founding());
        Reach(state);
        const pd::ModeEpoch at(Logs().mode_epoch.value() + off);
        const ModeWish wish{"logs", mode, at};
        const auto foreseen = Foresee(wish, Logs());
        const pd::Reply decided = Do(CommandOf(wish, at));
        if (const auto* refusal = std::get_if<pd::Refused>(&foreseen)) {
          ++refused;
          EXPECT_EQ(decided, pd::Reply(*refusal));
        } else {
          ASSERT_TRUE(std::holds_alternative<pd::Namespace>(decided));
          EXPECT_EQ(std::get<pd::Namespace>(decided).state, std::get<ModeState>(foreseen));
        }
      }
    }
  }
  EXPECT_GT(refused, 3);
}

TEST_F(ModeServiceTest, WhatTheStoreSaysIsPassedOn) {
  store_error_.emplace();
  store_error_->code = store::ErrorCode::kNotLeader;
  store_error_->leader = StoreId(2);
  store_error_->message = "no leader";
  raftpb::GetModeRequest request;
  const errorpb::Error error = Refusal(kGet, request, StatusCode::kUnavailable);
  EXPECT_EQ(error.not_leader().leader_address(), "leader:1");
}

TEST_F(ModeServiceTest, AStoreThatStopsRefuses) {
  pd_.Refuse(StoreId(3));
  raftpb::GetModeRequest request;
  EXPECT_EQ(Refusal(kGet, request, StatusCode::kUnavailable).store_draining().store_id(), 3u);
}

}  // namespace
}  // namespace flaredb::net
