// SPDX-License-Identifier: Apache-2.0
// Who campaigns, and who helps: turns that break a rule, and the nearest turns that do not.
#include "sim/invariants/campaigns.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr Duration kTimeout = Duration::Milliseconds(100);
constexpr Incarnation kLife(7);
constexpr Instant kStart = Instant::FromNanoseconds(1000000000);

raft::Message From(uint64_t sender, uint64_t term, raft::Body body) {
  raft::Message message;
  message.from = PeerId(sender);
  message.to = PeerId(101);
  message.term = Term(term);
  message.body = std::move(body);
  return message;
}
raft::Message Heartbeat(uint64_t leader, uint64_t term) {
  return From(leader, term, raft::HeartbeatRequest{});
}
raft::Message PreVote(uint64_t candidate, uint64_t term, raft::LogId last_log) {
  return From(candidate, term, raft::PreVoteRequest{Term(term).next(), last_log});
}
raft::Message Vote(uint64_t candidate, uint64_t term, bool invited = false) {
  return From(candidate, term, raft::VoteRequest{{}, invited});
}

// Peer 101, of three: a follower of peer 102 in term 2, whose log ends at 2:5.
class CampaignsTest : public testing::Test {
 protected:
  CampaignsTest() {
    view_.id = PeerId(101);
    view_.conf = Conf({101, 102, 103});
    view_.term = Term(2);
    view_.leader = PeerId(102);
    view_.last_log = {Term(2), Index(5)};
  }

  // One turn at `now_` to `messages`, after which the replica is in `view`.
  void Turn(const std::vector<raft::Message>& messages, const raft::View& view) {
    std::vector<store::Event> events;
    for (const raft::Message& message : messages) {
      events.push_back(store::MessageReceived{StoreId(message.from.value() - 100),
                                              store::RaftEnvelope{kRegion, kEpoch, message}});
    }
    if (client_) events.push_back(store::ClientGone{});
    store::Effects effects;
    for (raft::Message& sent : std::exchange(sends_, {})) {
      sent.from = PeerId(101);
      const StoreId to(sent.to.value() - 100);
      effects.sends.push_back({to, store::RaftEnvelope{kRegion, kEpoch, std::move(sent)}});
    }
    campaigns_.OnTurn(now_, events, view_, view, kLife, effects);
    view_ = view;
  }
  void Hear() { Turn({Heartbeat(102, 2)}, view_); }
  void Sends(uint64_t to, raft::Body body) {
    raft::Message message = From(101, view_.term.value(), std::move(body));
    message.to = PeerId(to);
    sends_.push_back(std::move(message));
  }
  void SaysYes(uint64_t candidate) {
    Sends(candidate, raft::PreVoteReply{view_.term.next(), true});
  }
  // In the next term, with a vote for `vote`.
  raft::View Next(uint64_t vote, raft::Role role = raft::Role::kFollower) const {
    raft::View next = view_;
    ++next.term;
    next.vote = PeerId(vote);
    next.leader = PeerId();
    next.role = role;
    return next;
  }
  // A grant of the voter on another store is as good as heard when it is sent.
  void OtherSaysYes(uint64_t voter, uint64_t candidate) {
    raft::View other;
    other.id = PeerId(voter);
    raft::Message reply = From(voter, 2, raft::PreVoteReply{Term(3), true});
    reply.to = PeerId(candidate);
    store::Effects effects;
    effects.sends.push_back(
        {StoreId(candidate - 100), store::RaftEnvelope{kRegion, kEpoch, reply}});
    campaigns_.OnTurn(now_, {}, other, other, Incarnation(), effects);
  }
  const std::string& Broken() const { return report_.failure().invariant; }

  const Names names_{kNodes, ThreePeers()};
  FailureReport report_;
  Campaigns campaigns_{kTimeout, &names_, &report_};
  raft::View view_;
  Instant now_ = kStart;
  bool client_ = false;
  std::vector<raft::Message> sends_;
};

// --- STICKY: votes and PreVotes.

TEST_F(CampaignsTest, WhoHearsALeaderSaysNoToAPreVote) {
  Hear();
  now_ = now_ + kTimeout - Duration::Nanoseconds(1);
  SaysYes(103);
  Turn({PreVote(103, 2, view_.last_log)}, view_);
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, WhatWasMeantForAnotherLifeBindsNobody) {
  raft::Message heartbeat = Heartbeat(102, 2);
  heartbeat.to_incarnation = Incarnation(6);
  Turn({heartbeat}, view_);
  SaysYes(103);
  Turn({PreVote(103, 2, view_.last_log)}, view_);
  EXPECT_EQ(Broken(), "");

  heartbeat.to_incarnation = kLife;
  Turn({heartbeat}, view_);
  SaysYes(103);
  Turn({PreVote(103, 2, view_.last_log)}, view_);
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, AfterAnElectionTimeoutItMayHelp) {
  Hear();
  now_ = now_ + kTimeout;
  SaysYes(103);
  Turn({PreVote(103, 2, view_.last_log)}, view_);
  Turn({Vote(103, 3)}, Next(103));
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, APreVoteBeforeTheSignOfLifeInTheSameTurn) {
  SaysYes(103);
  Turn({PreVote(103, 2, view_.last_log), Heartbeat(102, 2)}, view_);
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, AnAnswerThatWaitedForTheDiskWasTrueWhenItWasMade) {
  Hear();
  raft::View busy = view_;
  busy.issued_token = IoToken(7);
  Turn({}, busy);
  SaysYes(103);
  Turn({PreVote(103, 2, view_.last_log)}, busy);
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, AVoteAgainstALeaderThatWasHeard) {
  Hear();
  Turn({Vote(103, 3)}, Next(103));
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, AVoteThatTheLeaderItselfAskedFor) {
  Hear();
  Turn({Vote(103, 3, /*invited=*/true)}, Next(103));
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, ARestartBreaksNoPromise) {
  Hear();
  campaigns_.OnStart(view_);
  Turn({Vote(103, 3)}, Next(103));
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, WhoStartsAsTheOnlyVoterOwesNobodyAnything) {
  Hear();
  view_.conf = Conf({101}, {}, {102});
  campaigns_.OnStart(view_);
  Turn({}, Next(101, raft::Role::kCandidate));
  EXPECT_EQ(Broken(), "");
}

// --- STICKY: terms.

TEST_F(CampaignsTest, ACampaignTakesAFollowerFromItsLeader) {
  Hear();
  Turn({Vote(103, 3)}, Next(0));
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, AnythingElseOfALaterTermMay) {
  Hear();
  Turn({Vote(103, 3), From(103, 3, raft::HeartbeatReply{})}, Next(0));
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, ACampaignDeposesALeader) {
  view_.role = raft::Role::kLeader;
  Turn({Vote(103, 3)}, Next(0));
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, ALeaderThatMayHaveSteppedDownFirst) {
  view_.role = raft::Role::kLeader;
  client_ = true;
  Turn({Vote(103, 3)}, Next(0));
  EXPECT_EQ(Broken(), "");
}

// --- PREVOTE

TEST_F(CampaignsTest, YesToAShorterLog) {
  SaysYes(103);
  Turn({PreVote(103, 2, {Term(2), Index(4)})}, view_);
  EXPECT_EQ(Broken(), "PREVOTE");
}

TEST_F(CampaignsTest, YesToTheBetterOfTwoRequests) {
  SaysYes(103);
  Turn({PreVote(103, 2, {Term(2), Index(4)}), PreVote(103, 2, {Term(2), Index(5)})}, view_);
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, ACandidateWhomAQuorumEncouraged) {
  OtherSaysYes(103, 101);
  Turn({}, Next(101, raft::Role::kCandidate));
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, ACandidateWhomOnlySomebodyElsesVoterEncouraged) {
  OtherSaysYes(103, 102);
  Turn({}, Next(101, raft::Role::kCandidate));
  EXPECT_EQ(Broken(), "PREVOTE");
}

TEST_F(CampaignsTest, AJointCandidateNeedsBothHalves) {
  view_.conf = Conf({101, 103, 104}, {101, 102, 105});
  OtherSaysYes(103, 101);
  Turn({}, Next(101, raft::Role::kCandidate));
  EXPECT_EQ(Broken(), "PREVOTE");
}

TEST_F(CampaignsTest, WhoIsToldToCampaignAsksNobody) {
  Hear();
  Turn({From(102, 2, raft::TimeoutNow{})}, Next(101, raft::Role::kCandidate));
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, WhoIsToldToCampaignMaySaySo) {
  Turn({From(102, 2, raft::TimeoutNow{})}, Next(101, raft::Role::kCandidate));
  Sends(103, raft::VoteRequest{{}, /*leadership_transfer=*/true});
  Turn({}, view_);
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, WhoIsNotToldMayNot) {
  OtherSaysYes(103, 101);
  Turn({}, Next(101, raft::Role::kCandidate));
  Sends(103, raft::VoteRequest{{}, /*leadership_transfer=*/true});
  Turn({}, view_);
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, AnInvitationIsForOneTerm) {
  Turn({From(102, 2, raft::TimeoutNow{})}, Next(101, raft::Role::kCandidate));
  ++view_.term;
  Sends(103, raft::VoteRequest{{}, /*leadership_transfer=*/true});
  Turn({}, view_);
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, WhoHearsALeaderDoesNotCampaign) {
  Hear();
  OtherSaysYes(103, 101);
  Turn({}, Next(101, raft::Role::kCandidate));
  EXPECT_EQ(Broken(), "STICKY");
}

TEST_F(CampaignsTest, NorDoesItAskWhoWouldVoteForIt) {
  Hear();
  raft::View asking = view_;
  asking.role = raft::Role::kPreCandidate;
  asking.leader = PeerId();
  Turn({}, asking);
  EXPECT_EQ(Broken(), "STICKY");
}

// --- LEASE

TEST_F(CampaignsTest, AnotherTermHasAnotherLease) {
  view_.role = raft::Role::kLeader;
  Sends(103, raft::TimeoutNow{});
  Turn({}, view_);
  raft::View later = Next(101, raft::Role::kLeader);
  later.lease_valid = true;
  Turn({}, later);
  EXPECT_EQ(Broken(), "");
}

TEST_F(CampaignsTest, ALeaseAfterSomebodyWasToldToCampaign) {
  view_.role = raft::Role::kLeader;
  Sends(103, raft::TimeoutNow{});
  Turn({}, view_);
  EXPECT_EQ(Broken(), "");
  raft::View with_lease = view_;
  with_lease.lease_valid = true;
  Turn({}, with_lease);
  EXPECT_EQ(Broken(), "LEASE");
  EXPECT_EQ(report_.failure().sentence,
            "store 1 leads term 2 and holds its lease, but has asked store 3 to campaign against "
            "all promises.");
}

}  // namespace
}  // namespace flaredb::sim
