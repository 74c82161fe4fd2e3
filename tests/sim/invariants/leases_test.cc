// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/leases.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

// Peer 101 leads three; on the node of each voter a clock that runs as true time does, unless the
// test says by how much faster.
class LeasesTest : public testing::Test {
 protected:
  LeasesTest() : replicas_(kNodes) {
    for (uint32_t node = 0; node < 3; ++node) {
      Replica& replica = replicas_[node];
      replica.running = true;
      replica.peer = replica.view.id = PeerId(101 + node);
      Promise(node, 100 * (node + 1));
    }
    Leader().view.conf = Conf({101, 102, 103});
  }

  void Promise(uint32_t node, int64_t until) {
    replicas_[node].view.promised_until = Instant::FromNanoseconds(until);
  }
  Replica& Leader() { return replicas_[0]; }
  // In nanoseconds; nullopt: none.
  std::optional<int64_t> End() const {
    const auto end =
        PromisesEnd(replicas_[0], names_, replicas_, [&](uint32_t node, Instant local) {
          return Instant::FromNanoseconds(local.nanoseconds() / speed_[node]);
        });
    return end ? std::optional(end->nanoseconds()) : std::nullopt;
  }

  Names names_{kNodes, ThreePeers()};
  std::vector<Replica> replicas_;
  int64_t speed_[kNodes] = {1, 1, 1, 1, 1};
};

TEST_F(LeasesTest, TheLeaderAndTheLongerPromiseOfTwo) { EXPECT_EQ(End(), 300); }

TEST_F(LeasesTest, EveryPromiseIsByItsOwnClock) {
  speed_[2] = 10;
  EXPECT_EQ(End(), 200) << "that of store 3 ends at 30";
}

TEST_F(LeasesTest, WhoIsDownPromisesAnewWhenItStarts) {
  replicas_[1].running = false;
  EXPECT_EQ(End(), std::nullopt);
}

TEST_F(LeasesTest, WhoIsNotThereVotesForNobody) {
  replicas_[2].peer = PeerId(109);
  EXPECT_EQ(End(), std::nullopt);
}

TEST_F(LeasesTest, ALeaderWithoutAVoteNeedsAQuorumOfOthers) {
  Leader().view.conf = Conf({102, 103}, {}, {101});
  EXPECT_EQ(End(), 200);
}

TEST_F(LeasesTest, BothHalvesHaveToBeBound) {
  Leader().view.conf = Conf({101, 103}, {101, 102});
  EXPECT_EQ(End(), 200);
}

TEST_F(LeasesTest, TheOnlyVoterNeedsNoPromise) {
  Leader().view.conf = Conf({101});
  EXPECT_EQ(End(), std::nullopt);
}

TEST_F(LeasesTest, TheSentenceSaysWhenAndBetweenWhom) {
  EXPECT_EQ(LeaseBeyondPromises(0, Instant() + Duration::Milliseconds(50), names_, replicas_),
            "store 1 leads term 0 and would hold its lease at 0.050000 s, when no quorum of stores "
            "{1,2,3} is bound any more by what it promised.");
}

TEST_F(LeasesTest, PromisesAreOfThoseWhoRunAndHearNobodyElse) {
  for (uint64_t number : {4, 5}) names_.Add(PeerId(100 + number), StoreId(number));
  Leader().view.conf = Conf({101, 102, 103, 104, 105});
  for (uint32_t node = 3; node < 5; ++node) {
    replicas_[node].running = true;
    replicas_[node].peer = replicas_[node].view.id = PeerId(101 + node);
  }
  replicas_[1].running = false;
  Promise(2, 300000000);
  replicas_[3].view.leader = PeerId(105);
  Promise(3, 400000000);
  Promise(4, 500000000);
  speed_[4] = 2;
  const auto promises = PromisesTo(
      replicas_[0], names_, replicas_, Duration::Milliseconds(100), [&](uint32_t node, Instant t) {
        return Instant::FromNanoseconds(t.nanoseconds() / speed_[node]);
      });
  EXPECT_EQ(Describe(promises, 0),
            "Promised to store 1: by store 3 from 0.200000 s until 0.300000 s, by store 5 from "
            "0.200000 s until 0.250000 s.");
  EXPECT_EQ(Describe({}, 0), "Nobody has promised anything to store 1.");
}

}  // namespace
}  // namespace flaredb::sim
