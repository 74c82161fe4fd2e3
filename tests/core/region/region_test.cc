// SPDX-License-Identifier: Apache-2.0
#include "core/region/region.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/kv/key.h"
#include "tests/core/base/exact_decoding.h"

namespace flaredb {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Region Middle() {
  return {RegionId(300),
          "b",
          "d",
          {4, 5},
          {{PeerId(11), StoreId(1)}, {PeerId(12), StoreId(3)}, {PeerId(13), StoreId(2)}}};
}

Region Whole() { return {RegionId(1), "", "", {1, 1}, {{PeerId(1), StoreId(1)}}}; }

TEST(Region, ContainsItsStartButNotItsEnd) {
  EXPECT_FALSE(Middle().Contains("a"));
  EXPECT_TRUE(Middle().Contains("b"));
  EXPECT_TRUE(Middle().Contains("c\xff"));
  EXPECT_FALSE(Middle().Contains("d"));
  EXPECT_TRUE(Whole().Contains(""));
  EXPECT_TRUE(Whole().Contains("\xff\xff"));
}

TEST(Region, FindsPeersByStoreAndById) {
  const Region region = Middle();
  EXPECT_EQ(region.PeerOn(StoreId(3)), &region.peers[1]);
  EXPECT_EQ(region.PeerOn(StoreId(11)), nullptr);
  EXPECT_EQ(region.PeerOf(PeerId(13)), &region.peers[2]);
  EXPECT_EQ(region.PeerOf(PeerId(2)), nullptr);
}

TEST(Region, AllPeersVote) {
  const raft::ConfState conf = ConfStateOf(Middle());
  EXPECT_THAT(conf.voters, ElementsAre(PeerId(11), PeerId(12), PeerId(13)));
  EXPECT_TRUE(conf.voters_outgoing.empty());
  EXPECT_TRUE(conf.learners.empty());
}

TEST(Region, ConfigurationKnowsWhereThePeersAreButNotTheirLives) {
  EXPECT_THAT(ConfStateOf(Middle()).members,
              ElementsAre(raft::Member{PeerId(11), StoreId(1), Incarnation()},
                          raft::Member{PeerId(12), StoreId(3), Incarnation()},
                          raft::Member{PeerId(13), StoreId(2), Incarnation()}));
}

TEST(Region, PeersAreEverybodyInTheConfiguration) {
  EXPECT_EQ(*PeersOf(ConfStateOf(Middle())), Middle().peers);
  raft::ConfState joint;
  joint.voters = {PeerId(3)};
  joint.voters_outgoing = {PeerId(1), PeerId(2)};
  joint.learners = {PeerId(2), PeerId(4)};
  for (const uint64_t id : {1, 2, 3, 4}) {
    joint.members.push_back({PeerId(id), StoreId(10 - id), Incarnation(id)});
  }
  EXPECT_THAT(*PeersOf(joint),
              ElementsAre(Peer{PeerId(1), StoreId(9)}, Peer{PeerId(2), StoreId(8)},
                          Peer{PeerId(3), StoreId(7)}, Peer{PeerId(4), StoreId(6)}));
}

TEST(Region, ConfigurationThatARegionCannotHaveIsRefused) {
  struct Defect {
    std::function<void(raft::ConfState*)> make;
    std::string text;
  };
  const std::vector<Defect> defects = {
      {[](raft::ConfState* c) { c->members.pop_back(); }, "on which store peer 13 is"},
      {[](raft::ConfState* c) { c->members[1].store = StoreId(); }, "on which store peer 12 is"},
      {[](raft::ConfState* c) { c->learners.push_back(PeerId(14)); }, "on which store peer 14 is"},
      {[](raft::ConfState* c) { c->members[2].store = StoreId(1); }, "a store of its own"},
      {[](raft::ConfState* c) { *c = {}; }, "has none"},
  };
  for (const auto& [make, text] : defects) {
    raft::ConfState conf = ConfStateOf(Middle());
    make(&conf);
    const absl::Status status = PeersOf(conf).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
}

TEST(Region, DataRangeIsTheRegionsRangeWithoutSystemRows) {
  const std::string b = kv::EncodeKey(kv::NamespaceId::kDefault, "b");
  const std::string d = kv::EncodeKey(kv::NamespaceId::kDefault, "d");
  const auto range = [](std::string start, std::string end) {
    Region region = Whole();
    region.start_key = std::move(start);
    region.end_key = std::move(end);
    const kv::KeyRange range = DataRange(region);
    return std::make_pair(range.begin, range.end);
  };
  const std::string first = "z\0\0\0\1"s;  // The first key of the first namespace.
  EXPECT_EQ(range(b, d), std::make_pair(b, d));
  EXPECT_EQ(range("", d), std::make_pair(first, d));
  EXPECT_EQ(range("", ""), std::make_pair(first, "{"s));
  EXPECT_EQ(range(b, "\xff"), std::make_pair(b, "{"s));
}

TEST(Region, IsUninitializedWithoutPeers) {
  EXPECT_TRUE(Whole().initialized());
  EXPECT_FALSE(Region().initialized());
}

TEST(Region, ComesBack) {
  for (const Region& region : {Middle(), Whole()}) {
    const absl::StatusOr<Region> decoded = DecodeRegion(EncodeRegion(region));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(*decoded == region);
  }
}

TEST(Region, HasTheBytesOfTheFormatPage) {
  EXPECT_EQ(EncodeRegion(Middle()),
            "\x01\xac\x02\x01"
            "b\x01"
            "d\x04\x05\x03\x0b\x01\x0c\x03\x0d\x02"s);
}

TEST(Region, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding({EncodeRegion(Middle()), EncodeRegion(Whole())}, 13, DecodeRegion,
                      EncodeRegion);
}

TEST(Region, ThatContradictsItselfCannotBeWritten) {
  const std::vector<std::function<void(Region*)>> defects = {
      [](Region* r) { r->id = RegionId(); },
      [](Region* r) { r->end_key = "b"; },
      [](Region* r) { r->end_key = "a"; },
      [](Region* r) { r->peers.clear(); },
      [](Region* r) { r->peers[0].id = PeerId(); },
      [](Region* r) { r->peers[0].store = StoreId(); },
      [](Region* r) { r->peers[1].id = r->peers[0].id; },
      [](Region* r) { r->peers[2].store = r->peers[0].store; },
      [](Region* r) { std::swap(r->peers[0], r->peers[1]); },
  };
  for (size_t i = 0; i < defects.size(); ++i) {
    Region region = Middle();
    defects[i](&region);
    EXPECT_THROW(EncodeRegion(region), InvariantViolation) << "defect " << i;
  }
}

TEST(Region, WithAWrongPeerCountIsRefusedWithoutReadingOn) {
  EXPECT_FALSE(
      DecodeRegion("\x01\x01\x00\x00\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01"s)
          .ok());
  EXPECT_FALSE(DecodeRegion("\x01\x01\x00\x00\x01\x01\x00"s).ok());
}

}  // namespace
}  // namespace flaredb
