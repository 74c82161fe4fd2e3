// SPDX-License-Identifier: Apache-2.0
// Namespaces change their mode while they are in use, by the placement driver and the stores alone.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/store/cluster.h"

namespace flaredb::store {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;

class StoreModesTest : public ClusterTest {
 protected:
  void Switch(pd::Mode mode) {
    const pd::Reply reply =
        Ask(Leader(2)->first, pd::Command(pd::StartModeSwitch{"logs", mode, pd::ModeEpoch()}));
    EXPECT_TRUE(std::holds_alternative<pd::Namespace>(reply));
  }
  pd::ModeState State(uint64_t store) {
    const pd::Namespace* ns = stores_.store(store).directory()->Find("logs");
    return ns != nullptr ? ns->state : pd::ModeState::kStrong;
  }
  void AwaitState(pd::ModeState state) {
    Await([&] {
      for (const uint64_t id : stores_.alive()) {
        if (State(id) != state) return false;
      }
      return true;
    });
  }
  // The last operation of a key that was answered with yes, whatever door it came through.
  std::map<std::string, std::string> written_;

  // Knocks at both doors at every store; what is let in is noted.
  void Knock(int round) {
    for (const uint64_t id : stores_.alive()) {
      const std::string raw = "r" + std::to_string(id) + "-" + std::to_string(round);
      const std::string cas = "c" + std::to_string(id) + "-" + std::to_string(round);
      const CallId raw_call =
          stores_.Call(id, Request{std::nullopt, kBudget,
                                   RawWriteRequest{kv::NamespaceId::kDefault, raw, raw}, "logs"});
      const CallId cas_call =
          stores_.Call(id, Request{std::nullopt, kBudget, store::Swap(cas, cas), "logs"});
      stores_.Pass(Duration::Milliseconds(7));
      calls_.push_back({raw_call, raw});
      calls_.push_back({cas_call, cas});
    }
  }
  void Collect() {
    for (const auto& [call, key] : calls_) {
      const Reply reply = Wait(call);
      if (std::holds_alternative<Error>(reply.result)) {
        EXPECT_EQ(ErrorOf(reply).code, ErrorCode::kNamespaceMode) << ErrorOf(reply).message;
      } else {
        written_[key] = key;
      }
    }
    calls_.clear();
  }

  std::vector<std::pair<CallId, std::string>> calls_;
};

TEST_F(StoreModesTest, ThereAndBackUnderWrites) {
  Grow(3);
  EXPECT_EQ(Swap(1, "logs", "k", "v"), "version 1");
  int round = 0;
  for (int trip = 0; trip < 3; ++trip) {
    Switch(pd::Mode::kEventual);
    for (int i = 0; i < 25; ++i) Knock(++round);
    AwaitState(pd::ModeState::kEventual);
    EXPECT_EQ(GetRaw(2, "logs", "k"), "v");
    for (int i = 0; i < 5; ++i) Knock(++round);
    Switch(pd::Mode::kStrong);
    for (int i = 0; i < 25; ++i) Knock(++round);
    AwaitState(pd::ModeState::kStrong);
    for (int i = 0; i < 5; ++i) Knock(++round);
    Collect();
  }
  size_t raw = 0;
  for (const auto& [key, value] : written_) {
    raw += key[0] == 'r' ? 1 : 0;
    EXPECT_EQ(Get(1, "logs", key), value);
  }
  EXPECT_GT(raw, 50u);
  EXPECT_GT(written_.size() - raw, 50u);
  EXPECT_EQ(Swap(3, "logs", "k", "w", 1), "version 2");
}

TEST_F(StoreModesTest, AStoreThatIsCutOffIsWaitedForAndNamed) {
  Grow(4);
  Ask(1, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
  AwaitState(pd::ModeState::kEventual);
  uint64_t away = 0;
  for (const uint64_t id : {4, 3, 2, 1}) {
    if (id != Leader(2)->first && id != Leader(1)->first) away = id;
  }
  const uint64_t here = Leader(2)->first;
  stores_.Isolate(away);
  EXPECT_EQ(PutRaw(away, "logs", "k", "far away"), "accepted");
  Switch(pd::Mode::kStrong);
  stores_.Pass(Duration::Seconds(20));
  EXPECT_EQ(State(here), pd::ModeState::kToStrongDrain);
  ASSERT_FALSE(stores_.store(here).waiting().empty());
  EXPECT_THAT(stores_.store(here).waiting()[0], HasSubstr("store " + std::to_string(away)));
  EXPECT_THAT(PutRaw(here, "logs", "l", "v"), HasSubstr("about to change"));
  EXPECT_EQ(PutRaw(away, "logs", "l", "v"), "accepted") << "it has not heard of it";
  stores_.Heal();
  AwaitState(pd::ModeState::kStrong);
  EXPECT_EQ(Get(here, "logs", "k"), "far away");
  EXPECT_EQ(Get(here, "logs", "l"), "v");
}

TEST_F(StoreModesTest, WhatAStoreHasSaidItsDiskRemembers) {
  Grow(3);
  Ask(1, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
  AwaitState(pd::ModeState::kEventual);
  const uint64_t other = Leader(2)->first % 3 + 1;
  stores_.HoldDisk(other);
  Switch(pd::Mode::kStrong);
  stores_.Pass(Duration::Seconds(3));
  EXPECT_EQ(State(other), pd::ModeState::kToStrongDrain);
  EXPECT_EQ(State(Leader(2)->first), pd::ModeState::kToStrongDrain)
      << "a store that would forget it has not answered";
  stores_.FreeDisk(other);
  AwaitState(pd::ModeState::kStrong);
}

// A crash would bring the row back behind the fence, where no region takes it any more.
TEST_F(StoreModesTest, ADrainWaitsUntilNoCrashBringsARowBack) {
  Grow(3);
  Ask(1, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
  AwaitState(pd::ModeState::kEventual);
  const uint64_t leader = Leader(1)->first;
  uint64_t late = 1;
  while (late == leader || late == Leader(2)->first) ++late;
  const PeerId replica = stores_.peer(late).peer;
  stores_.Drop([replica](const StoreMessage& message) {
    const auto* raft = std::get_if<RaftEnvelope>(&message);
    return raft != nullptr && raft->region == RegionId(1) && raft->message.to == replica;
  });
  EXPECT_EQ(PutRaw(late, "logs", "k", "v"), "accepted");
  Await([&] { return GetRaw(leader, "logs", "k") == "v"; });
  Switch(pd::Mode::kStrong);
  stores_.Pass(Duration::Seconds(20));
  EXPECT_EQ(State(leader), pd::ModeState::kToStrongDrain)
      << "the region has the row, but the replica beside its outbox does not";
  stores_.Heal();
  AwaitState(pd::ModeState::kStrong);
  stores_.Restart(late);
  EXPECT_EQ(stores_.store(late).outbox_rows(), 0u);
}

TEST_F(StoreModesTest, DeletedKeysStayDeletedAndTheirTombstonesGo) {
  Grow(3);
  Ask(1, pd::Command(pd::EnsureNamespace{"logs", pd::Mode::kEventual}));
  AwaitState(pd::ModeState::kEventual);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(PutRaw(1, "logs", "k" + std::to_string(i), "v"), "accepted");
  }
  stores_.Pass(Duration::Seconds(1));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(PutRaw(2, "logs", "k" + std::to_string(i), std::nullopt), "accepted");
  }
  const auto records = [&](uint64_t store) {
    size_t rows = 0;
    const kv::KeyRange range =
        kv::EncodeRange(stores_.store(1).directory()->Find("logs")->id, "", "");
    for (const auto& [key, value] : stores_.UserRows(store)) {
      rows += key >= range.begin && key < range.end ? 1 : 0;
    }
    return rows;
  };
  EXPECT_EQ(records(3), 10u);
  Await([&] { return records(1) == 0 && records(2) == 0 && records(3) == 0; },
        Duration::Seconds(200));
  EXPECT_EQ(GetRaw(3, "logs", "k3"), "none");
}

}  // namespace
}  // namespace flaredb::store
