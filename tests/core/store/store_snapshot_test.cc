// SPDX-License-Identifier: Apache-2.0
// Compaction, and snapshots for those who need what it dropped.
#include <set>
#include <string>
#include <vector>

#include "tests/core/store/members.h"

namespace flaredb::store {
namespace {

constexpr uint64_t kLogEntriesMax = 20;

class StoreSnapshot : public MembersTest {
 protected:
  static Options Small() {
    Options options;
    options.log_entries_max = kLogEntriesMax;
    options.raft.compact_retain_entries_max = 5;
    options.raft.snapshot_chunk_bytes = 100;
    return options;
  }
  StoreSnapshot() : MembersTest(Small()) {}

  raft::LogId base(uint64_t store) { return stores_.peer(store).raft.base; }
  bool SameRows(uint64_t store) {
    return stores_.hosts(store) && stores_.UserRows(store) == stores_.UserRows(leader_) &&
           stores_.peer(store).applied_index == stores_.peer(leader_).applied_index;
  }
  // Chunks of region 1 on their way from the leader to `store`.
  std::vector<raft::SnapshotChunkRef> ChunksTo(uint64_t store) {
    std::vector<raft::SnapshotChunkRef> chunks;
    for (const StoreMessage& message : stores_.link(leader_, store)) {
      const auto* envelope = std::get_if<RaftEnvelope>(&message);
      if (envelope == nullptr) continue;
      const auto* request = std::get_if<raft::SnapshotRequest>(&envelope->message.body);
      if (request != nullptr) chunks.push_back(request->chunk);
    }
    return chunks;
  }
};

// --- Compaction.

TEST_F(StoreSnapshot, TheLogIsKeptUntilItExceedsItsLimit) {
  const auto applied = [&] { return stores_.peer(leader_).applied_index; };
  while (applied() < kRegionBirth.index + kLogEntriesMax) {
    stores_.Ask(leader_, Make(Swap("k" + std::to_string(applied().value()), "v")));
    EXPECT_EQ(base(leader_), kRegionBirth) << applied();
  }
  Fill(2);
  stores_.Pass(Duration::Milliseconds(300));
  for (const uint64_t store : {1, 2, 3}) {
    EXPECT_GT(base(store).index, kRegionBirth.index);
    EXPECT_GE(stores_.peer(store).raft.last_log.index, base(store).index + kLogEntriesMax / 2);
  }
}

TEST_F(StoreSnapshot, TheLogStaysWithinItsLimit) {
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap(key, "v")))).version, kv::Version(1));
    for (const uint64_t store : {1, 2, 3}) {
      const raft::View view = stores_.peer(store).raft;
      EXPECT_LE(view.last_log.index - view.base.index, kLogEntriesMax + 5);
    }
  }
}

TEST_F(StoreSnapshot, NothingIsDroppedThatIsNotAppliedDurably) {
  stores_.HoldDisk(leader_);
  Fill(60);
  EXPECT_EQ(base(leader_), kRegionBirth);
  stores_.FreeDisk(leader_);
  stores_.Settle();
  EXPECT_GT(base(leader_).index, kRegionBirth.index);
}

TEST_F(StoreSnapshot, ALeaderSparesASlowFollowerTheSnapshot) {
  stores_.HoldDisk(follower_);
  Fill(kLogEntriesMax + 3);
  EXPECT_GT(base(other_).index, kRegionBirth.index + 5);
  stores_.FreeDisk(follower_);
  stores_.Settle();
  EXPECT_EQ(stores_.sent<raft::SnapshotRequest>(), 0u);
}

TEST_F(StoreSnapshot, AStoreRestartsFromACompactedLog) {
  Fill(60);
  stores_.Pass(Duration::Milliseconds(300));
  const raft::LogId before = base(follower_);
  EXPECT_GT(before.index, kRegionBirth.index);
  stores_.DropAll();
  for (const uint64_t store : {1, 2, 3}) stores_.Restart(store);
  EXPECT_EQ(base(follower_), before);
  AwaitNewLeader();
  EXPECT_EQ(ValueOf(stores_.Ask(leader_, Get("k59"))), "v");
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(Swap("k0", "w", 1)))).version, kv::Version(2));
  stores_.Pass(Duration::Milliseconds(300));
  EXPECT_TRUE(SameRows(follower_));
  EXPECT_EQ(stores_.sent<raft::SnapshotRequest>(), 0u);
  EXPECT_TRUE(stores_.quiet());
}

// --- Snapshots.

TEST_F(StoreSnapshot, AStoreThatWasAwayGetsASnapshot) {
  Fill(3);
  stores_.Pass(Duration::Milliseconds(300));
  stores_.Isolate(follower_);
  kv::CompareAndDelete del;
  del.key = "k1";
  del.expected = kv::Version(1);
  EXPECT_EQ(WriteOf(stores_.Ask(leader_, Make(del))).result, kv::WriteResult::kApplied);
  for (int i = 3; i < 60; ++i) stores_.Ask(leader_, Make(Swap("k" + std::to_string(i), "v")));
  stores_.Pass(Duration::Seconds(1));
  EXPECT_GT(base(leader_).index, stores_.peer(follower_).raft.last_log.index);
  stores_.Heal();
  Await([&] { return SameRows(follower_); });
  EXPECT_GT(stores_.sent<raft::SnapshotRequest>(), 5u);
  // It forgot what was deleted while it was away, as far as the leader did.
  EXPECT_EQ(ValueOf(stores_.Ask(follower_, Get("k1"))), "(none)");
  stores_.Restart(follower_);
  stores_.Pass(Duration::Seconds(1));
  EXPECT_TRUE(SameRows(follower_));
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreSnapshot, ASnapshotIsOfOnePointInTimeWhileWritesGoOn) {
  Fill(40, std::string(30, 'a'));
  EXPECT_EQ(AddLearner(4, 4), "");
  std::set<raft::SnapshotId> ids;
  std::set<Index> bases;
  size_t pieces = 0;
  std::vector<CallId> calls;
  for (int step = 0; step < 40; ++step) {
    for (const raft::SnapshotChunkRef& chunk : ChunksTo(4)) {
      ids.insert(chunk->id);
      bases.insert(chunk->base.last.index);
      ++pieces;
    }
    // Before, at and behind what is being read: changed, added and deleted.
    const std::string key = "k" + std::to_string(step);
    if (step % 3 == 0) calls.push_back(stores_.Call(leader_, Make(Swap(key, "changed", 1))));
    if (step % 3 == 1) calls.push_back(stores_.Call(leader_, Make(Swap("n" + key, "new"))));
    if (step % 3 == 2) {
      kv::CompareAndDelete del;
      del.key = key;
      del.expected = kv::Version(1);
      calls.push_back(stores_.Call(leader_, Make(del)));
    }
    stores_.Step();
  }
  EXPECT_GT(pieces, 10u);
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(bases.size(), 1u);
  stores_.Settle();
  Await([&] { return SameRows(4); });
  for (const CallId call : calls) {
    ASSERT_NE(stores_.reply(call), nullptr);
    EXPECT_EQ(WriteOf(*stores_.reply(call)).result, kv::WriteResult::kApplied);
  }
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreSnapshot, AReceiverThatRestartsBeginsAnew) {
  Fill(40, std::string(30, 'a'));
  EXPECT_EQ(AddLearner(4, 4), "");
  while (ChunksTo(4).empty() || ChunksTo(4).front()->number < 3) ASSERT_TRUE(stores_.Step());
  stores_.Restart(4);
  EXPECT_EQ(stores_.peer(4).applied_index, Index());
  EXPECT_TRUE(stores_.UserRows(4).empty()) << "nothing of half a snapshot is written";
  Await([&] { return SameRows(4); });
}

TEST_F(StoreSnapshot, AReceiverGoesOnWithTheNextLeader) {
  Fill(40, std::string(30, 'a'));
  EXPECT_EQ(AddLearner(4, 4), "");
  while (ChunksTo(4).empty() || ChunksTo(4).front()->number < 3) ASSERT_TRUE(stores_.Step());
  EXPECT_EQ(Transfer(follower_), "");
  stores_.Settle();
  ASSERT_TRUE(stores_.leads(follower_));
  leader_ = follower_;
  Await([&] { return SameRows(4); });
  EXPECT_TRUE(stores_.quiet());
}

TEST_F(StoreSnapshot, ALearnerThatIsRemovedDuringItsSnapshotLeavesRoomForTheNext) {
  Fill(40, std::string(30, 'a'));
  EXPECT_EQ(AddLearner(4, 4), "");
  while (ChunksTo(4).empty() || ChunksTo(4).front()->number < 3) ASSERT_TRUE(stores_.Step());
  EXPECT_EQ(Remove(4), "");
  stores_.Settle();
  EXPECT_TRUE(stores_.UserRows(4).empty());
  EXPECT_EQ(AddLearner(5, 4), "");
  Await([&] { return SameRows(4); });
  EXPECT_EQ(stores_.peer(4).peer, PeerId(5));
}

TEST_F(StoreSnapshot, LostPiecesAreSentAgain) {
  Fill(40, std::string(30, 'a'));
  EXPECT_EQ(AddLearner(4, 4), "");
  for (int lost = 0; lost < 3; ++lost) {
    while (ChunksTo(4).empty()) {
      if (!stores_.Step()) stores_.Wait(Duration::Milliseconds(100));
    }
    stores_.link(leader_, 4).clear();
  }
  Await([&] { return SameRows(4); });
}

// What the leader's own disk lacks is not in a snapshot, though everybody else has it.
TEST_F(StoreSnapshot, ASnapshotHoldsWhatIsDurable) {
  Fill(10);
  stores_.Pass(Duration::Milliseconds(300));
  const Index durable = stores_.peer(leader_).applied_index;
  stores_.HoldDisk(leader_);
  for (int i = 10; i < 20; ++i) stores_.Ask(leader_, Make(Swap("k" + std::to_string(i), "v")));
  EXPECT_EQ(AddLearner(4, 4), "");
  while (ChunksTo(4).empty()) {
    if (!stores_.Step()) stores_.Wait(Duration::Milliseconds(100));
  }
  EXPECT_EQ(ChunksTo(4).front()->base.last.index, durable);
  stores_.Settle();
  EXPECT_EQ(stores_.UserRows(4).size(), 20u) << "the log brought the rest";
  stores_.FreeDisk(leader_);
  stores_.Settle();
  EXPECT_TRUE(SameRows(4));
}

TEST_F(StoreSnapshot, AFollowerThatCannotReadItsOldRowsStops) {
  Fill(3);
  stores_.Pass(Duration::Milliseconds(300));
  stores_.Isolate(follower_);
  for (int i = 3; i < 60; ++i) stores_.Ask(leader_, Make(Swap("k" + std::to_string(i), "v")));
  stores_.Pass(Duration::Seconds(1));
  stores_.data(follower_).failure = absl::DataLossError("bad checksum");
  stores_.Heal();
  stores_.Pass(Duration::Seconds(3));
  EXPECT_EQ(stores_.failure(follower_).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(stores_.failure(leader_).ok());
}

}  // namespace
}  // namespace flaredb::store
