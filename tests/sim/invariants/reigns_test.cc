// SPDX-License-Identifier: Apache-2.0
// What leaders owe their group: turns that break a rule, and the nearest turns that do not.
#include "sim/invariants/reigns.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr Duration kTimeout = Duration::Milliseconds(100);
constexpr Duration kStall = kTimeout * 2;
constexpr Duration kMoment = Duration::Nanoseconds(1);
constexpr uint64_t kSession = 3;
constexpr uint64_t kRetained = 100;

raft::Config Times() {
  raft::Config config;
  config.election_timeout = kTimeout;
  config.disk_stall_timeout = kStall;
  config.heartbeat_interval = kTimeout / 10;
  config.compact_retain_entries_max = kRetained;
  return config;
}

raft::Message Answer(uint64_t follower, uint64_t term = 2, uint64_t session = kSession) {
  raft::Message message;
  message.from = PeerId(follower);
  message.to = PeerId(101);
  message.term = Term(term);
  message.body = raft::HeartbeatReply{session, 1, Index()};
  return message;
}

// Peer 101, of three, has just been elected in term 2; its log ends at 2:5.
class ReignsTest : public testing::Test {
 protected:
  ReignsTest() {
    view_.id = PeerId(101);
    view_.conf = Conf({101, 102, 103});
    view_.conf_index = view_.commit_index = Index(1);
    view_.term = Term(2);
    view_.last_log = {Term(2), Index(5)};
    raft::View leader = view_;
    leader.role = raft::Role::kLeader;
    Turn({}, leader);
  }

  // One turn at `now_` to `messages`, after which the replica is in `view`.
  void Turn(const std::vector<raft::Message>& messages, const raft::View& view) {
    std::vector<store::Event> events;
    for (const raft::Message& message : messages) {
      events.push_back(store::MessageReceived{StoreId(message.from.value() - 100),
                                              store::RaftEnvelope{kRegion, kEpoch, message}});
    }
    store::Effects effects;
    if (writes_) {
      effects.commit.emplace();
      effects.commit->log.push_back(
          {kRegion, Incarnation(), *std::exchange(writes_, std::nullopt), false});
    }
    if (says_) {
      effects.sends.push_back(
          {StoreId(says_->to.value() - 100),
           store::RaftEnvelope{kRegion, kEpoch, *std::exchange(says_, std::nullopt)}});
    }
    reigns_->OnTurn(now_, events, view_, view, effects);
    reigns_->AfterTurn(now_, view_, view, Times());
    view_ = view;
  }
  void Turn(const std::vector<raft::Message>& messages) { Turn(messages, view_); }
  void Wait(Duration duration) { now_ = now_ + duration; }
  // Has asked for that many writes, and so many of them are done.
  void Write(uint64_t issued, uint64_t durable) {
    raft::View next = view_;
    next.issued_token = IoToken(issued);
    next.durable_token = IoToken(durable);
    Turn({Answer(102)}, next);
  }
  raft::View Resigned() const {
    raft::View view = view_;
    view.role = raft::Role::kFollower;
    return view;
  }
  // Turns a few times in each election timeout.
  void LeadOn(int timeouts, const std::vector<raft::Message>& messages) {
    for (int i = 0; i < timeouts * 4; ++i) {
      Wait(kTimeout / 4);
      Turn(messages);
    }
  }
  // Makes 104, a learner that has acknowledged up to `match_index`, a voter.
  void Promote(Index match_index) {
    raft::View next = view_;
    next.conf = Conf({101, 102, 103, 104}, {101, 102, 103});
    next.progress = {Followed(104, match_index.value())};
    Turn({Answer(102)}, next);
  }
  void SendPiece(uint64_t snapshot, uint64_t number, Duration ago = Duration()) {
    auto chunk = std::make_shared<raft::SnapshotChunk>();
    chunk->id = raft::SnapshotId(snapshot);
    chunk->number = number;
    chunk->base.last = {Term(2), Index(4)};
    raft::View next = view_;
    next.progress = {Followed(102, 1)};
    next.progress[0].state = raft::ProgressState::kSnapshot;
    next.progress[0].snapshot_step = raft::SnapshotStep::kAnswer;
    next.progress[0].snapshot_piece = number;
    next.progress[0].snapshot_moved_at = now_ - ago;
    says_.emplace();
    says_->from = PeerId(101);
    says_->to = PeerId(102);
    says_->term = Term(2);
    says_->body = raft::SnapshotRequest{kSession, 1, std::move(chunk)};
    Turn({Answer(102)}, next);
  }
  // 102, which has the whole log, answers; whether that is a round of its catch-up test.
  void AnswerWhole(bool caught_up) {
    raft::View next = view_;
    const uint64_t round = view_.progress.empty() ? 0 : view_.progress[0].acked_round;
    next.progress = {Followed(102, 5)};
    next.progress[0].acked_round = round + 1;
    next.progress[0].caught_up = caught_up;
    Turn({Answer(102)}, next);
  }
  // In the next turn it tells 102 to campaign at once.
  void SayTimeoutNow() {
    says_.emplace();
    says_->from = PeerId(101);
    says_->to = PeerId(102);
    says_->term = Term(2);
    says_->body = raft::TimeoutNow{view_.last_log};
  }
  // Tells 102, which has acknowledged up to `match_index`, to campaign at once.
  void HandOver(Index match_index) {
    raft::View next = view_;
    next.progress = {Followed(102, match_index.value())};
    SayTimeoutNow();
    Turn({Answer(102)}, next);
  }
  // 102 has acknowledged its log up to `match_index`, and has answered of late.
  void Follow(uint64_t match_index) {
    view_.progress = {Followed(102, match_index)};
    view_.progress[0].recently_active = true;
  }
  const std::string& Broken() const { return report_.failure().invariant; }

  const Names names_ = [] {
    Names names{kNodes, ThreePeers()};
    names.Add(PeerId(104), StoreId(4));
    return names;
  }();
  FailureReport report_;
  std::optional<Reigns> reigns_{std::in_place, Times(), &names_, &report_};
  raft::View view_;
  Instant now_ = Instant::FromNanoseconds(1000000000);
  std::optional<raft::Persist> writes_;  // In the next turn.
  std::optional<raft::Message> says_;    // In the next turn.
};

// --- The successor.

TEST_F(ReignsTest, WhoHasTheWholeLogMayBeToldToCampaign) {
  HandOver(Index(5));
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, OnceIsEnough) {
  view_.transferee = PeerId(102);
  HandOver(Index(5));
  Wait(kTimeout);  // The next one.
  HandOver(Index(5));
  EXPECT_EQ(Broken(), "");
  Wait(kTimeout - kMoment);
  HandOver(Index(5));
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, WhoLacksAnEntryMayNot) {
  HandOver(Index(4));
  EXPECT_EQ(Broken(), "REIGN");
}

// --- Resignation.

TEST_F(ReignsTest, WhoHearsAQuorumDoesNotResign) {
  Wait(kTimeout / 2);
  Turn({Answer(102)});
  Wait(kTimeout - kMoment);
  Turn({}, Resigned());
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, SilenceIsAReasonToResign) {
  Wait(kTimeout / 2);
  Turn({Answer(102)});
  Wait(kTimeout);
  Turn({}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, AnswersToOthersAreNoContact) {
  Wait(kTimeout);
  Turn({Answer(102, 1), Answer(103, 2, /*session=*/0)}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, ALearnerIsNoQuorum) {
  raft::View next = view_;
  next.conf = Conf({101, 102, 103}, {}, {104});
  Turn({}, next);
  Wait(kTimeout);
  Turn({Answer(104)}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, WhoWakesDoesNotResign) {
  LeadOn(1, {Answer(102)});
  raft::View resting = view_;
  resting.resting = true;
  Turn({}, resting);
  Wait(kTimeout * 5);
  raft::View awake = view_;
  awake.resting = false;
  Turn({}, awake);
  Wait(kTimeout - kMoment);
  Turn({}, Resigned());
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, ALaterTermIsAReasonToResign) {
  raft::View next = Resigned();
  ++next.term;
  Turn({Answer(102)}, next);
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, ADiskThatStallsIsAReasonToResign) {
  Write(1, 0);
  Wait(kStall);
  Turn({Answer(102)}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, WhoGoesTellsAVoterThatItHears) {
  Follow(4);
  Write(1, 0);
  Wait(kStall);
  SayTimeoutNow();
  Turn({Answer(102)}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, WhoGoesDoesNotKeepItToItself) {
  Follow(4);
  Write(1, 0);
  Wait(kStall);
  Turn({Answer(102)}, Resigned());
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, ADiskThatFailsIsNoExcuse) {
  Follow(4);
  Turn({Answer(102)});
  store::Effects effects;
  reigns_->OnDiskFailed(now_, Resigned(), effects);
  EXPECT_EQ(Broken(), "");
  reigns_->OnDiskFailed(now_, view_, effects);
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, WhoLacksWhatIsNotInTheLogAnyMoreCannotTakeOver) {
  Follow(1);
  view_.base.index = Index(2);
  Write(1, 0);
  Wait(kStall);
  Turn({Answer(102)}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, ADiskThatIsSlowIsNone) {
  Write(1, 0);
  Wait(kStall - kMoment);
  Turn({Answer(102)}, Resigned());
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, EveryWriteHasItsTime) {
  Write(2, 0);
  Wait(kStall / 2);
  Write(2, 1);
  Wait(kStall / 2);
  Turn({Answer(102)}, Resigned());
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, ItGoesWhenItsRemovalIsCommitted) {
  raft::View next = Resigned();
  next.conf = Conf({102, 103});
  next.conf_index = next.commit_index = Index(6);
  Turn({Answer(102)}, next);
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, ItDoesNotGoBefore) {
  raft::View next = Resigned();
  next.conf = Conf({102, 103});
  next.conf_index = Index(6);
  Turn({Answer(102), Answer(103)}, next);
  EXPECT_EQ(Broken(), "REIGN");
}

// --- Contact.

TEST_F(ReignsTest, NobodyLeadsOnInSilence) {
  LeadOn(2, {});
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, WhoHearsAQuorumLeadsOn) {
  LeadOn(5, {Answer(103)});
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, BothHalvesOfAJointConfigurationCount) {
  raft::View joint = view_;
  joint.conf = Conf({101, 102, 103}, {101, 104});
  Turn({}, joint);
  LeadOn(3, {Answer(102), Answer(103)});
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, InAGroupThatMayRestSilenceIsNoReason) {
  raft::Config config = Times();
  config.rest_after = kTimeout;
  reigns_.emplace(config, &names_, &report_);
  LeadOn(5, {});
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, WhoRestsDoesNotLookAtItsDisk) {
  Write(1, 0);
  raft::View resting = view_;
  resting.resting = true;
  Turn({Answer(102)}, resting);
  LeadOn(5, {Answer(102)});
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, APauseCountsLittle) {
  Wait(kTimeout * 20);
  Turn({});
  Wait(kTimeout / 4);
  Turn({}, Resigned());
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, NobodyLeadsOnWithoutADisk) {
  Write(1, 0);
  LeadOn(2, {Answer(102)});
  EXPECT_EQ(Broken(), "");
  LeadOn(1, {Answer(102)});
  EXPECT_EQ(Broken(), "REIGN");
}

// --- Handing over.

TEST_F(ReignsTest, WhoHandsOverTakesInNoCommand) {
  raft::View next = view_;
  next.transferee = PeerId(102);
  writes_ = Append(6, {{2, Cas("k", 0, "v")}});
  Turn({}, next);  // The command came before.
  EXPECT_EQ(Broken(), "");
  writes_ = Append(7, {{2, "", Conf({101, 102})}});
  Turn({}, next);
  EXPECT_EQ(Broken(), "");
  writes_ = Append(8, {{2, Cas("k", 1, "w")}});
  Turn({}, next);
  EXPECT_EQ(Broken(), "REIGN");
}

// --- Promotion.

TEST_F(ReignsTest, WhoLagsIsNotPromoted) {
  LeadOn(3, {Answer(102)});
  Promote(Index(4));
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, WhoHasCaughtUpIsPromoted) {
  LeadOn(3, {Answer(102)});
  raft::View next = view_;
  next.last_log.index = Index(8);
  Turn({Answer(102)}, next);
  Promote(Index(5));
  EXPECT_EQ(Broken(), "");
}

// --- What it sends.

TEST_F(ReignsTest, APieceIsSentAgainWhenItSeemsLost) {
  SendPiece(1, 0);
  Wait(kTimeout / 2);
  SendPiece(1, 1);  // The next one.
  Wait(kTimeout);
  SendPiece(1, 1);
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, TheNextPieceIsAMove) {
  SendPiece(1, 0);
  Wait(kTimeout / 2);
  SendPiece(1, 1, kTimeout / 2);
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, APieceThatMayBeAnsweredIsNotSentAgain) {
  SendPiece(1, 0);
  Wait(kTimeout - Duration::Nanoseconds(1));
  SendPiece(1, 0);
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, APieceThatSeemsLostIsNotForgotten) {
  SendPiece(1, 0);
  Wait(kTimeout);
  Turn({Answer(102), Answer(103)});
  EXPECT_EQ(Broken(), "");
  Wait(kTimeout / 10);
  Turn({Answer(102), Answer(103)});
  EXPECT_EQ(Broken(), "REIGN");
}

// --- Its log.

TEST_F(ReignsTest, WhatAFollowerLacksStays) {
  Follow(5);
  view_.commit_index = view_.handed_out_index = Index(2000);
  const auto compact = [&](uint64_t base) {
    raft::View next = view_;
    next.base.index = Index(base);
    Turn({}, next);
  };
  Turn({Answer(102)});
  Wait(kMoment);
  compact(5);
  compact(2000 - kRetained);
  EXPECT_EQ(Broken(), "");
  compact(2001 - kRetained);
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, WhoIsSilentHoldsNothing) {
  Follow(5);
  view_.commit_index = view_.handed_out_index = Index(2000);
  view_.progress[0].recently_active = false;
  raft::View next = view_;
  next.base.index = Index(2000);
  Turn({Answer(102)}, next);
  EXPECT_EQ(Broken(), "");
}

TEST_F(ReignsTest, WhatFollowsASnapshotOnItsWayStays) {
  const auto compact = [&](uint64_t base) {
    raft::View next = view_;
    next.base.index = Index(base);
    next.commit_index = next.handed_out_index = Index(30);
    Turn({Answer(102), Answer(103)}, next);
  };
  SendPiece(1, 0);  // Of one that ends at index 4.
  compact(4);
  EXPECT_EQ(Broken(), "");
  Wait(kMoment);
  compact(5);
  EXPECT_EQ(Broken(), "REIGN");
}

// --- The catch-up test.

TEST_F(ReignsTest, WhoAnswersTwiceThatNothingIsLackingHasCaughtUp) {
  AnswerWhole(false);
  Wait(kTimeout / 4);
  AnswerWhole(false);
  Wait(kTimeout / 4);
  AnswerWhole(true);
  EXPECT_EQ(Broken(), "");
  Wait(kTimeout / 4);
  AnswerWhole(false);
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, SlowAnswersAreNoRound) {
  AnswerWhole(false);
  for (int i = 0; i < 3; ++i) {
    Wait(kTimeout);
    AnswerWhole(false);
  }
  EXPECT_EQ(Broken(), "");
}

// --- The lease.

TEST_F(ReignsTest, AnAnsweredRoundIsALease) {
  const auto contact = [&](uint64_t round, uint64_t answered, bool lease) {
    raft::View next = view_;
    next.commit_index = Index(5);
    next.round = round;
    next.lease_valid = lease;
    next.progress = {Followed(102, 4), Followed(103, 4)};
    next.progress[0].acked_round = answered;
    Turn({Answer(102), Answer(103)}, next);
  };
  contact(1, 0, false);
  Wait(kTimeout / 4);
  contact(1, 1, true);
  contact(2, 1, true);
  Wait(kTimeout);  // What the first round proves is over.
  contact(2, 1, false);
  EXPECT_EQ(Broken(), "");
  contact(3, 2, false);  // The second was as long ago.
  EXPECT_EQ(Broken(), "");
  contact(3, 3, false);
  EXPECT_EQ(Broken(), "REIGN");
}

TEST_F(ReignsTest, ALeaseNeedsAnEntryOfItsOwnTerm) {
  raft::View next = view_;
  next.round = 1;
  next.progress = {Followed(102, 4), Followed(103, 4)};
  next.progress[0].acked_round = 1;
  Turn({Answer(102)}, next);
  EXPECT_EQ(Broken(), "");
}

}  // namespace
}  // namespace flaredb::sim
