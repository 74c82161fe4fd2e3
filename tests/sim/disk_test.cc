// SPDX-License-Identifier: Apache-2.0
#include "sim/disk.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace flaredb::sim {
namespace {

constexpr RegionId kRegion(1);

raft::EntrySlice Entries(uint64_t term, uint64_t first, uint32_t count) {
  const std::string payload = "payload";
  std::vector<raft::NewEntry> entries(count, {raft::EntryKind::kCommand, payload});
  return raft::EntrySlice(raft::EntryBlock::Create(Term(term), Index(first), entries));
}

raft::Persist Append(uint64_t term, uint64_t first, uint32_t count, uint64_t truncate_from = 0) {
  raft::Persist persist;
  persist.truncate_from = Index(truncate_from);
  persist.append.push_back(Entries(term, first, count));
  return persist;
}

TEST(LogImage, TruncatesBeforeItAppends) {
  LogImage log;
  EXPECT_EQ(log.Apply(Append(1, 1, 5)), std::nullopt);
  EXPECT_EQ(log.Apply(Append(2, 4, 1, 4)), std::nullopt);
  EXPECT_EQ(log.last_index(), Index(4));
  EXPECT_EQ(log.TermAt(Index(3)), Term(1));
  EXPECT_EQ(log.TermAt(Index(4)), Term(2));
  EXPECT_EQ(log.TermAt(Index(5)), Term());
}

TEST(LogImage, RefusesAGapAndAnOverlap) {
  LogImage log;
  EXPECT_NE(log.Apply(Append(1, 2, 1)), std::nullopt);
  EXPECT_EQ(log.Apply(Append(1, 1, 3)), std::nullopt);
  EXPECT_NE(log.Apply(Append(1, 3, 1)), std::nullopt);
}

TEST(LogImage, StateListsTheRunsOfTerms) {
  LogImage log;
  log.Apply(Append(1, 1, 2));
  log.Apply(Append(3, 3, 2));
  const env::LogState state = log.State(kRegion, Incarnation(9));
  EXPECT_EQ(state.terms, (std::vector<raft::TermRun>{{Index(1), Term(1)}, {Index(3), Term(3)}}));
  EXPECT_EQ(state.last_index, Index(4));
  EXPECT_EQ(state.incarnation, Incarnation(9));
}

TEST(LogImage, ReadsAPrefixWithinTheBytesButAtLeastOneEntry) {
  LogImage log;
  log.Apply(Append(1, 1, 3));
  log.Apply(Append(2, 4, 3));
  const auto count = [&](size_t bytes_max) {
    uint32_t n = 0;
    for (const raft::EntrySlice& s : log.Read(Index(2), Index(5), bytes_max)) n += s.size();
    return n;
  };
  EXPECT_EQ(count(1), 1u);
  EXPECT_EQ(count(21), 3u);
  EXPECT_EQ(count(1000), 4u);
  EXPECT_TRUE(log.Read(Index(7), Index(9), 1000).empty());
  const raft::EntrySlices slices = log.Read(Index(2), Index(5), 1000);
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].first_index(), Index(2));
  EXPECT_EQ(slices[0].last_index(), Index(3));
  EXPECT_EQ(slices[1].last_index(), Index(5));
}

class SimDiskTest : public testing::Test {
 protected:
  static DiskProfile Profile() {
    DiskProfile profile;
    profile.latency = {Duration::Milliseconds(1), Duration::Milliseconds(9)};
    return profile;
  }

  static env::GroupCommit Commit(uint64_t token, const std::string& value) {
    env::GroupCommit commit;
    commit.token = IoToken(token);
    commit.data.Put("key", value);
    commit.data.Put("key" + std::to_string(token), value);
    return commit;
  }

  std::string Value(const std::string& key) {
    return disk_.image().Get(key).value().value_or("none");
  }

  World world_{1, nullptr};
  SimDisk disk_{&world_, Profile(), 0};
};

TEST_F(SimDiskTest, CommitsBecomeDurableAndVisibleInOrder) {
  for (uint64_t token = 1; token <= 20; ++token) disk_.Submit(Commit(token, "v"), 1);
  for (uint64_t token = 1; token <= 20; ++token) {
    EXPECT_EQ(Value("key" + std::to_string(token)), "none");
    const Event event = world_.queue.Pop();
    EXPECT_EQ(event.kind, EventKind::kDiskDone);
    EXPECT_FALSE(disk_.PutOff(event.arg));
    EXPECT_EQ(disk_.CompleteNext(), IoToken(token));
    EXPECT_EQ(Value("key" + std::to_string(token)), "v");
  }
  EXPECT_EQ(disk_.in_flight(), 0u);
}

TEST_F(SimDiskTest, ACrashKeepsWholeCommitsUpToSomePoint) {
  disk_.Submit(Commit(1, "a"), 1);
  disk_.Submit(Commit(2, "b"), 1);
  disk_.Submit(Commit(3, "c"), 1);
  disk_.CrashSurvives();
  disk_.CrashSurvives();
  disk_.Crash();
  EXPECT_EQ(disk_.in_flight(), 0u);
  EXPECT_EQ(Value("key"), "b");
  EXPECT_EQ(Value("key2"), "b");
  EXPECT_EQ(Value("key3"), "none");
}

TEST_F(SimDiskTest, AStalledDiskCompletesNothing) {
  disk_.Submit(Commit(1, "a"), 1);
  disk_.Stall(world_.now() + Duration::Seconds(1));
  Event event = world_.queue.Pop();
  EXPECT_TRUE(disk_.PutOff(event.arg));
  EXPECT_EQ(Value("key"), "none");
  event = world_.queue.Pop();
  EXPECT_EQ(world_.now() - Instant(), Duration::Seconds(1));
  EXPECT_FALSE(disk_.PutOff(event.arg));
  EXPECT_EQ(disk_.CompleteNext(), IoToken(1));
}

TEST_F(SimDiskTest, AFetchReadsWhatIsDurableWhenTheDiskComesToIt) {
  env::GroupCommit log;
  log.token = IoToken(1);
  log.log.push_back({kRegion, Incarnation(5), Append(1, 1, 3)});
  disk_.Format(log);
  disk_.SubmitFetch({kRegion, {.id = 7, .first = Index(2), .last = Index(3), .bytes_max = 100}}, 1);
  const uint64_t id = world_.queue.Pop().arg;
  disk_.ReadFetch(id);
  const Event done = world_.queue.Pop();
  EXPECT_EQ(done.kind, EventKind::kFetchDone);
  const std::optional<env::LogFetched> fetched = disk_.TakeFetch(done.arg, 1);
  ASSERT_TRUE(fetched.has_value());
  EXPECT_EQ(fetched->id, 7u);
  ASSERT_TRUE(fetched->entries.ok());
  EXPECT_EQ(fetched->entries->front().first_index(), Index(2));
  EXPECT_EQ(fetched->entries->back().last_index(), Index(3));
}

TEST_F(SimDiskTest, AFetchOfAnEarlierLifeIsNotAnswered) {
  disk_.SubmitFetch({kRegion, {.id = 7, .first = Index(2), .last = Index(3), .bytes_max = 100}}, 1);
  const uint64_t id = world_.queue.Pop().arg;
  disk_.ReadFetch(id);
  EXPECT_EQ(disk_.TakeFetch(world_.queue.Pop().arg, 2), std::nullopt);
}

TEST_F(SimDiskTest, AWriteThatNoLogCanTakeFailsTheRun) {
  env::GroupCommit gap;
  gap.token = IoToken(1);
  gap.log.push_back({kRegion, Incarnation(), Append(1, 5, 1)});
  disk_.Submit(gap, 1);
  world_.queue.Pop();
  disk_.CompleteNext();
  EXPECT_EQ(world_.report.failure().invariant, "STORE");
}

}  // namespace
}  // namespace flaredb::sim
