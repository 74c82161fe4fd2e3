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

  const Names names_{kNodes, ThreePeers()};
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
  EXPECT_EQ(
      LeaseBeyondPromises(0, Duration::Nanoseconds(50), names_, replicas_),
      "store 1 leads term 0 and would hold its lease in 50ns, when no quorum of (101 102 103) "
      "is bound any more by what it promised.");
}

}  // namespace
}  // namespace flaredb::sim
