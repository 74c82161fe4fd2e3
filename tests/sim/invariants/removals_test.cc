// SPDX-License-Identifier: Apache-2.0
// FLOW: who knows that it was removed.
#include "sim/invariants/removals.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/store/recovery.h"
#include "tests/sim/invariants/support.h"

namespace flaredb::sim {
namespace {

constexpr PeerId kRemoved(103);

// Peer 103 of three is removed by entry 2; entry 1 is the region's birth. Nobody here has applied
// more than that.
class RemovalsTest : public testing::Test {
 protected:
  RemovalsTest() {
    replicas_[0].issued = Born();
    EXPECT_FALSE(replicas_[0].issued.Apply(Append(2, {{1, "", Conf({101, 102})}})));
    replicas_[0].peer = PeerId(101);
    removed_.issued = Born();
    removed_.peer = removed_.view.id = kRemoved;
    removed_.view.conf_index = removed_.view.handed_out_index = store::kRegionBirth.index;
    removed_.view.conf = Conf({101, 102, 103});
    removed_.before = removed_.view;
    removed_.applied = store::kRegionBirth.index;
  }

  LogImage Born() const {
    LogImage log;
    EXPECT_FALSE(log.Apply(Install(store::kRegionBirth.term.value(),
                                   store::kRegionBirth.index.value(), Conf({101, 102, 103}))));
    return log;
  }
  void Commit() { commits_.OnCommit(0, Index(1), Index(2), Conf({101, 102, 103}), replicas_); }
  void Tell(PeerId peer, uint64_t conf_version) {
    const std::vector<store::Event> events = {
        store::MessageReceived{StoreId(1), store::PeerRemoved{kRegion, peer, conf_version}}};
    removals_.OnTurn(2, events, removed_);
  }
  bool Knows() const { return removals_.Knows(2, removed_); }

  const Names names_{kNodes, ThreePeers()};
  FailureReport report_;
  std::vector<Replica> replicas_{1};
  Replica removed_;
  Commits commits_{
      kRegion, kEpoch, {store::kRegionBirth, Conf({101, 102, 103})}, &names_, &report_};
  Removals removals_{kRegion, &commits_};
};

TEST_F(RemovalsTest, WhoIsToldKnows) {
  Tell(kRemoved, kEpoch.conf_version + 1);
  EXPECT_FALSE(Knows()) << "it is a member still";
  Commit();
  EXPECT_TRUE(Knows());
  removals_.OnCrash(2);
  EXPECT_FALSE(Knows());
}

TEST_F(RemovalsTest, NotOfAnEarlierVersionOrAnotherPeer) {
  Commit();
  Tell(kRemoved, kEpoch.conf_version);
  Tell(PeerId(102), kEpoch.conf_version + 1);
  EXPECT_FALSE(Knows());
}

// On a disk that was wiped, say: it knows of no time at which it was a member.
TEST_F(RemovalsTest, NotWhoHasNothingYet) {
  Commit();
  removed_.view.conf = raft::ConfState();
  Tell(kRemoved, kEpoch.conf_version + 1);
  EXPECT_FALSE(Knows());
}

TEST_F(RemovalsTest, NotWhileAConfigurationIsToBeApplied) {
  Commit();
  removed_.before.conf_index = removed_.view.conf_index = Index(2);
  Tell(kRemoved, kEpoch.conf_version + 1);
  EXPECT_FALSE(Knows());
}

TEST_F(RemovalsTest, WhoHasAppliedItsRemovalKnows) {
  Commit();
  removed_.issued = replicas_[0].issued;
  EXPECT_FALSE(Knows());
  removed_.applied = Index(2);
  EXPECT_TRUE(Knows());
}

}  // namespace
}  // namespace flaredb::sim
