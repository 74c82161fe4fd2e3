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
  config.snapshot_stall_timeout = Duration::Seconds(2);
  config.snapshot_hold_entries_max = 10;
  config.compact_retain_entries_max = 5;
  return config;
}

class Schedule {
 public:
  Schedule(uint64_t seed, ConfState conf, uint64_t replicas)
      : rng_(seed), replicas_(replicas), group_(std::move(conf), SmallConfig(), seed) {
    for (uint64_t id = 1; id <= replicas_; ++id) Hold(id);
  }

  void Step() {
    const uint64_t id = rng_.Between(uint64_t{1}, replicas_);
    const uint64_t other = rng_.Between(uint64_t{1}, replicas_);
    const uint64_t what = rng_.Below(1000);
    if (what < 450) {
      DeliverOne(id, other);
    } else if (what < 700) {
      if (group_.running(id)) group_.PersistNext(id);
    } else if (what < 800) {
      group_.Wait(Duration::Milliseconds(static_cast<int64_t>(rng_.Below(120))));
    } else if (what < 880) {
      if (group_.running(id)) group_.Propose(id, "p" + std::to_string(++proposals_));
    } else if (what < 910) {
      if (!group_.running(id)) return;
      group_.Read(id, rng_.Below(2) == 0 ? ReadMode::kLease : ReadMode::kReadIndex);
    } else if (what < 930) {
      if (group_.running(id)) group_.AnswerFetches(id);
    } else if (what < 945) {
      if (group_.running(id)) group_.Compact(id);
    } else if (what < 955) {
      if (group_.running(id)) group_.AnswerSnapshots(id);
    } else if (what < 956) {
      if (group_.running(id)) group_.FailSnapshots(id);
    } else if (what < 958) {
      if (const uint64_t leader = Leader()) group_.TransferLeadership(leader, other);
    } else if (what < 970) {
      if (const uint64_t leader = Leader()) ChangeMembers(leader);
    } else if (what < 978) {
      group_.running(id) ? group_.Crash(id) : group_.Restart(id);
    } else if (what < 985) {
      group_.Cut(id, other);
    } else if (what < 994) {
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
      group_.FreeSnapshots(id);
    }
    group_.Pass(Duration::Seconds(20));
    const uint64_t leader = Leader();
    ASSERT_NE(leader, 0u) << "nobody leads";
    group_.Propose(leader, "last");
    group_.Pass(Duration::Seconds(1));
    EXPECT_FALSE(group_.view(leader).conf.joint());
    for (const PeerId member : group_.view(leader).conf.Everybody()) {
      const std::vector<std::string> applied = group_.applied(member.value());
      ASSERT_FALSE(applied.empty()) << "replica " << member;
      EXPECT_EQ(applied.back(), "last") << "replica " << member;
    }
    installs_ += Installs();
  }

  // Over all schedules, so that a test can tell whether anything of the kind happened.
  static inline size_t installs_ = 0;
  static inline size_t changes_ = 0;

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

  // Nothing of `id` happens by itself; its clock runs as wrong as leases have to bear.
  void Hold(uint64_t id) {
    group_.HoldDisk(id);
    group_.HoldFetches(id);
    group_.HoldSnapshots(id);
    group_.SetClockDrift(id,
                         static_cast<int64_t>(rng_.Between(uint64_t{0}, uint64_t{9000})) - 4500);
  }

  // One that leads, or believes so; zero: nobody does.
  uint64_t Leader() const {
    uint64_t leader = 0;
    for (uint64_t id = 1; id <= replicas_; ++id) {
      if (group_.leads(id)) leader = id;
    }
    return leader;
  }

  // Something that the configuration allows; ids are never used again.
  void ChangeMembers(uint64_t leader) {
    const ConfState conf = group_.view(leader).conf;
    std::vector<MemberChange> changes;
    const std::vector<PeerId> everybody = conf.Everybody();
    const uint64_t whom = everybody[rng_.Below(everybody.size())].value();
    switch (rng_.Below(4)) {
      case 0:
        if (replicas_ >= 9) return;
        group_.AddEmpty(++replicas_);
        Hold(replicas_);
        changes = {AddLearner(replicas_)};
        break;
      case 1:
        for (const PeerId learner : conf.learners) changes.push_back(Promote(learner.value()));
        break;
      case 2:
        changes = {Demote(whom)};
        break;
      default:
        if (everybody.size() <= 2) return;
        changes = {Remove(whom)};
    }
    changes_ += std::holds_alternative<Proposed>(group_.ChangeMembers(leader, changes)) ? 1 : 0;
  }

  size_t Installs() const {
    size_t installs = 0;
    for (uint64_t id = 1; id <= replicas_; ++id) installs += group_.installs(id);
    return installs;
  }

  Rng rng_;
  uint64_t replicas_;
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

TEST(RaftRandom, ThreeReplicas) {
  RunSeeds(1, 100, Voters(3), 3);
  EXPECT_GT(Schedule::installs_, 0u) << "no snapshot was ever installed";
  EXPECT_GT(Schedule::changes_, 0u) << "no configuration was ever changed";
}

TEST(RaftRandom, FiveReplicas) { RunSeeds(1000, 60, Voters(5), 5); }

TEST(RaftRandom, JointWithALearner) {
  ConfState conf = Voters(3);
  conf.voters_outgoing = {PeerId(2), PeerId(3), PeerId(4)};
  conf.learners = {PeerId(5)};
  RunSeeds(2000, 40, conf, 5);
}

}  // namespace
}  // namespace flaredb::raft
