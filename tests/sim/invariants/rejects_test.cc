// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/rejects.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr uint64_t kSession = 3;

LogImage Log(const std::vector<ModelEntry>& entries) {
  LogImage log;
  EXPECT_FALSE(log.Apply(Append(1, entries)));
  return log;
}

const Names kNames(kNodes, ThreePeers());

raft::LogId Id(uint64_t term, uint64_t index) { return {Term(term), Index(index)}; }

// Peer 102 refuses what it got of peer 101 after index `prev`, in term 5.
raft::Message Refusal(uint64_t prev, raft::LogId hint) {
  return Message(1, 0, 5, raft::AppendReply{kSession, 1, raft::AppendReject{Index(prev), hint}});
}

store::Effects Saying(raft::Message message) {
  store::Effects effects;
  effects.sends.push_back({StoreId(1), store::RaftEnvelope{kRegion, kEpoch, std::move(message)}});
  return effects;
}

// Peer 102 follows peer 101 in term 5.
class RefusalTest : public testing::Test {
 protected:
  // Whether it breaks the rule to answer `hint` to an append after `prev`, with a log of 1:1 1:2
  // 3:3 4:4.
  bool Breaks(raft::LogId prev, raft::LogId hint) {
    const AppendOffer offer{PeerId(101), Term(5), Incarnation(), prev, prev, Index()};
    return BrokenReject(offer, before_, after_, Log({{1, ""}, {1, ""}, {3, ""}, {4, ""}}),
                        Saying(Refusal(prev.index.value(), hint)), kNames)
        .has_value();
  }

  raft::View before_ = [] {
    raft::View view;
    view.id = PeerId(102);
    view.last_log = Id(4, 4);
    return view;
  }();
  raft::View after_ = before_;
};

TEST_F(RefusalTest, TheHintIsTheLastEntryOfAtMostTheTermAskedFor) {
  EXPECT_FALSE(Breaks(Id(2, 4), Id(1, 2)));
  EXPECT_TRUE(Breaks(Id(2, 4), Id(3, 3)));
  EXPECT_TRUE(Breaks(Id(2, 4), Id(1, 1)));
}

TEST_F(RefusalTest, BeyondTheEndItIsTheEnd) {
  EXPECT_FALSE(Breaks(Id(5, 9), Id(4, 4)));
  EXPECT_TRUE(Breaks(Id(5, 9), Id(3, 3)));
}

TEST_F(RefusalTest, BeforeAllOfThemItIsTheBase) { EXPECT_FALSE(Breaks(Id(0, 3), Id(0, 0))); }

TEST_F(RefusalTest, WhatIsThereIsNotRefused) { EXPECT_TRUE(Breaks(Id(3, 3), Id(3, 3))); }

TEST_F(RefusalTest, OneThatWaitedIsOfAnotherLog) {
  before_.backlog.gated_messages = 1;
  EXPECT_FALSE(Breaks(Id(2, 4), Id(1, 1)));
}

TEST_F(RefusalTest, OneBeforeTheLogChangedIsOfAnotherLog) {
  before_.last_log = Id(4, 5);
  EXPECT_FALSE(Breaks(Id(2, 4), Id(1, 1)));
}

// Peer 101 leads in term 5 with a log of 1:1 2:2 2:3 2:4 5:5, and has just asked peer 102 whether
// it has 5:5.
class NextProbeTest : public testing::Test {
 protected:
  NextProbeTest() {
    leader_.id = PeerId(101);
    leader_.term = Term(5);
    leader_.role = raft::Role::kLeader;
    leader_.progress = {Followed(102, 0)};
    follower().next_index = Index(6);
  }
  raft::ProgressView& follower() { return leader_.progress[0]; }

  // Whether it breaks the rule to ask at `prev` when what was sent after 5:5 is refused so.
  bool Breaks(raft::LogId hint, uint64_t prev, uint64_t session = kSession) {
    raft::AppendRequest request;
    request.session = session;
    request.prev.index = Index(prev);
    const store::Event event =
        store::MessageReceived{StoreId(2), store::RaftEnvelope{kRegion, kEpoch, Refusal(5, hint)}};
    return BrokenNextProbe(event, leader_, Log({{1, ""}, {2, ""}, {2, ""}, {2, ""}, {5, ""}}),
                           Saying(Message(0, 1, 5, std::move(request))), kNames)
        .has_value();
  }

  raft::View leader_;
};

TEST_F(NextProbeTest, IsAtTheHintIfItsTermIsThere) {
  EXPECT_FALSE(Breaks(Id(2, 3), 3));
  EXPECT_TRUE(Breaks(Id(2, 3), 4));
  EXPECT_TRUE(Breaks(Id(2, 3), 2));
}

TEST_F(NextProbeTest, SkipsWhatIsOfLaterTerms) {
  EXPECT_FALSE(Breaks(Id(1, 4), 1));
  EXPECT_TRUE(Breaks(Id(1, 4), 3));
}

TEST_F(NextProbeTest, IsBeforeWhatWasRefused) { EXPECT_FALSE(Breaks(Id(5, 7), 4)); }

TEST_F(NextProbeTest, IsNotBeforeWhatWasAccepted) {
  follower().match_index = Index(2);
  EXPECT_FALSE(Breaks(Id(1, 4), 2));
  EXPECT_TRUE(Breaks(Id(1, 4), 1));
}

TEST_F(NextProbeTest, ALateRefusalSaysNothing) {
  follower().next_index = Index(4);
  EXPECT_FALSE(Breaks(Id(1, 4), 3));
  follower().match_index = Index(5);
  EXPECT_FALSE(Breaks(Id(1, 4), 5));
  follower() = Followed(102, 0);
  follower().state = raft::ProgressState::kSnapshot;
  EXPECT_FALSE(Breaks(Id(1, 4), 3));
}

TEST_F(NextProbeTest, ARefusalOfAnotherLeadershipSaysNothing) {
  EXPECT_FALSE(Breaks(Id(1, 4), 5, kSession + 1));
}

// Peer 101 goes on leading in term 5, with a log that begins after 1:1 and ends at 5:5, and asks
// peer 102 whether it has 2:3.
class MissingProbeTest : public testing::Test {
 protected:
  MissingProbeTest() {
    before_.id = PeerId(101);
    before_.term = Term(5);
    before_.role = raft::Role::kLeader;
    before_.base = Id(1, 1);
    before_.progress = {Followed(102, 0)};
    before_.progress[0].next_index = Index(6);
    after_ = before_;
    follower().next_index = Index(4);
    Probe(3);
  }
  raft::ProgressView& follower() { return after_.progress[0]; }
  void Probe(uint64_t prev) {
    raft::AppendRequest request;
    request.prev.index = Index(prev);
    effects_ = Saying(Message(0, 1, 5, std::move(request)));
  }
  bool Breaks() const { return MissingProbe(before_, after_, effects_, kNames).has_value(); }

  raft::View before_;
  raft::View after_;
  store::Effects effects_;
};

TEST_F(MissingProbeTest, ALeaderAsksWhereItIsToAskNext) {
  EXPECT_FALSE(Breaks());
  Probe(4);
  EXPECT_TRUE(Breaks());
  effects_.Clear();
  EXPECT_TRUE(Breaks());
}

TEST_F(MissingProbeTest, AlsoWhenItIsRefusedForTheFirstTime) {
  effects_.Clear();
  follower().next_index = Index(6);
  EXPECT_FALSE(Breaks());
  before_.progress[0].state = raft::ProgressState::kReplicate;
  EXPECT_TRUE(Breaks());
}

TEST_F(MissingProbeTest, EntriesMayHaveToBeReadFirst) {
  effects_.Clear();
  follower().fetching = true;
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingProbeTest, WhatIsNotInTheLogIsNotAskedFor) {
  effects_.Clear();
  follower().next_index = Index(1);
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingProbeTest, AfterASnapshotASignOfLifeComesFirst) {
  effects_.Clear();
  before_.progress[0].state = raft::ProgressState::kSnapshot;
  EXPECT_FALSE(Breaks());
}

TEST_F(MissingProbeTest, ALeaderOfAnotherTermHasOtherFollowers) {
  effects_.Clear();
  before_.term = Term(4);
  EXPECT_FALSE(Breaks());
}

}  // namespace
}  // namespace flaredb::sim
