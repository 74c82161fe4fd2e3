// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/quorum.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

bool Agree(const raft::ConfState& conf, const std::set<uint64_t>& peers) {
  return IsQuorum(conf, [&](PeerId peer) { return peers.contains(peer.value()); });
}

TEST(Quorum, MoreThanHalf) {
  EXPECT_FALSE(Agree(Conf({101, 102, 103}), {102}));
  EXPECT_TRUE(Agree(Conf({101, 102, 103}), {102, 103}));
  EXPECT_TRUE(Agree(Conf({101}), {101}));
}

TEST(Quorum, HalfIsNotEnough) {
  EXPECT_FALSE(Agree(Conf({101, 102}), {101}));
  EXPECT_FALSE(Agree(Conf({101, 102, 103, 104}), {101, 104}));
  EXPECT_TRUE(Agree(Conf({101, 102, 103, 104}), {101, 103, 104}));
}

TEST(Quorum, BothHalvesOfAJointPhase) {
  const raft::ConfState joint = Conf({101, 104, 105}, {101, 102, 103});
  EXPECT_FALSE(Agree(joint, {104, 105}));
  EXPECT_FALSE(Agree(joint, {101, 102}));
  EXPECT_TRUE(Agree(joint, {101, 102, 104}));
}

TEST(Quorum, LearnersAndStrangersDoNotCount) {
  EXPECT_FALSE(Agree(Conf({101, 102, 103}, {}, {104}), {101, 104, 105}));
}

TEST(Quorum, NobodyDecidesForNobody) { EXPECT_FALSE(Agree(raft::ConfState(), {101})); }

}  // namespace
}  // namespace flaredb::sim
