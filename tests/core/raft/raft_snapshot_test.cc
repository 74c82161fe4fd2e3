// SPDX-License-Identifier: Apache-2.0
// Snapshots under way: what is answered late, twice or to somebody else (thesis 5).
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "tests/core/raft/group.h"

namespace flaredb::raft {
namespace {

const Duration kTimeout = Config().election_timeout;
const Duration kHeartbeat = Config().heartbeat_interval;

Config ThatHoldsNoLog() {
  Config config;
  config.snapshot_hold_entries_max = 0;
  return config;
}

// Replica 1 leads and has just asked for a view of its state machine: replica 3 lacks entries that
// its log does not have any more.
class RaftSnapshot : public testing::Test {
 protected:
  explicit RaftSnapshot(const Config& config = Config()) : group_(Voters(3), config) {
    group_.Elect(1);
    group_.Isolate(3);
    for (const char* payload : {"a", "b", "c", "d", "e"}) group_.Propose(1, payload);
    group_.Pass(kTimeout * 2);
    group_.Compact(1);
    group_.HoldSnapshots(1);
    group_.Heal();
    group_.Pass(kHeartbeat * 2);
    group_.DropAll();
    EXPECT_EQ(group_.snapshot_requests(1), 1u);
    EXPECT_EQ(StateOfThree(), ProgressState::kSnapshot);
  }

  ProgressState StateOfThree() const { return group_.view(1).progress.back().state; }

  // The piece that waits on its way to replica 3.
  SnapshotRequest Sent() {
    const auto requests = group_.Waiting<SnapshotRequest>(1, 3);
    EXPECT_EQ(requests.size(), 1u);
    return requests.at(0);
  }

  // An answer of `from` to the transfer to replica 3; it proves no round.
  Message Reply(uint64_t from, uint64_t session, SnapshotId id, uint64_t next_chunk) {
    return group_.From(from, 1, group_.view(1).term.value(),
                       SnapshotReply{session, 0, id, next_chunk});
  }

  // `call` changes nothing in the replica, and nothing leaves.
  template <typename Call>
  void ExpectIgnored(uint64_t id, Call call) {
    Raft& raft = group_.raft(id);
    const uint64_t before = raft.state_hash();
    Effects effects;
    call(&raft, group_.now(id), &effects);
    EXPECT_TRUE(effects.empty());
    EXPECT_EQ(raft.state_hash(), before);
    EXPECT_EQ(raft.poison(), "");
  }
  void ExpectIgnored(const Message& message) {
    ExpectIgnored(message.to.value(), [&](Raft* raft, Instant now, Effects* effects) {
      raft->OnMessage(now, Message(message), effects);
    });
  }

  Group group_;
};

class RaftSnapshotOutrun : public RaftSnapshot {
 protected:
  RaftSnapshotOutrun() : RaftSnapshot(ThatHoldsNoLog()) {}
};

constexpr SnapshotId kFirst(1);
constexpr SnapshotId kUnknown(99);

// --- The owner's answers.

TEST_F(RaftSnapshot, AnAnswerAboutAViewThatNobodyWantsIsIgnored) {
  ExpectIgnored(1, [&](Raft* raft, Instant now, Effects* effects) {
    raft->OnSnapshotTaken(now, kUnknown, group_.commit(1), effects);
    raft->OnSnapshotRead(now, kUnknown, 0, "piece", false, effects);
    raft->OnSnapshotFailed(now, kUnknown, effects);
  });
}

TEST_F(RaftSnapshot, AReplicaThatLeadsNoMoreWantsNoAnswer) {
  group_.Elect(2);
  ExpectIgnored(1, [&](Raft* raft, Instant now, Effects* effects) {
    raft->OnSnapshotTaken(now, kFirst, group_.commit(1), effects);
    raft->OnSnapshotRead(now, kFirst, 0, "piece", false, effects);
    raft->OnSnapshotFailed(now, kFirst, effects);
  });
}

TEST_F(RaftSnapshot, AViewIsTakenOnce) {
  group_.AnswerSnapshots(1);
  ASSERT_EQ(group_.snapshot_requests(1), 1u) << "its first piece is asked for";
  ExpectIgnored(1, [&](Raft* raft, Instant now, Effects* effects) {
    raft->OnSnapshotTaken(now, kFirst, group_.commit(1), effects);
  });
}

TEST_F(RaftSnapshot, APieceThatWasNotAskedForIsIgnored) {
  const auto read = [](uint64_t number) {
    return [number](Raft* raft, Instant now, Effects* effects) {
      raft->OnSnapshotRead(now, kFirst, number, "piece", false, effects);
    };
  };
  ExpectIgnored(1, read(0));  // There is no view yet.
  group_.AnswerSnapshots(1);
  ExpectIgnored(1, read(1));  // It is piece 0 that is read.
  group_.AnswerSnapshots(1);
  ExpectIgnored(1, read(0));  // It was read, and is on its way.
  EXPECT_EQ(Sent().chunk->number, 0u);
}

// The log has to continue what the follower gets.
TEST_F(RaftSnapshotOutrun, AViewOlderThanTheLogIsGivenUp) {
  const Index covered = group_.commit(1);
  group_.Propose(1, "f");
  group_.Settle();
  group_.Compact(1);
  ASSERT_GT(group_.view(1).base.index, covered);
  Effects effects;
  group_.raft(1).OnSnapshotTaken(group_.now(1), kFirst, covered, &effects);
  ASSERT_EQ(effects.snapshots.size(), 1u);
  const auto* dropped = std::get_if<DropSnapshot>(&effects.snapshots[0]);
  ASSERT_NE(dropped, nullptr);
  EXPECT_EQ(dropped->id, kFirst);
  EXPECT_EQ(StateOfThree(), ProgressState::kProbe);
}

TEST_F(RaftSnapshot, AFailedViewIsTakenAgainAfterTheNextAnswerOfTheFollower) {
  group_.FailSnapshots(1);
  EXPECT_EQ(StateOfThree(), ProgressState::kProbe);
  EXPECT_EQ(group_.snapshot_requests(1), 0u) << "not at once: it would fail again";
  group_.Pass(kHeartbeat * 2);
  EXPECT_EQ(group_.snapshot_requests(1), 1u);
  group_.FreeSnapshots(1);
  group_.Pass(kHeartbeat * 2);
  EXPECT_EQ(group_.applied(3), group_.applied(1));
  EXPECT_EQ(group_.installs(3), 1u);
}

// --- The follower's answers.

class RaftSnapshotReply : public RaftSnapshot {
 protected:
  // Piece 0 is on its way to replica 3.
  void SendFirstPiece() {
    group_.AnswerSnapshots(1);
    group_.AnswerSnapshots(1);
    session_ = Sent().session;
  }
  uint64_t session_ = 0;
};

TEST_F(RaftSnapshotReply, AnAnswerAboutAnotherTransferIsIgnored) {
  SendFirstPiece();
  ExpectIgnored(Reply(3, session_, kUnknown, 1));
}

TEST_F(RaftSnapshotReply, AnAnswerOfAnotherFollowerIsIgnored) {
  SendFirstPiece();
  group_.Wait(kHeartbeat);
  const auto to_two = group_.Waiting<HeartbeatRequest>(1, 2);
  ASSERT_FALSE(to_two.empty());
  ExpectIgnored(Reply(2, to_two.back().session, kFirst, 1));
}

TEST_F(RaftSnapshotReply, ARepeatedAnswerAsksForNothingAgain) {
  SendFirstPiece();
  group_.Give(Reply(3, session_, kFirst, 1));
  ASSERT_EQ(group_.snapshot_requests(1), 1u) << "piece 1 is being read";
  ExpectIgnored(Reply(3, session_, kFirst, 1));
  group_.AnswerSnapshots(1);
  ExpectIgnored(Reply(3, session_, kFirst, 1));  // Piece 1 is on its way.
}

// It refused piece 0, which was damaged on the way: the next repetition brings it.
TEST_F(RaftSnapshotReply, ARefusalOfTheFirstPieceBeginsNothingAnew) {
  SendFirstPiece();
  ExpectIgnored(Reply(3, session_, kFirst, 0));
  group_.DropAll();
  group_.Pass(kTimeout + kHeartbeat);
  group_.FreeSnapshots(1);
  group_.Pass(kHeartbeat * 2);
  EXPECT_EQ(group_.installs(3), 1u);
}

TEST_F(RaftSnapshotReply, NothingFollowsTheLastPiece) {
  group_.snapshot_piece_bytes = 1 << 20;
  SendFirstPiece();
  ASSERT_TRUE(Sent().chunk->last);
  ExpectIgnored(Reply(3, session_, kFirst, 1));
}

// --- Receiving.

TEST_F(RaftSnapshotReply, PiecesOfAnotherBaseDoNotContinueASnapshot) {
  SendFirstPiece();
  const SnapshotRequest first = Sent();
  ASSERT_FALSE(first.chunk->last);
  group_.Deliver(1, 3);
  group_.DropAll();
  SnapshotChunk second = *first.chunk;
  second.number = 1;
  second.checksum = ChecksumChunk(first.chunk->checksum, second.data);
  ++second.base.last.index;
  group_.Give(group_.From(1, 3, group_.view(1).term.value(),
                          SnapshotRequest{session_, 0, std::make_shared<SnapshotChunk>(second)}));
  const auto replies = group_.Waiting<SnapshotReply>(3, 1);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].next_chunk, 0u) << "it has nothing of that one";
}

// What the snapshot stands for is committed, and so is the same in the follower's log.
TEST(RaftSnapshotOfAKnownLog, CommitsWhatTheLogHoldsAndInstallsNothing) {
  Group group(Voters(3));
  group.Elect(1);
  group.Pass(kHeartbeat * 2);
  group.Propose(1, "x");
  group.DeliverTo(2);
  group.DeliverTo(3);
  group.PersistAll(2);
  group.PersistAll(3);
  group.DeliverTo(1);  // Committed; the news of it is lost.
  group.DropAll();
  const View leader = group.view(1);
  ASSERT_EQ(leader.commit_index, leader.last_log.index);
  ASSERT_LT(group.commit(2), leader.commit_index);
  SnapshotChunk chunk;
  chunk.id = kFirst;
  chunk.base = {leader.last_log, leader.conf};
  chunk.data = "never looked at";
  group.Give(group.From(1, 2, leader.term.value(),
                        SnapshotRequest{1, 0, std::make_shared<SnapshotChunk>(chunk)}));
  EXPECT_EQ(group.applied(2), std::vector<std::string>{"x"});
  EXPECT_EQ(group.installs(2), 0u);
  const auto replies = group.Waiting<AppendReply>(2, 1);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(std::get<AppendAccept>(replies[0].result).match_index, leader.last_log.index);
}

// --- Observation.

TEST_F(RaftSnapshotReply, EveryStepOfATransferIsAnotherState) {
  std::vector<uint64_t> hashes = {group_.raft(1).state_hash()};
  group_.AnswerSnapshots(1);
  hashes.push_back(group_.raft(1).state_hash());  // The view is there, piece 0 is read.
  group_.AnswerSnapshots(1);
  hashes.push_back(group_.raft(1).state_hash());  // Piece 0 is on its way.
  group_.Give(Reply(3, Sent().session, kFirst, 1));
  hashes.push_back(group_.raft(1).state_hash());  // Piece 1 is read.
  for (size_t i = 0; i < hashes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(hashes[i], hashes[j]) << j << " and " << i;
  }
}

}  // namespace
}  // namespace flaredb::raft
