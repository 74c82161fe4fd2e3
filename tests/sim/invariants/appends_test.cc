// SPDX-License-Identifier: Apache-2.0
// Figure 3.1 of the thesis, AppendEntries, steps 3 to 5.
#include "sim/invariants/appends.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr Incarnation kLife(7);
constexpr uint64_t kSession = 3;

// An append of term 2 from peer 102 after 1:2, of two entries in two terms; commits up to 4.
raft::Message Offered() {
  raft::AppendRequest request;
  request.prev = {Term(1), Index(2)};
  request.commit_index = Index(4);
  request.entries = raft::EntrySlices();
  for (raft::EntrySlice& slice : Append(3, {{1, ""}, {2, ""}}).append) {
    request.entries.push_back(std::move(slice));
  }
  return Message(1, 0, 2, std::move(request));
}

std::vector<store::Event> Events(const std::vector<raft::Message>& messages) {
  std::vector<store::Event> events;
  for (const raft::Message& message : messages) {
    events.push_back(
        store::MessageReceived{StoreId(2), store::RaftEnvelope{kRegion, kEpoch, message}});
  }
  return events;
}

// Peer 101 follows peer 102 in term 2; the append is the only message of its turn.
class AppendsTest : public testing::Test {
 protected:
  AppendsTest() {
    view_.id = PeerId(101);
    view_.term = Term(2);
    view_.leader = PeerId(102);
  }

  // Whether it breaks the rule to have `log` after the turn, committed up to `commit_index`.
  bool Breaks(const std::vector<ModelEntry>& log, Index commit_index) {
    LogImage image;
    EXPECT_FALSE(image.Apply(Append(1, log)));
    view_.last_log = {image.TermAt(image.last_index()), image.last_index()};
    view_.commit_index = commit_index;
    const auto offer = OnlyAppend(Events({message_}), PeerId(101));
    return offer && BrokenAppend("store 1", *offer, view_, kLife, image).has_value();
  }

  raft::Message message_ = Offered();
  raft::View view_;
};

TEST_F(AppendsTest, WhoAgreesTakesAllEntries) {
  std::get<raft::AppendRequest>(message_.body).commit_index = Index(2);
  EXPECT_FALSE(Breaks({{1, ""}, {1, ""}, {1, ""}, {2, ""}}, Index(4)));
  EXPECT_TRUE(Breaks({{1, ""}, {1, ""}, {1, ""}}, Index(3)));
  EXPECT_TRUE(Breaks({{1, ""}, {1, ""}, {1, ""}, {1, ""}}, Index(3)));
}

TEST_F(AppendsTest, WhoDisagreesTakesNone) { EXPECT_FALSE(Breaks({{1, ""}}, Index(1))); }

TEST_F(AppendsTest, WhatCameAsCommittedIs) {
  EXPECT_TRUE(Breaks({{1, ""}, {1, ""}, {1, ""}, {2, ""}}, Index(3)));
}

TEST_F(AppendsTest, ACommitBeyondTheEntriesWaits) {
  std::get<raft::AppendRequest>(message_.body).commit_index = Index(9);
  EXPECT_FALSE(Breaks({{1, ""}, {1, ""}, {1, ""}, {2, ""}, {2, ""}}, Index(4)));
}

TEST_F(AppendsTest, OnlyTheLeaderIsObeyed) {
  const std::vector<ModelEntry> none = {{1, ""}, {1, ""}};
  ASSERT_TRUE(Breaks(none, Index(2)));
  view_.leader = PeerId(103);
  EXPECT_FALSE(Breaks(none, Index(2)));
  view_.leader = PeerId(102);
  ++view_.term;
  EXPECT_FALSE(Breaks(none, Index(2)));
}

TEST_F(AppendsTest, WhatIsMeantForAnotherLifeIsNotHeard) {
  message_.to_incarnation = Incarnation(6);
  EXPECT_FALSE(Breaks({{1, ""}, {1, ""}}, Index(2)));
  message_.to_incarnation = kLife;
  EXPECT_TRUE(Breaks({{1, ""}, {1, ""}}, Index(2)));
}

TEST_F(AppendsTest, ASnapshotOfWhatIsThereSaysThatItIsCommitted) {
  auto chunk = std::make_shared<raft::SnapshotChunk>();
  chunk->base.last = {Term(1), Index(3)};
  message_.body = raft::SnapshotRequest{kSession, 1, std::move(chunk)};
  EXPECT_FALSE(Breaks({{1, ""}, {1, ""}, {1, ""}, {2, ""}}, Index(3)));
  EXPECT_FALSE(Breaks({{1, ""}, {1, ""}}, Index(2)));
  EXPECT_TRUE(Breaks({{1, ""}, {1, ""}, {1, ""}, {2, ""}}, Index(2)));
}

// The same, and all that came was on the disk already: writes 1 to 3 are done.
class MissingAcceptTest : public AppendsTest {
 protected:
  MissingAcceptTest() {
    view_.conf = Conf({101, 102, 103});
    view_.durable_index = Index(4);
    view_.durable_token = IoToken(3);
    view_.issued_token = IoToken(4);
    before_ = view_;
  }
  bool Breaks(IoToken hard_state = IoToken(3)) {
    LogImage image;
    EXPECT_FALSE(image.Apply(Append(1, {{1, ""}, {1, ""}, {1, ""}, {2, ""}})));
    const auto offer = OnlyAppend(Events({message_}), PeerId(101));
    return MissingAccept("store 1", *offer, before_, view_, kLife, image, hard_state, effects_)
        .has_value();
  }
  void Say(uint32_t to, raft::Body body) {
    effects_.sends.push_back(
        {StoreId(to + 1),
         store::RaftEnvelope{kRegion, kEpoch, Message(0, to, 2, std::move(body))}});
  }

  raft::View before_;
  store::Effects effects_;
};

TEST_F(MissingAcceptTest, WhatTheDiskHasIsAnsweredAtOnce) {
  EXPECT_TRUE(Breaks());
  Say(2, raft::AppendReply{});
  Say(1, raft::HeartbeatReply{});
  EXPECT_TRUE(Breaks());
  Say(1, raft::AppendReply{});
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingAcceptTest, WhatItDoesNotHaveWaits) {
  EXPECT_FALSE(Breaks(IoToken(4)));
  view_.durable_index = Index(3);
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingAcceptTest, WhatItHasOnlyNowMayWaitForMore) {
  before_.durable_index = Index(3);
  EXPECT_FALSE(Breaks());
  before_ = view_;
  before_.durable_token = IoToken(2);
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingAcceptTest, WhoWasRemovedMayNotBeFound) {
  view_.conf = Conf({101, 103});
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingAcceptTest, WhatIsNotAskedForIsNotAnswered) {
  std::get<raft::AppendRequest>(message_.body).accept_unanswered = true;
  EXPECT_FALSE(Breaks());
}

TEST(OnlyAppend, OthersOfTheTurnMayExplainTheLog) {
  raft::SnapshotRequest piece;
  piece.chunk = std::make_shared<raft::SnapshotChunk>();
  const raft::Message snapshot = Message(1, 0, 2, std::move(piece));
  const raft::Message heartbeat = Message(1, 0, 2, raft::HeartbeatRequest{});
  EXPECT_TRUE(OnlyAppend(Events({heartbeat, Offered()}), PeerId(101)));
  EXPECT_FALSE(OnlyAppend(Events({Offered(), Offered()}), PeerId(101)));
  EXPECT_TRUE(OnlyAppend(Events({heartbeat, snapshot}), PeerId(101)));
  EXPECT_FALSE(OnlyAppend(Events({Offered(), snapshot}), PeerId(101)));
  EXPECT_FALSE(OnlyAppend(Events({heartbeat}), PeerId(101)));
  EXPECT_FALSE(OnlyAppend(Events({Offered()}), PeerId(104)));
}

}  // namespace
}  // namespace flaredb::sim
