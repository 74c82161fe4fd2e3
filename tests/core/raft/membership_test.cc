// SPDX-License-Identifier: Apache-2.0
#include "core/raft/membership.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

ConfState Conf(std::vector<PeerId> voters, std::vector<PeerId> outgoing = {},
               std::vector<PeerId> learners = {}) {
  ConfState conf;
  conf.voters = std::move(voters);
  conf.voters_outgoing = std::move(outgoing);
  conf.learners = std::move(learners);
  return conf;
}

constexpr PeerId k1(1);
constexpr PeerId k2(2);
constexpr PeerId k3(3);

// Why the bytes that `conf` has are refused; empty when they are not.
std::string Defect(const ConfState& conf) {
  const auto decoded = DecodeConfState(EncodeConfState(conf));
  return decoded.ok() ? "" : std::string(decoded.status().message());
}

TEST(ConfState, ComesBackFromItsBytes) {
  ConfState conf = Conf({k1, k2}, {k1, k3}, {k3});
  conf.members = {{k1, StoreId(7), Incarnation(70)}, {k3, StoreId(), Incarnation()}};
  EXPECT_EQ(DecodeConfState(EncodeConfState(conf)).value(), conf);
  EXPECT_EQ(Describe(conf), "(1 2)&(1 3) learners(3)");
}

// A configuration that no leader could have proposed is damage, wherever it comes from.
TEST(ConfState, BytesOfWhatCannotBeAreRefused) {
  EXPECT_NE(Defect(Conf({PeerId(), k1})).find("peer ids ascend"), std::string::npos);
  EXPECT_NE(Defect(Conf({k2, k1})).find("peer ids ascend"), std::string::npos);
  EXPECT_NE(Defect(Conf({k1, k1})).find("peer ids ascend"), std::string::npos);
  EXPECT_NE(Defect(Conf({k1}, {}, {k1})).find("a learner is no voter"), std::string::npos);
  EXPECT_NE(Defect(Conf({}, {k1})).find("the incoming half has a voter"), std::string::npos);
  EXPECT_EQ(Defect(Conf({k1}, {k1, k2}, {k2})), "");
}

TEST(ConfState, RowsOfStrangersAndRowsOutOfOrderAreRefused) {
  ConfState conf = Conf({k1, k2});
  conf.members = {{k3, StoreId(), Incarnation()}};
  EXPECT_NE(Defect(conf).find("members belong"), std::string::npos);
  conf.members = {{k2, StoreId(), Incarnation()}, {k1, StoreId(), Incarnation()}};
  EXPECT_NE(Defect(conf).find("members belong"), std::string::npos);
  conf.members = {{k1, StoreId(), Incarnation()}, {k2, StoreId(), Incarnation()}};
  EXPECT_EQ(Defect(conf), "");
}

TEST(Configurations, TheLatestCountsAndTruncationBringsBackTheOneBefore) {
  Configurations confs(Index(5), Conf({k1}), {});
  EXPECT_EQ(confs.previous(), Conf({k1})) << "nothing is known of one before";
  confs.Append(Index(8), Conf({k1, k2}));
  EXPECT_EQ(confs.latest(), Conf({k1, k2}));
  EXPECT_EQ(confs.previous(), Conf({k1}));
  EXPECT_EQ(confs.At(Index(7)), Conf({k1}));
  EXPECT_EQ(confs.At(Index(8)), Conf({k1, k2}));
  confs.TruncateFrom(Index(8));
  EXPECT_EQ(confs.latest(), Conf({k1}));
  EXPECT_EQ(confs.latest_index(), Index(5));
}

}  // namespace
}  // namespace flaredb::raft
