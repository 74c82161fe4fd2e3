// SPDX-License-Identifier: Apache-2.0
#include "net/server/hand_over.h"

#include <gtest/gtest.h>

#include <utility>
#include <variant>

namespace flaredb::net {
namespace {

constexpr Instant kNow = Instant::FromNanoseconds(1'000'000'000);

// Region `id`, led by peer 1 of the voters 1, 2, 3; follower 2 has 90 entries, follower 3 has 100.
store::PeerView Led(uint64_t id) {
  store::PeerView peer;
  peer.region = RegionId(id);
  peer.raft.id = PeerId(1);
  peer.raft.role = raft::Role::kLeader;
  peer.raft.conf.voters = {PeerId(1), PeerId(2), PeerId(3)};
  for (const auto& [follower, match] : {std::pair(2, 90), std::pair(3, 100)}) {
    raft::ProgressView& progress = peer.raft.progress.emplace_back();
    progress.peer = PeerId(static_cast<uint64_t>(follower));
    progress.match_index = Index(static_cast<uint64_t>(match));
    progress.recently_active = true;
  }
  return peer;
}

// (region, target) of the orders.
using Transfers = std::vector<std::pair<uint64_t, uint64_t>>;
Transfers Next(HandOver* hand_over, Instant now, const std::vector<store::PeerView>& peers) {
  Transfers transfers;
  for (const store::Order& order : hand_over->Next(now, peers)) {
    transfers.emplace_back(order.region.value(),
                           std::get<store::TransferLeader>(order.what).target.value());
  }
  return transfers;
}

TEST(HandOver, EveryRegionThatIsLedGoesToTheVoterThatHasMost) {
  std::vector<store::PeerView> peers = {Led(1), Led(2), Led(3)};
  peers[1].raft.role = raft::Role::kFollower;
  HandOver hand_over;
  EXPECT_EQ(Next(&hand_over, kNow, peers), (Transfers{{1, 3}, {3, 3}}));
  EXPECT_EQ(HandOver::Left(peers), 2u);
}

TEST(HandOver, AVoterOutOfContactComesLast) {
  std::vector<store::PeerView> peers = {Led(1)};
  peers[0].raft.progress[1].recently_active = false;
  HandOver hand_over;
  EXPECT_EQ(Next(&hand_over, kNow, peers), (Transfers{{1, 2}}));
}

TEST(HandOver, ALearnerDoesNotLead) {
  std::vector<store::PeerView> peers = {Led(1)};
  peers[0].raft.conf.voters = {PeerId(1), PeerId(2)};
  peers[0].raft.conf.learners = {PeerId(3)};
  HandOver hand_over;
  EXPECT_EQ(Next(&hand_over, kNow, peers), (Transfers{{1, 2}}));
}

TEST(HandOver, WhoIsAloneHasNothingToHandOver) {
  std::vector<store::PeerView> peers = {Led(1)};
  peers[0].raft.conf.voters = {PeerId(1)};
  peers[0].raft.progress.clear();
  HandOver hand_over;
  EXPECT_EQ(Next(&hand_over, kNow, peers), Transfers());
  EXPECT_EQ(HandOver::Left(peers), 0u);
}

TEST(HandOver, ASilencedReplicaLeadsNothing) {
  std::vector<store::PeerView> peers = {Led(1)};
  peers[0].poisoned = true;
  EXPECT_EQ(HandOver::Left(peers), 0u);
}

TEST(HandOver, AnotherIsAskedWhenTheFirstDoesNotTakeOver) {
  const std::vector<store::PeerView> peers = {Led(1)};
  HandOver hand_over;
  EXPECT_EQ(Next(&hand_over, kNow, peers), (Transfers{{1, 3}}));
  EXPECT_EQ(Next(&hand_over, kNow + Duration::Milliseconds(10), peers), Transfers());
  EXPECT_EQ(Next(&hand_over, kNow + HandOver::kPatience, peers), (Transfers{{1, 2}}));
  EXPECT_EQ(Next(&hand_over, kNow + HandOver::kPatience * 2, peers), (Transfers{{1, 3}}));
}

TEST(HandOver, TheOnlyOtherVoterIsAskedAgain) {
  std::vector<store::PeerView> peers = {Led(1)};
  peers[0].raft.conf.voters = {PeerId(1), PeerId(2)};
  HandOver hand_over;
  EXPECT_EQ(Next(&hand_over, kNow, peers), (Transfers{{1, 2}}));
  EXPECT_EQ(Next(&hand_over, kNow + HandOver::kPatience, peers), (Transfers{{1, 2}}));
}

}  // namespace
}  // namespace flaredb::net
