// SPDX-License-Identifier: Apache-2.0
// APPEND: accepts that wait for the disk.
#include "sim/invariants/answers.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr Incarnation kLife(7);

// Peer 101 follows peer 102 in term 2, and has been sent two entries, which its disk is writing.
class AnswersTest : public testing::Test {
 protected:
  AnswersTest() {
    raft::View& view = replica_.view;
    view.id = PeerId(101);
    view.term = Term(2);
    view.leader = PeerId(102);
    view.conf = Conf({101, 102, 103});
    view.issued_token = IoToken(9);
    view.durable_token = IoToken(8);
    EXPECT_FALSE(replica_.issued.Apply(Append(1, {{2, ""}, {2, ""}})));
    AppendOffer offer;
    offer.from = PeerId(102);
    offer.term = Term(2);
    offer.last = {Term(2), Index(2)};
    Turn(offer);
  }

  void Turn(const std::optional<AppendOffer>& offer, std::optional<Index> accepted = std::nullopt) {
    store::Effects effects;
    if (accepted) {
      raft::AppendReply reply;
      reply.result = raft::AppendAccept{*accepted, Index()};
      effects.sends.push_back(
          {StoreId(2), store::RaftEnvelope{kRegion, kEpoch, Message(0, 1, 2, std::move(reply))}});
    }
    answers_.OnTurn(0, offer, replica_, kLife, effects);
  }

  void DiskDone() { replica_.view.durable_token = IoToken(9); }

  const Names names_{kNodes, ThreePeers()};
  FailureReport report_;
  Replica replica_;
  Answers answers_{&names_, &report_};
};

TEST_F(AnswersTest, AnAcceptMayWaitForTheDiskAndNoLonger) {
  Turn(std::nullopt);
  EXPECT_FALSE(report_.failed());
  DiskDone();
  Turn(std::nullopt);
  ASSERT_TRUE(report_.failed());
  EXPECT_EQ(
      report_.failure().sentence,
      "store 1 has had on its disk all that its leader of term 2 sent, but has not told store "
      "2 that it has the log up to 2.");
}

TEST_F(AnswersTest, ItLeavesWithTheWrite) {
  DiskDone();
  Turn(std::nullopt, Index(2));
  EXPECT_FALSE(report_.failed());
}

TEST_F(AnswersTest, OneOfLessIsNoneOfMore) {
  DiskDone();
  Turn(std::nullopt, Index(1));
  EXPECT_TRUE(report_.failed());
}

TEST_F(AnswersTest, NothingIsOwedToALeaderOfBefore) {
  DiskDone();
  replica_.view.term = Term(3);
  replica_.view.leader = PeerId(103);
  Turn(std::nullopt);
  EXPECT_FALSE(report_.failed());
}

TEST_F(AnswersTest, NorByAProcessThatStartsAgain) {
  answers_.OnStart(0);
  DiskDone();
  Turn(std::nullopt);
  EXPECT_FALSE(report_.failed());
}

}  // namespace
}  // namespace flaredb::sim
