// SPDX-License-Identifier: Apache-2.0
#include "core/raft/quorum.h"

#include <map>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

std::vector<PeerId> Ids(std::initializer_list<uint64_t> ids) {
  std::vector<PeerId> out;
  for (const uint64_t id : ids) out.push_back(PeerId(id));
  return out;
}

ConfState Joint(std::initializer_list<uint64_t> incoming,
                std::initializer_list<uint64_t> outgoing) {
  ConfState conf;
  conf.voters = Ids(incoming);
  conf.voters_outgoing = Ids(outgoing);
  return conf;
}

uint64_t Value(const ConfState& conf, const std::map<uint64_t, uint64_t>& reached) {
  return QuorumValue(conf, [&](PeerId id) {
    auto found = reached.find(id.value());
    return found == reached.end() ? 0 : found->second;
  });
}

// The definition: some value such that more than half of the voters have reached it, none higher.
uint64_t HighestReachedByMost(const std::vector<PeerId>& voters,
                              const std::map<uint64_t, uint64_t>& reached) {
  uint64_t best = 0;
  for (uint64_t value = 0; value <= 9; ++value) {
    size_t count = 0;
    for (const PeerId id : voters) count += reached.at(id.value()) >= value ? 1 : 0;
    if (2 * count > voters.size()) best = value;
  }
  return best;
}

VoteState MostVotes(const std::vector<PeerId>& voters, const std::map<uint64_t, Ballot>& ballots) {
  size_t granted = 0;
  size_t refused = 0;
  for (const PeerId id : voters) {
    granted += ballots.at(id.value()) == Ballot::kGranted ? 1 : 0;
    refused += ballots.at(id.value()) == Ballot::kRefused ? 1 : 0;
  }
  if (2 * granted > voters.size()) return VoteState::kWon;
  return 2 * (voters.size() - refused) > voters.size() ? VoteState::kPending : VoteState::kLost;
}

TEST(Quorum, TwoMajoritiesOfTheSameVotersIntersect) {
  for (size_t voters = 1; voters <= 9; ++voters) {
    EXPECT_GT(2 * Majority(voters), voters);
    EXPECT_LE(2 * (Majority(voters) - 1), voters) << "no smaller number would do";
  }
}

TEST(Quorum, ValueIsTheHighestThatAMajorityReached) {
  const ConfState three = Joint({1, 2, 3}, {});
  EXPECT_EQ(Value(three, {{1, 7}, {2, 5}, {3, 0}}), 5u);
  EXPECT_EQ(Value(three, {{1, 7}, {2, 7}, {3, 0}}), 7u);
  EXPECT_EQ(Value(three, {{1, 7}}), 0u);
  const ConfState four = Joint({1, 2, 3, 4}, {});
  EXPECT_EQ(Value(four, {{1, 9}, {2, 9}, {3, 4}, {4, 1}}), 4u) << "half of them is no majority";
  EXPECT_EQ(Value(Joint({1}, {}), {{1, 3}}), 3u);
}

// Thesis 4.3: agreement requires separate majorities from both the old and new configurations.
TEST(Quorum, JointValueNeedsBothHalves) {
  const ConfState joint = Joint({1, 2, 3}, {4, 5, 6});
  EXPECT_EQ(Value(joint, {{1, 9}, {2, 9}, {3, 9}, {4, 2}, {5, 1}}), 1u);
  EXPECT_EQ(Value(joint, {{4, 9}, {5, 9}, {6, 9}, {1, 2}, {2, 1}}), 1u);
}

TEST(Quorum, EmptyConfigurationMayNotBeAskedAndElectsNobody) {
  const ConfState empty;
  EXPECT_THROW(QuorumValue(empty, [](PeerId) -> uint64_t { return 9; }), InvariantViolation);
  EXPECT_THROW(HasQuorum(empty, [](PeerId) { return true; }), InvariantViolation);
  EXPECT_NE(CountVotes(empty, [](PeerId) { return Ballot::kGranted; }), VoteState::kWon);
}

TEST(Quorum, LearnersDoNotCount) {
  ConfState conf = Joint({1, 2, 3}, {});
  conf.learners = Ids({4, 5, 6, 7});
  EXPECT_EQ(Value(conf, {{1, 5}, {4, 9}, {5, 9}, {6, 9}, {7, 9}}), 0u);
  EXPECT_FALSE(HasQuorum(conf, [](PeerId id) { return id.value() == 1 || id.value() >= 4; }));
}

TEST(Quorum, AgreesWithTheDefinitionForRandomConfigurations) {
  Rng rng(1);
  for (int round = 0; round < 5000; ++round) {
    ConfState conf;
    std::map<uint64_t, uint64_t> reached;
    std::map<uint64_t, Ballot> ballots;
    for (uint64_t id = 1; id <= 6; ++id) {
      const uint64_t where = rng.Below(4);
      if (where == 0 || where == 2) conf.voters.push_back(PeerId(id));
      if (where == 1 || where == 2) conf.voters_outgoing.push_back(PeerId(id));
      reached[id] = rng.Below(10);
      ballots[id] = static_cast<Ballot>(rng.Below(3));
    }
    if (conf.voters.empty()) continue;

    uint64_t value = HighestReachedByMost(conf.voters, reached);
    VoteState votes = MostVotes(conf.voters, ballots);
    if (conf.joint()) {
      value = std::min(value, HighestReachedByMost(conf.voters_outgoing, reached));
      const VoteState outgoing = MostVotes(conf.voters_outgoing, ballots);
      if (votes == VoteState::kLost || outgoing == VoteState::kLost) {
        votes = VoteState::kLost;
      } else if (votes != outgoing) {
        votes = VoteState::kPending;
      }
    }
    ASSERT_EQ(Value(conf, reached), value) << "round " << round;
    ASSERT_EQ(CountVotes(conf, [&](PeerId id) { return ballots[id.value()]; }), votes)
        << "round " << round;
    ASSERT_EQ(HasQuorum(conf, [&](PeerId id) { return reached[id.value()] >= 5; }), value >= 5)
        << "round " << round;
  }
}

}  // namespace
}  // namespace flaredb::raft
