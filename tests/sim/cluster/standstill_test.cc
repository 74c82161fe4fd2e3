// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/standstill.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/region/region.h"

namespace flaredb::sim {
namespace {

Instant Ms(int64_t ms) { return Instant() + Duration::Milliseconds(ms); }

// Three stores with peers 101 to 103, all voters, in term 5 with the same log; it is 10 s on every
// clock.
class StandstillTest : public testing::Test {
 protected:
  StandstillTest() {
    Region region;
    for (uint64_t i = 1; i <= 3; ++i) region.peers.push_back({PeerId(100 + i), StoreId(i)});
    all_.names = Names(3, region);
    all_.conf.voters = {PeerId(101), PeerId(102), PeerId(103)};
    all_.committed = Index(20);
    for (uint64_t i = 1; i <= 3; ++i) {
      Standstill::Store& store = all_.stores.emplace_back();
      store.runs = true;
      store.clock = Ms(10000);
      store.view.id = PeerId(100 + i);
      store.view.term = Term(5);
      store.view.last_log = {Term(5), Index(20)};
      store.view.commit_index = store.view.durable_index = store.applied = Index(20);
      store.view.conf = all_.conf;
      store.view.deadline = Ms(10500);
    }
  }

  raft::View& View(uint32_t node) { return all_.stores[node].view; }

  // Store 1 does, and has heard of both that they have everything.
  void Lead() {
    all_.leader = 0;
    View(0).role = raft::Role::kLeader;
    View(0).leader = View(1).leader = View(2).leader = PeerId(101);
    for (uint64_t i = 2; i <= 3; ++i) {
      raft::ProgressView& progress = View(0).progress.emplace_back();
      progress.peer = PeerId(100 + i);
      progress.state = raft::ProgressState::kReplicate;
      progress.match_index = Index(20);
      progress.next_index = Index(21);
      progress.recently_active = progress.may_send = true;
    }
  }
  // Store 3 lacks the last ten entries.
  raft::ProgressView& LeaveBehind() {
    View(2).last_log.index = View(2).durable_index = View(2).commit_index = Index(10);
    all_.stores[2].applied = Index(10);
    raft::ProgressView& progress = View(0).progress[1];
    progress.match_index = Index(10);
    progress.next_index = Index(11);
    return progress;
  }

  Standstill all_;
};

// --- Nobody leads.

TEST_F(StandstillTest, WhoDoesNotCampaignWouldWinButDoesNotAsk) {
  View(0).deadline = Instant::Max();
  all_.stores[1].runs = all_.stores[2].runs = false;
  EXPECT_EQ(WhyNobodyLeads(all_),
            "  store 1 does not campaign in term 5, and has no deadline\n"
            "    it can't win by the configuration stores {1,2,3}\n"
            "    store 2 is down\n"
            "    store 3 is down\n");
}

TEST_F(StandstillTest, EveryVoterHasAReasonOfItsOwn) {
  raft::View& asking = View(2);
  asking.role = raft::Role::kPreCandidate;
  asking.last_log = {Term(4), Index(30)};
  asking.votes = {{PeerId(102), false}};
  View(1).promised_until = Ms(10250);
  View(1).leader = PeerId(101);
  EXPECT_EQ(WhyNotElected(all_, 2),
            "  store 3 asks for term 6 (log 4:30), store 2 said no\n"
            "    it can't win by the configuration stores {1,2,3}\n"
            "    store 1 has a later log, which ends at 5:20\n"
            "    store 2 has heard store 1 and helps nobody for 250 ms\n");
  View(0).resting = true;
  EXPECT_NE(WhyNotElected(all_, 2).find("store 1 rests"), std::string::npos);
  View(0).term = Term(7);
  EXPECT_NE(WhyNotElected(all_, 2).find("store 1 is in term 7 already"), std::string::npos);
  all_.cut = {{2, 0}};
  EXPECT_NE(WhyNotElected(all_, 2).find("store 1 does not hear it"), std::string::npos);
  all_.cut = {{0, 2}};
  EXPECT_NE(WhyNotElected(all_, 2).find("store 1 is not heard by it"), std::string::npos);
}

TEST_F(StandstillTest, AVoteIsForOne) {
  for (const uint32_t node : {0, 2}) {
    View(node).role = raft::Role::kCandidate;
    View(node).vote = View(node).id;
  }
  View(1).vote = PeerId(101);
  EXPECT_EQ(WhyNotElected(all_, 2),
            "  store 3 asks for term 5 (log 5:20)\n"
            "    it can't win by the configuration stores {1,2,3}\n"
            "    store 1 has voted for store 1 in term 5\n"
            "    store 2 has voted for store 1 in term 5\n");
}

TEST_F(StandstillTest, ARefusalWithoutAReasonIsTold) {
  View(0).role = raft::Role::kPreCandidate;
  View(0).votes = {{PeerId(102), false}, {PeerId(103), false}};
  EXPECT_EQ(WhyNotElected(all_, 0),
            "  store 1 asks for term 6 (log 5:20), store 2 said no, store 3 said no\n"
            "    it could win by the configuration stores {1,2,3}\n"
            "    store 2 said no, and nothing is in the way now\n"
            "    store 3 said no, and nothing is in the way now\n");
}

TEST_F(StandstillTest, ALearnerCampaignsOnlyWhenItKnowsBetter) {
  View(2).conf.voters = {PeerId(101), PeerId(102)};
  View(2).conf.learners = {PeerId(103)};
  EXPECT_EQ(WhyNotElected(all_, 2),
            "  store 3 is a voter, but its log ends at 5:20, before it became one\n");
  all_.conf = View(2).conf;
  EXPECT_EQ(WhyNotElected(all_, 2), "");
}

// --- Somebody leads.

TEST_F(StandstillTest, WhoLacksNothingIsNotMentioned) {
  Lead();
  EXPECT_EQ(Explain(all_), "  store 1 leads term 5\n");
}

TEST_F(StandstillTest, AFollowerThatIsBehindIsToldWhatItWaitsFor) {
  Lead();
  raft::ProgressView& progress = LeaveBehind();
  const std::string begin =
      "  store 1 leads term 5\n"
      "  store 3 has a log up to 5:10\n";
  EXPECT_EQ(WhyBehind(all_), begin + "  store 3 was sent up to 10, and may get more\n");
  progress.may_send = false;
  EXPECT_EQ(WhyBehind(all_), begin + "  store 3 was sent up to 10, and its window is full\n");
  progress.state = raft::ProgressState::kProbe;
  EXPECT_EQ(WhyBehind(all_),
            begin +
                "  store 3 is to be asked whether it agrees up to index 10, and was, but no answer "
                "counted\n");
  progress.may_send = true;
  progress.fetching = true;
  EXPECT_EQ(WhyBehind(all_),
            begin +
                "  store 3 is to be asked whether it agrees up to index 10, but nothing is on its "
                "way; entries are being read for it\n");
  progress.state = raft::ProgressState::kSnapshot;
  progress.snapshot_step = raft::SnapshotStep::kAnswer;
  progress.snapshot_piece = 2;
  progress.snapshot_moved_at = Ms(4000);
  progress.recently_active = false;
  EXPECT_EQ(WhyBehind(all_),
            begin +
                "  store 3 is to get a snapshot, whose piece 2 is not answered for 6000 ms\n"
                "  store 3 has not answered its leader for an election timeout\n");
}

TEST_F(StandstillTest, AnObstacleIsNamed) {
  Lead();
  LeaveBehind();
  const auto says = [&](const std::string& part) {
    return WhyBehind(all_).find("  store 3 " + part + "\n") != std::string::npos;
  };
  all_.cut = {{0, 2}};
  EXPECT_TRUE(says("does not hear its leader: the link is cut"));
  all_.cut = {{2, 0}};
  EXPECT_TRUE(says("is not heard by its leader: the link is cut"));
  all_.cut.clear();
  all_.stores[2].disk_failed = true;
  EXPECT_TRUE(says("has a disk that failed a write, and runs on"));
  all_.stores[2].disk_failed = false;
  View(2).issued_token = IoToken(7);
  EXPECT_TRUE(says("waits for a write, but its disk has nothing to do"));
  View(2).term = Term(8);
  EXPECT_TRUE(says("is in term 8, and takes nothing of term 5"));
  EXPECT_TRUE(says("does not campaign in term 8 for 500 ms more"));
  View(2).id = PeerId();
  EXPECT_TRUE(says("has no replica of the region"));
  all_.stores[2].destroyed = PeerId(103);
  EXPECT_TRUE(says("was destroyed by its store, though it is a member"));
  all_.stores[2].destroyed = PeerId(108);
  EXPECT_TRUE(says("can't be created: its store has destroyed a later one, peer 108"));
  all_.stores[2].runs = false;
  EXPECT_TRUE(says("is down"));
  all_.stores[2].left_out = true;
  EXPECT_EQ(WhyBehind(all_), "  store 1 leads term 5\n");
}

TEST_F(StandstillTest, ALeaderThatHearsNoQuorumIsNamed) {
  Lead();
  View(0).progress[0].recently_active = View(0).progress[1].recently_active = false;
  EXPECT_EQ(WhyBehind(all_),
            "  store 1 leads term 5\n"
            "  store 1 hears no quorum of stores {1,2,3}\n");
  View(0).progress[1].recently_active = true;
  EXPECT_EQ(WhyBehind(all_), "  store 1 leads term 5\n");
}

TEST_F(StandstillTest, WhatTheLeaderItselfWaitsForIsTold) {
  Lead();
  View(0).last_log.index = Index(23);
  View(0).durable_index = Index(22);
  View(0).transferee = PeerId(102);
  EXPECT_EQ(WhyBehind(all_).substr(0, WhyBehind(all_).find("  store 2 has")),
            "  store 1 leads term 5\n"
            "  store 1 has its log on the disk up to 22 of 23\n"
            "  store 1 has committed 20 of 23 by the configuration stores {1,2,3}\n"
            "  store 1 hands over to store 2, and takes no writes\n");
}

// --- Disks.

TEST_F(StandstillTest, AWriteThatTheDiskDoesNotHaveIsToldOf) {
  View(1).issued_token = IoToken(7);
  View(1).durable_token = IoToken(5);
  View(1).backlog.gated_messages = 3;
  all_.stores[1].unfinished = 2;
  EXPECT_EQ(WhyWaiting(all_), "  store 2 has 2 commits on the way to its disk\n");
  all_.stores[1].unfinished = 0;
  EXPECT_EQ(
      WhyWaiting(all_),
      "  store 2 was not told, or forgot, that write 7 of its log is done: it knows of 5, and "
      "holds back 3 messages until then\n");
  View(1).durable_token = IoToken(7);
  EXPECT_EQ(WhyWaiting(all_), "");
}

// --- Clients.

TEST_F(StandstillTest, ACallIsFollowedFromStoreToStore) {
  Standstill::Client client;
  client.number = 9;
  client.what = "get k0";
  client.store = 2;
  client.attempts = 12;
  client.attempt = 77;
  client.since = Ms(7000);
  client.asked_at = Ms(9900);
  client.told = "not leader (not applied)";
  all_.clients.push_back(client);
  const std::string begin =
      "  client 9 wants to get k0 since 7000 ms\n"
      "    it asked store 3, the last of 12 times, at 9900 ms, and was told last: not leader (not "
      "applied)\n";
  EXPECT_EQ(WhyWaiting(all_), begin + "    store 3 holds nothing of it\n");

  store::CallView passed_on;
  passed_on.step = store::CallStep::kForwarded;
  passed_on.store = StoreId(1);
  passed_on.forward_id = 41;
  all_.stores[2].calls.emplace_back(77, passed_on);
  EXPECT_EQ(WhyWaiting(all_), begin +
                                  "    store 3 has passed it on to store 1\n"
                                  "    store 1 holds nothing of it\n");

  store::CallView there;
  there.origin = store::ForwardOrigin{StoreId(3), 41};
  there.step = store::CallStep::kReadAsked;
  all_.stores[0].calls.emplace_back(0, there);
  EXPECT_EQ(WhyWaiting(all_), begin +
                                  "    store 3 has passed it on to store 1\n"
                                  "    store 1 waits to hear up to where it may read\n");
  all_.clients.clear();
  EXPECT_EQ(WhyWaiting(all_),
            "  store 1 (1 other call) waits to hear up to where it may read\n"
            "  store 3 (1 other call) has passed it on to store 1\n");
}

}  // namespace
}  // namespace flaredb::sim
