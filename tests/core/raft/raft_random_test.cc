// SPDX-License-Identifier: Apache-2.0
// Random schedules: the checks of Group hold whatever is delivered, lost, repeated, delayed and
// crashed, and a group that is left in peace makes progress. A failure names its seed.
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

Config SmallConfig() {
  Config config;
  config.append_bytes_max = 12;
  config.inflight_appends_max = 3;
  config.uncommitted_bytes_max = 60;
  config.window_bytes_max = 20;
  return config;
}

class Schedule {
 public:
  Schedule(uint64_t seed, ConfState conf, uint64_t replicas)
      : rng_(seed), replicas_(replicas), group_(std::move(conf), SmallConfig(), seed) {
    for (uint64_t id = 1; id <= replicas_; ++id) {
      group_.HoldDisk(id);
      group_.HoldFetches(id);
    }
  }

  void Step() {
    const uint64_t id = rng_.Between(uint64_t{1}, replicas_);
    const uint64_t other = rng_.Between(uint64_t{1}, replicas_);
    const uint64_t what = rng_.Below(100);
    if (what < 45) {
      DeliverOne(id, other);
    } else if (what < 70) {
      if (group_.running(id)) group_.PersistNext(id);
    } else if (what < 80) {
      group_.Wait(Duration::Milliseconds(static_cast<int64_t>(rng_.Below(120))));
    } else if (what < 90) {
      if (group_.running(id)) group_.Propose(id, "p" + std::to_string(++proposals_));
    } else if (what < 93) {
      if (group_.running(id)) group_.Read(id);
    } else if (what < 95) {
      if (group_.running(id)) group_.AnswerFetches(id);
    } else if (what < 97) {
      group_.running(id) ? group_.Crash(id) : group_.Restart(id);
    } else if (what < 98) {
      group_.Cut(id, other);
    } else if (what < 99) {
      group_.Heal();
    } else if (group_.running(id)) {
      group_.Campaign(id);
    }
  }

  void LeaveInPeace() {
    group_.Heal();
    for (uint64_t id = 1; id <= replicas_; ++id) {
      group_.FreeDisk(id);
      if (!group_.running(id)) group_.Restart(id);
      group_.FreeFetches(id);
    }
    group_.Pass(Duration::Seconds(10));
    for (uint64_t id = 1; id <= replicas_; ++id) {
      if (group_.leads(id)) group_.Propose(id, "last");
    }
    group_.Pass(Duration::Seconds(1));
    for (uint64_t id = 1; id <= replicas_; ++id) {
      const std::vector<std::string> applied = group_.applied(id);
      ASSERT_FALSE(applied.empty());
      EXPECT_EQ(applied.back(), "last") << "replica " << id;
    }
  }

 private:
  // Delivers, loses, repeats or overtakes.
  void DeliverOne(uint64_t from, uint64_t to) {
    std::deque<Message>& link = group_.link(from, to);
    if (link.empty()) return;
    const size_t which = rng_.Below(4) == 0 ? rng_.Below(link.size()) : 0;
    const Message message = link[which];
    const uint64_t fate = rng_.Below(20);
    if (fate != 0) link.erase(link.begin() + static_cast<ptrdiff_t>(which));
    if (fate != 1) group_.Give(message);
  }

  Rng rng_;
  const uint64_t replicas_;
  Group group_;
  uint64_t proposals_ = 0;
};

void RunSeeds(uint64_t first_seed, uint64_t seeds, const ConfState& conf, uint64_t replicas) {
  for (uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Schedule schedule(seed, conf, replicas);
    for (int step = 0; step < 1500; ++step) schedule.Step();
    schedule.LeaveInPeace();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RaftRandom, OneReplica) { RunSeeds(1, 20, Voters(1), 1); }

TEST(RaftRandom, ThreeReplicas) { RunSeeds(1, 150, Voters(3), 3); }

TEST(RaftRandom, FiveReplicas) { RunSeeds(1000, 100, Voters(5), 5); }

TEST(RaftRandom, JointWithALearner) {
  ConfState conf = Voters(3);
  conf.voters_outgoing = {PeerId(2), PeerId(3), PeerId(4)};
  conf.learners = {PeerId(5)};
  RunSeeds(2000, 50, conf, 5);
}

}  // namespace
}  // namespace flaredb::raft
