// SPDX-License-Identifier: Apache-2.0
#include "core/raft/progress.h"

#include "core/base/check.h"
#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

constexpr Incarnation kLife(7);

// Of a leader whose log ended at 10 when it was elected.
Progress NewProgress() { return Progress(PeerId(2), 1, Incarnation(), Index(10), Instant()); }

// It accepted everything up to 10.
Progress Replicating() {
  Progress progress = NewProgress();
  progress.OnSent(Index(10), 0);
  progress.OnAccept(Index(10));
  return progress;
}

TEST(Progress, ProbesWithOneAppendAtATime) {
  const Config config;
  Progress progress = NewProgress();
  EXPECT_EQ(progress.state(), ProgressState::kProbe);
  EXPECT_EQ(progress.next_index(), Index(11)) << "the logs are assumed to be equal";
  EXPECT_TRUE(progress.MaySend(config));
  progress.OnSent(Index(11), 5);
  EXPECT_FALSE(progress.MaySend(config));
  EXPECT_EQ(progress.next_index(), Index(11)) << "a probe advances nothing by itself";
}

TEST(Progress, ALostProbeIsRepeatedAfterAHeartbeat) {
  const Config config;
  Progress progress = NewProgress();
  progress.OnSent(Index(11), 5);
  progress.OnHeartbeatReply();
  EXPECT_TRUE(progress.MaySend(config));
}

TEST(Progress, AnAcceptedProbeStartsReplication) {
  Progress progress = NewProgress();
  progress.OnSent(Index(11), 5);
  EXPECT_TRUE(progress.OnAccept(Index(11)));
  EXPECT_EQ(progress.state(), ProgressState::kReplicate);
  EXPECT_EQ(progress.match_index(), Index(11));
  EXPECT_EQ(progress.next_index(), Index(12));
}

TEST(Progress, ReplicationAdvancesWithoutWaiting) {
  Progress progress = Replicating();
  progress.OnSent(Index(12), 5);
  progress.OnSent(Index(15), 5);
  EXPECT_EQ(progress.next_index(), Index(16));
  EXPECT_EQ(progress.match_index(), Index(10));
  EXPECT_THROW(progress.OnSent(Index(15), 5), InvariantViolation) << "sent twice";
}

TEST(Progress, StaleAndDuplicateAcceptsChangeNothing) {
  Progress progress = Replicating();
  progress.OnSent(Index(12), 5);
  progress.OnSent(Index(15), 5);
  EXPECT_TRUE(progress.OnAccept(Index(15)));
  EXPECT_FALSE(progress.OnAccept(Index(15)));
  EXPECT_FALSE(progress.OnAccept(Index(12)));
  EXPECT_EQ(progress.match_index(), Index(15));
  EXPECT_EQ(progress.next_index(), Index(16));
}

TEST(Progress, ARejectReturnsToProbingWhereTheLogsMayAgree) {
  Progress progress = NewProgress();
  progress.OnSent(Index(11), 5);
  EXPECT_TRUE(progress.OnReject(Index(10), Index(4)));
  EXPECT_EQ(progress.state(), ProgressState::kProbe);
  EXPECT_EQ(progress.next_index(), Index(5));
  EXPECT_TRUE(progress.MaySend(Config()));
}

// However wrong a hint is, each refusal moves back: the search ends.
TEST(Progress, ARejectAlwaysMovesBack) {
  Progress progress = NewProgress();
  EXPECT_TRUE(progress.OnReject(Index(10), Index(10)));
  EXPECT_EQ(progress.next_index(), Index(10));
}

TEST(Progress, ARejectOfAnOlderProbeIsStale) {
  Progress progress = NewProgress();
  EXPECT_TRUE(progress.OnReject(Index(10), Index(4)));
  progress.OnSent(Index(5), 5);
  EXPECT_FALSE(progress.OnReject(Index(10), Index(4)));
  EXPECT_FALSE(progress.MaySend(Config())) << "the probe of 4 is still unanswered";
  EXPECT_EQ(progress.next_index(), Index(5));
}

TEST(Progress, ARejectOfSomethingAcceptedIsStale) {
  Progress progress = Replicating();
  progress.OnSent(Index(12), 5);
  EXPECT_FALSE(progress.OnReject(Index(10), Index(4)));
  EXPECT_EQ(progress.state(), ProgressState::kReplicate);
  EXPECT_EQ(progress.next_index(), Index(13));
}

TEST(Progress, ARejectWhileReplicatingMeansALostAppend) {
  Progress progress = Replicating();
  progress.OnSent(Index(12), 5);
  progress.OnSent(Index(15), 5);
  EXPECT_TRUE(progress.OnReject(Index(12), Index(10)));
  EXPECT_EQ(progress.state(), ProgressState::kProbe);
  EXPECT_EQ(progress.next_index(), Index(11));
  // The window is empty again, so what was sent before may be sent anew.
  EXPECT_FALSE(progress.OnAccept(Index(10)));
  EXPECT_EQ(progress.state(), ProgressState::kReplicate);
  progress.OnSent(Index(12), 5);
  EXPECT_EQ(progress.next_index(), Index(13));
}

TEST(Progress, ProbingNeverGoesBelowWhatWasAccepted) {
  Progress progress = Replicating();
  progress.OnSent(Index(15), 5);
  EXPECT_TRUE(progress.OnReject(Index(15), Index(2)));
  EXPECT_EQ(progress.next_index(), Index(11));
}

TEST(Progress, AStaleAcceptDoesNotEndAProbe) {
  Progress progress = Replicating();
  progress.OnSent(Index(15), 5);
  progress.OnReject(Index(15), Index(12));
  EXPECT_EQ(progress.next_index(), Index(13));
  EXPECT_FALSE(progress.OnAccept(Index(9)));
  EXPECT_EQ(progress.state(), ProgressState::kProbe);
  EXPECT_EQ(progress.next_index(), Index(13));
}

TEST(Progress, TheWindowIsBoundedByCountAndBytes) {
  Config config;
  config.inflight_appends_max = 2;
  config.inflight_bytes_max = 100;
  Progress progress = Replicating();
  progress.OnSent(Index(11), 1);
  EXPECT_TRUE(progress.MaySend(config));
  progress.OnSent(Index(12), 1);
  EXPECT_FALSE(progress.MaySend(config));
  progress.OnAccept(Index(11));
  EXPECT_TRUE(progress.MaySend(config));
  progress.OnAccept(Index(12));
  progress.OnSent(Index(13), 100);
  EXPECT_FALSE(progress.MaySend(config));
  progress.OnAccept(Index(13));
  EXPECT_TRUE(progress.MaySend(config));
}

TEST(Progress, KnowsTheFollowerByItsFirstLife) {
  Progress progress = NewProgress();
  EXPECT_TRUE(progress.Meet(kLife));
  EXPECT_TRUE(progress.Meet(kLife));
  EXPECT_FALSE(progress.Meet(kLife.next()));
  EXPECT_EQ(progress.incarnation(), kLife);
}

}  // namespace
}  // namespace flaredb::raft
