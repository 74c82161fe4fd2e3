// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/windows.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

raft::Message Entries(uint64_t first, uint64_t session = 1, uint64_t term = 2) {
  raft::AppendRequest request;
  request.session = session;
  request.prev = {Term(1), Index(first - 1)};
  for (raft::EntrySlice& slice : Append(first, {{1, "0123456789"}}).append) {
    request.entries.push_back(std::move(slice));
  }
  return Message(0, 1, term, std::move(request));
}

raft::Message Accept(uint64_t session = 1) {
  return Message(1, 0, 2, raft::AppendReply{session, 1, raft::AppendAccept{}});
}

raft::Message SignOfLife() { return Message(1, 0, 2, raft::HeartbeatReply{1, 1, Index()}); }

// Peer 101 leads in term 2; its windows have room for two appends. Each has ten bytes.
class WindowsTest : public testing::Test {
 protected:
  WindowsTest() { config_.inflight_appends_max = 2; }

  void Turn(const std::vector<raft::Message>& heard, const std::vector<raft::Message>& said) {
    std::vector<store::Event> events;
    for (const raft::Message& message : heard) {
      events.push_back(
          store::MessageReceived{StoreId(2), store::RaftEnvelope{kRegion, kEpoch, message}});
    }
    store::Effects effects;
    for (const raft::Message& message : said) {
      effects.sends.push_back({StoreId(2), store::RaftEnvelope{kRegion, kEpoch, message}});
    }
    windows_.OnTurn(PeerId(101), events, effects, config_);
  }
  const std::string& Broken() const { return report_.failure().invariant; }

  const Names names_{kNodes, ThreePeers()};
  FailureReport report_;
  raft::Config config_;
  Windows windows_{&names_, &report_};
};

TEST_F(WindowsTest, NoMoreAppendsThanThereIsRoomFor) {
  Turn({}, {Entries(1), Entries(2)});
  EXPECT_EQ(Broken(), "");
  Turn({}, {Entries(3)});
  EXPECT_EQ(Broken(), "FLOW");
}

TEST_F(WindowsTest, NoMoreBytesThanThereIsRoomFor) {
  config_ = raft::Config();
  config_.inflight_bytes_max = 15;
  Turn({}, {Entries(1)});
  Turn({}, {Entries(2)});
  EXPECT_EQ(Broken(), "");
  Turn({}, {Entries(3)});
  EXPECT_EQ(Broken(), "FLOW");
}

TEST_F(WindowsTest, WhatBecameOfAnAppendMakesRoom) {
  Turn({}, {Entries(1), Entries(2)});
  Turn({Accept()}, {Entries(3), Entries(4)});
  Turn({}, {Entries(5), Entries(6)});
  EXPECT_EQ(Broken(), "");
  Turn({}, {Entries(7)});
  EXPECT_EQ(Broken(), "FLOW");
}

TEST_F(WindowsTest, ASignOfLifeExcusesOneAppend) {
  Turn({}, {Entries(1), Entries(2)});
  Turn({SignOfLife()}, {Entries(1)});
  EXPECT_EQ(Broken(), "");
  Turn({}, {Entries(2)});
  EXPECT_EQ(Broken(), "FLOW");
}

TEST_F(WindowsTest, AnotherLeadershipBeginsWithAnEmptyWindow) {
  Turn({}, {Entries(1), Entries(2)});
  Turn({}, {Entries(1, 2), Entries(2, 2)});
  Turn({}, {Entries(1, 1, 3), Entries(2, 1, 3)});
  EXPECT_EQ(Broken(), "");
}

TEST_F(WindowsTest, AnAnswerToAnEarlierLeadershipMakesNoRoom) {
  Turn({}, {Entries(1, 2), Entries(2, 2)});
  Turn({Accept(1)}, {Entries(3, 2)});
  EXPECT_EQ(Broken(), "FLOW");
}

TEST_F(WindowsTest, WhatBringsNoEntriesNeedsNoRoom) {
  Turn({}, {Entries(1), Entries(2)});
  Turn({}, {Message(0, 1, 2, raft::AppendRequest{1, 1, {Term(1), Index(2)}, Index(2), true, {}})});
  EXPECT_EQ(Broken(), "");
}

TEST_F(WindowsTest, AnAppendIsNoLargerThanItMayBe) {
  raft::Message both = Entries(1);
  std::get<raft::AppendRequest>(both.body).entries.push_back(
      std::get<raft::AppendRequest>(Entries(2).body).entries.front());
  config_.append_bytes_max = 20;
  Turn({}, {both});
  config_.append_bytes_max = 5;  // One entry goes, however large.
  Turn({Accept()}, {Entries(3)});
  EXPECT_EQ(Broken(), "");
  config_.append_bytes_max = 19;
  Turn({Accept()}, {both});
  EXPECT_EQ(Broken(), "FLOW");
}

TEST_F(WindowsTest, EachFollowerHasAWindow) {
  raft::Message other = Entries(1);
  other.to = PeerId(103);
  Turn({}, {Entries(1), Entries(2), other});
  EXPECT_EQ(Broken(), "");
}

}  // namespace
}  // namespace flaredb::sim
