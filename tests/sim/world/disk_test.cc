// SPDX-License-Identifier: Apache-2.0
#include "sim/world/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/kv/key.h"
#include "core/raft/membership.h"

namespace flaredb::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

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

raft::ConfState Voters(std::vector<PeerId> voters) {
  raft::ConfState conf;
  conf.voters = std::move(voters);
  return conf;
}

raft::Persist AppendConf(uint64_t term, uint64_t index, const std::string& payload) {
  raft::Persist persist;
  persist.append.push_back(raft::EntrySlice(raft::EntryBlock::Create(
      Term(term), Index(index), std::vector<raft::NewEntry>{{raft::EntryKind::kConf, payload}})));
  return persist;
}
raft::Persist AppendConf(uint64_t term, uint64_t index, const raft::ConfState& conf) {
  return AppendConf(term, index, raft::EncodeConfState(conf));
}

raft::Persist Base(uint64_t term, uint64_t index, raft::ConfState conf = {}) {
  raft::Persist persist;
  persist.base =
      std::make_shared<raft::LogBase>(raft::LogBase{{Term(term), Index(index)}, std::move(conf)});
  return persist;
}
raft::Persist Install(uint64_t term, uint64_t index, raft::ConfState conf = {}) {
  raft::Persist persist = Base(term, index, std::move(conf));
  persist.install = true;
  return persist;
}
raft::Persist Truncate(uint64_t from) {
  raft::Persist persist;
  persist.truncate_from = Index(from);
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

TEST(LogImage, RefusesTermsThatGoBack) {
  LogImage log;
  EXPECT_EQ(log.Apply(Append(2, 1, 3)), std::nullopt);
  EXPECT_THAT(log.Apply(Append(1, 4, 1)),
              Optional(HasSubstr("appends index 4 of term 1 after an entry of term 2")));
}

TEST(LogImage, BeginsAfterItsBase) {
  LogImage log;
  EXPECT_EQ(log.Apply(Append(1, 1, 5)), std::nullopt);
  EXPECT_EQ(log.Apply(Append(2, 6, 5)), std::nullopt);
  EXPECT_EQ(log.Apply(Base(2, 6)), std::nullopt);
  EXPECT_EQ(log.base(), (raft::LogBase{{Term(2), Index(6)}, {}}));
  EXPECT_EQ(log.last_index(), Index(10));
  EXPECT_EQ(log.TermAt(Index(5)), Term());
  EXPECT_EQ(log.TermAt(Index(6)), Term(2));
  EXPECT_EQ(log.TermAt(Index(7)), Term(2));
  EXPECT_FALSE(log.Has(Index(6)));
  EXPECT_TRUE(log.Has(Index(7)));
  EXPECT_EQ(log.At(Index(7)).index, Index(7));
  EXPECT_TRUE(log.Read(Index(6), Index(8), 1000).empty());
  ASSERT_EQ(log.Read(Index(7), Index(8), 1000).size(), 1u);
  EXPECT_EQ(log.Read(Index(7), Index(8), 1000)[0].last_index(), Index(8));
  const env::LogState state = log.State(kRegion, Incarnation(9));
  EXPECT_EQ(state.base, log.base());
  EXPECT_EQ(state.terms, (std::vector<raft::TermRun>{{Index(7), Term(2)}}));

  EXPECT_EQ(log.Apply(Append(2, 11, 1)), std::nullopt);
  EXPECT_EQ(log.Apply(Base(2, 11)), std::nullopt);
  EXPECT_EQ(log.last_index(), Index(11));
  EXPECT_TRUE(log.State(kRegion, Incarnation(9)).terms.empty());
  EXPECT_EQ(log.Apply(Append(2, 12, 1)), std::nullopt);
}

TEST(LogImage, CarriesOutBaseTruncationAndAppendInThisOrder) {
  LogImage log;
  EXPECT_EQ(log.Apply(Append(1, 1, 5)), std::nullopt);
  raft::Persist all = Append(2, 4, 1, 4);
  all.base = Base(1, 3).base;
  EXPECT_EQ(log.Apply(all), std::nullopt);
  EXPECT_EQ(log.base().last, (raft::LogId{Term(1), Index(3)}));
  EXPECT_EQ(log.last_index(), Index(4));
  EXPECT_EQ(log.TermAt(Index(4)), Term(2));
}

TEST(LogImage, AnInstallLeavesNothingOfTheOldLog) {
  // A snapshot may end below the log's end: what is there is another leader's then.
  for (const uint64_t index : {3, 5, 100}) {
    LogImage log;
    EXPECT_EQ(log.Apply(AppendConf(1, 1, Voters({PeerId(1)}))), std::nullopt);
    EXPECT_EQ(log.Apply(Append(1, 2, 4)), std::nullopt);
    EXPECT_EQ(log.Apply(Install(2, index, Voters({PeerId(2)}))), std::nullopt);
    EXPECT_EQ(log.last_index(), Index(index));
    EXPECT_EQ(log.TermAt(Index(index)), Term(2));
    EXPECT_EQ(log.ConfAt(Index(index)), Voters({PeerId(2)}));
    EXPECT_TRUE(log.State(kRegion, Incarnation(9)).confs.empty());
    EXPECT_EQ(log.Apply(Append(2, index + 1, 2)), std::nullopt);
  }
}

TEST(LogImage, OnlyTheFirstPersistMayBeginAnywhere) {
  LogImage first;
  EXPECT_EQ(first.Apply(Base(1, 1, Voters({PeerId(1)}))), std::nullopt);
  EXPECT_EQ(first.last_index(), Index(1));
  EXPECT_EQ(first.ConfAt(Index(1)), Voters({PeerId(1)}));
  LogImage second;
  EXPECT_EQ(second.Apply({}), std::nullopt);
  EXPECT_THAT(second.Apply(Base(1, 1)), Optional(HasSubstr("the log ends at 0")));
}

TEST(LogImage, RefusesABaseThatTheLogDoesNotHold) {
  const auto refusal = [](const raft::Persist& persist) {
    LogImage log;
    EXPECT_EQ(log.Apply(Base(2, 2)), std::nullopt);
    EXPECT_EQ(log.Apply(Append(3, 3, 3)), std::nullopt);
    return log.Apply(persist);
  };
  EXPECT_EQ(refusal(Base(3, 5)), std::nullopt);
  EXPECT_EQ(refusal(Install(3, 3)), std::nullopt);
  const std::string there = "the base of the log is 2:2";
  EXPECT_THAT(refusal(Base(1, 1)), Optional(HasSubstr(there)));
  EXPECT_THAT(refusal(Base(2, 2)), Optional(HasSubstr(there)));
  EXPECT_THAT(refusal(Install(2, 2)), Optional(HasSubstr(there)));
  EXPECT_THAT(refusal(Install(3, 1)), Optional(HasSubstr(there)));
  EXPECT_THAT(refusal(Install(1, 9)), Optional(HasSubstr(there)));
  EXPECT_THAT(refusal(Base(3, 6)), Optional(HasSubstr("the log ends at 5")));
  EXPECT_THAT(refusal(Base(4, 4)), Optional(HasSubstr("the entry there is of term 3")));
  EXPECT_THAT(refusal(Base(3, 4, Voters({PeerId(1)}))), Optional(HasSubstr("configuration")));
  raft::Persist nameless;
  nameless.install = true;
  EXPECT_THAT(refusal(nameless), Optional(HasSubstr("does not say which")));
}

TEST(LogImage, RefusesToTruncateIntoItsBaseOrBeyondItsEnd) {
  LogImage log;
  EXPECT_EQ(log.Apply(Base(1, 4)), std::nullopt);
  EXPECT_EQ(log.Apply(Append(1, 5, 2)), std::nullopt);
  for (const uint64_t from : {1, 4, 8}) {
    LogImage copy = log;
    EXPECT_THAT(copy.Apply(Truncate(from)), Optional(HasSubstr("the indexes 5 to 6"))) << from;
  }
  EXPECT_EQ(log.Apply(Truncate(7)), std::nullopt);
  EXPECT_EQ(log.Apply(Truncate(5)), std::nullopt);
  EXPECT_EQ(log.last_index(), Index(4));
}

TEST(LogImage, KnowsTheConfigurationsOfItsEntries) {
  const raft::ConfState one = Voters({PeerId(1)});
  const raft::ConfState two = Voters({PeerId(1), PeerId(2)});
  const raft::ConfState three = Voters({PeerId(1), PeerId(2), PeerId(3)});
  LogImage log;
  EXPECT_EQ(log.Apply(Base(1, 1, one)), std::nullopt);
  EXPECT_EQ(log.Apply(Append(1, 2, 1)), std::nullopt);
  EXPECT_EQ(log.Apply(AppendConf(1, 3, two)), std::nullopt);
  EXPECT_EQ(log.Apply(Append(1, 4, 1)), std::nullopt);
  EXPECT_EQ(log.Apply(AppendConf(1, 5, three)), std::nullopt);
  EXPECT_EQ(log.State(kRegion, Incarnation(9)).confs,
            (std::vector<raft::ConfAt>{{Index(3), two}, {Index(5), three}}));
  EXPECT_EQ(log.ConfAt(Index(2)), one);
  EXPECT_EQ(log.ConfAt(Index(3)), two);
  EXPECT_EQ(log.ConfAt(Index(5)), three);

  LogImage compacted = log;
  EXPECT_EQ(compacted.Apply(Base(1, 3, two)), std::nullopt);
  EXPECT_EQ(compacted.State(kRegion, Incarnation(9)).confs,
            (std::vector<raft::ConfAt>{{Index(5), three}}));
  EXPECT_EQ(compacted.ConfAt(Index(4)), two);

  EXPECT_EQ(log.Apply(Truncate(5)), std::nullopt);
  EXPECT_EQ(log.ConfAt(Index(5)), two);
  EXPECT_EQ(log.Apply(Truncate(3)), std::nullopt);
  EXPECT_TRUE(log.State(kRegion, Incarnation(9)).confs.empty());
  EXPECT_THAT(log.Apply(AppendConf(1, 3, std::string("nonsense"))),
              Optional(HasSubstr("at index 3 that cannot be read")));
}

env::GroupCommit LogCommit(std::vector<env::LogWrite> writes) {
  env::GroupCommit commit;
  commit.log = std::move(writes);
  return commit;
}

TEST(DiskImage, AReplicaIsCreatedOnceWrittenToAndDestroyed) {
  DiskImage image;
  EXPECT_THAT(image.Apply(LogCommit({{kRegion, {}, Append(1, 1, 1)}})),
              Optional(HasSubstr("writes to a replica of region 1, which does not exist")));
  EXPECT_THAT(image.Apply(LogCommit({{kRegion, {}, {}, true}})),
              Optional(HasSubstr("destroys a replica of region 1, which does not exist")));
  EXPECT_EQ(image.Apply(LogCommit({{kRegion, Incarnation(5), Append(1, 1, 3)}})), std::nullopt);
  EXPECT_THAT(image.Apply(LogCommit({{kRegion, Incarnation(6), {}}})),
              Optional(HasSubstr("creates a second replica of region 1")));
  EXPECT_THAT(image.Apply(LogCommit({{kRegion, {}, Append(1, 4, 1), true}})),
              Optional(HasSubstr("destroys a replica of region 1 and writes to it")));
  EXPECT_EQ(image.log(kRegion).last_index(), Index(3));

  EXPECT_EQ(image.Apply(LogCommit({{kRegion, {}, {}, true}})), std::nullopt);
  EXPECT_TRUE(image.LogStates().empty());
  EXPECT_EQ(image.log(kRegion).last_index(), Index());
  EXPECT_EQ(image.Apply(LogCommit({{kRegion, Incarnation(6), Base(4, 9)}})), std::nullopt);
  ASSERT_EQ(image.LogStates().size(), 1u);
  EXPECT_EQ(image.LogStates()[0].incarnation, Incarnation(6));
  EXPECT_EQ(image.LogStates()[0].last_index, Index(9));
}

TEST(DiskImage, CarriesOutTheWritesOfACommitInTheirOrder) {
  DiskImage image;
  EXPECT_EQ(image.Apply(LogCommit({{kRegion, Incarnation(5), Append(1, 1, 4)},
                                   {kRegion, {}, Base(1, 3)},
                                   {kRegion, {}, Install(2, 20)},
                                   {kRegion, {}, Append(2, 21, 2)}})),
            std::nullopt);
  EXPECT_EQ(image.log(kRegion).base().last.index, Index(20));
  EXPECT_EQ(image.log(kRegion).last_index(), Index(22));
  EXPECT_EQ(image.Apply(LogCommit({{kRegion, {}, {}, true}, {kRegion, Incarnation(7), {}}})),
            std::nullopt);
  EXPECT_EQ(image.log(kRegion).last_index(), Index());
}

std::string RowsOf(const DataReader& data, std::string_view begin = "", std::string_view end = "") {
  std::string rows;
  const absl::Status scanned =
      data.Scan(begin, end, [&rows](std::string_view key, std::string_view value) {
        rows.append(key).append("=").append(value).append(";");
        return true;
      });
  EXPECT_TRUE(scanned.ok());
  return rows;
}

TEST(DiskImage, APinnedReaderDoesNotSeeLaterWrites) {
  DiskImage image;
  env::GroupCommit commit;
  commit.data.Put("a", "1");
  commit.data.Put("b", "2");
  image.Apply(commit);
  std::unique_ptr<DataReader> early = image.Pin();
  commit.data.Clear();
  commit.data.Put("a", "other");
  commit.data.Delete("b");
  commit.data.Put("c", "3");
  image.Apply(commit);
  const std::unique_ptr<DataReader> late = image.Pin();
  commit.data.Clear();
  commit.data.Delete("a");
  image.Apply(commit);

  EXPECT_EQ(RowsOf(*early), "a=1;b=2;");
  EXPECT_EQ(RowsOf(*early, "a", "b"), "a=1;");
  EXPECT_EQ(RowsOf(*early, "b"), "b=2;");
  EXPECT_EQ(early->Get("b").value(), "2");
  EXPECT_EQ(early->Get("c").value(), std::nullopt);
  EXPECT_EQ(RowsOf(*late), "a=other;c=3;");
  EXPECT_EQ(RowsOf(image), "c=3;");
  early.reset();
  EXPECT_EQ(RowsOf(*late), "a=other;c=3;");
}

TEST(LogImage, KeepsTheLatestHardState) {
  LogImage log;
  for (const raft::HardState& written :
       {raft::HardState{Term(1), PeerId(1)}, raft::HardState{Term(2), PeerId()}}) {
    raft::Persist persist;
    persist.hard_state = written;
    EXPECT_EQ(log.Apply(persist), std::nullopt);
    EXPECT_EQ(log.Apply({}), std::nullopt);
    EXPECT_EQ(log.State(kRegion, Incarnation(9)).hard_state, written);
  }
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

  static DiskProfile Slow() {
    DiskProfile profile = Profile();
    profile.slow_ppm = 1000000;
    profile.slow_max = Duration::Seconds(100);
    return profile;
  }
  // When the next event comes.
  Instant Next() {
    world_.queue.Pop();
    return world_.now();
  }

  const Instant start_;
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

TEST_F(SimDiskTest, ASlowCommitHoldsUpThoseBehindIt) {
  SimDisk disk(&world_, Slow(), 0);
  disk.Submit(Commit(1, "slow"), 1);
  EXPECT_EQ(world_.faults.counts()[Fault::kSlowCommit].mattered, 1u);
  disk.Heal();
  disk.Submit(Commit(2, "quick"), 1);
  EXPECT_EQ(world_.faults.counts()[Fault::kSlowCommit].fired, 1u);
  EXPECT_GT(Next() - start_, Duration::Milliseconds(9));
  EXPECT_EQ(disk.CompleteNext(), IoToken(1));
}

TEST_F(SimDiskTest, ANewProcessDoesNotWaitForTheCommitsOfTheOldOne) {
  SimDisk disk(&world_, Slow(), 0);
  disk.Submit(Commit(1, "slow"), 1);
  disk.Crash();
  disk.Heal();
  disk.Submit(Commit(2, "quick"), 2);
  EXPECT_LE(Next() - start_, Duration::Milliseconds(9));
}

TEST_F(SimDiskTest, AStalledDiskBeginsNothing) {
  disk_.Stall(world_.now() + Duration::Seconds(1));
  disk_.Submit(Commit(1, "a"), 1);
  disk_.SubmitFetch({kRegion, {.id = 7, .first = Index(2), .last = Index(3), .bytes_max = 9}}, 1);
  EXPECT_EQ(Next() - start_, Duration::Seconds(1));
}

TEST_F(SimDiskTest, AStallEndsWhenTheDiskIsHealed) {
  disk_.Stall(world_.now() + Duration::Seconds(1));
  disk_.Heal();
  disk_.Submit(Commit(1, "a"), 1);
  EXPECT_FALSE(disk_.PutOff(world_.queue.Pop().arg));
  EXPECT_LE(world_.now() - start_, Duration::Milliseconds(9));
}

TEST_F(SimDiskTest, AHealedDiskFailsNeitherReadsNorWrites) {
  disk_.Format(LogCommit({{kRegion, Incarnation(5), Append(1, 1, 3)}}));
  disk_.FailNextWrite();
  disk_.FailNextRead();
  disk_.Heal();
  EXPECT_FALSE(disk_.FailsNow());
  disk_.SubmitFetch({kRegion, {.id = 7, .first = Index(2), .last = Index(3), .bytes_max = 9}}, 1);
  disk_.ReadFetch(world_.queue.Pop().arg);
  EXPECT_TRUE(disk_.TakeFetch(world_.queue.Pop().arg, 1)->entries.ok());
}

TEST_F(SimDiskTest, AStalledDiskCompletesNothing) {
  disk_.Submit(Commit(1, "a"), 1);
  disk_.Stall(world_.now() + Duration::Seconds(1));
  Event event = world_.queue.Pop();
  EXPECT_TRUE(disk_.PutOff(event.arg));
  EXPECT_EQ(world_.faults.counts()[Fault::kStallDisk].mattered, 1u);
  EXPECT_EQ(Value("key"), "none");
  event = world_.queue.Pop();
  EXPECT_EQ(world_.now() - Instant(), Duration::Seconds(1));
  EXPECT_FALSE(disk_.PutOff(event.arg));
  EXPECT_EQ(disk_.CompleteNext(), IoToken(1));
}

TEST_F(SimDiskTest, AfterAFailedWriteNothingIsWrittenUntilTheProcessDies) {
  disk_.Submit(Commit(1, "a"), 1);
  EXPECT_FALSE(disk_.FailsNow());
  disk_.FailNextWrite();
  EXPECT_FALSE(disk_.write_failed());
  EXPECT_TRUE(disk_.FailsNow());
  EXPECT_FALSE(disk_.FailsNow());
  EXPECT_TRUE(disk_.write_failed());
  EXPECT_EQ(world_.faults.counts()[Fault::kFailWrite].mattered, 1u);
  disk_.Crash();
  EXPECT_FALSE(disk_.write_failed());
  EXPECT_EQ(Value("key"), "none");
}

TEST_F(SimDiskTest, AFailedReadIsAnsweredWithAnErrorOnce) {
  env::GroupCommit log;
  log.token = IoToken(1);
  log.log.push_back({kRegion, Incarnation(5), Append(1, 1, 3)});
  disk_.Format(log);
  disk_.FailNextRead();
  for (const bool fails : {true, false}) {
    disk_.SubmitFetch({kRegion, {.id = 7, .first = Index(2), .last = Index(3), .bytes_max = 9}}, 1);
    disk_.ReadFetch(world_.queue.Pop().arg);
    const auto answer = disk_.TakeFetch(world_.queue.Pop().arg, 1);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->entries.ok(), !fails);
  }
  EXPECT_TRUE(disk_.read_failed());
  EXPECT_EQ(world_.faults.counts()[Fault::kFailRead].mattered, 1u);
}

TEST_F(SimDiskTest, ARowThatIsLostFailsOneRead) {
  const std::string key = kv::EncodeKey(kv::NamespaceId::kDefault, "k");
  env::GroupCommit rows;
  rows.token = IoToken(1);
  rows.data.Put(key, "record");
  disk_.Format(rows);
  const auto scan = [&] {
    return disk_.data().Scan("", "", [](std::string_view, std::string_view) { return true; });
  };
  disk_.FailNextRow(RowDefect::kLost);
  EXPECT_EQ(disk_.row_failed(), RowDefect::kNone);
  EXPECT_FALSE(scan().ok());
  EXPECT_TRUE(scan().ok());
  EXPECT_EQ(disk_.row_failed(), RowDefect::kLost);
  EXPECT_TRUE(disk_.read_failed());
  disk_.FailNextRow(RowDefect::kLost);
  EXPECT_FALSE(disk_.data().Get(key).ok());
  disk_.FailNextRow(RowDefect::kLost);
  EXPECT_FALSE(disk_.data().Pin()->Get(key).ok());
  disk_.Crash();
  EXPECT_EQ(disk_.row_failed(), RowDefect::kNone);
  EXPECT_EQ(**disk_.data().Get(key), "record");
}

TEST_F(SimDiskTest, ARowThatIsStrangeIsARecordAndNotWhatItWas) {
  const std::string key = kv::EncodeKey(kv::NamespaceId::kDefault, "k");
  env::GroupCommit rows;
  rows.token = IoToken(1);
  rows.data.Put("a", "row of the store's own");
  rows.data.Put(key, "record");
  disk_.Format(rows);
  disk_.FailNextRow(RowDefect::kStrange);
  std::map<std::string, std::string> seen;
  const auto visit = [&](std::string_view k, std::string_view value) {
    seen[std::string(k)] = value;
    return true;
  };
  EXPECT_EQ(**disk_.data().Pin()->Get(key), "record");
  EXPECT_TRUE(disk_.data().Scan("", "", visit).ok());
  EXPECT_EQ(seen["a"], "row of the store's own");
  EXPECT_NE(seen[key], "record");
  EXPECT_EQ(disk_.row_failed(), RowDefect::kStrange);
  EXPECT_EQ(**disk_.data().Get(key), "record");
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

TEST_F(SimDiskTest, AFetchOfWhatFellBehindTheBaseFindsNothing) {
  disk_.Format(LogCommit({{kRegion, Incarnation(5), Append(1, 1, 3)}}));
  disk_.SubmitFetch({kRegion, {.id = 7, .first = Index(2), .last = Index(3), .bytes_max = 100}}, 1);
  disk_.Format(LogCommit({{kRegion, {}, Base(1, 2)}}));
  disk_.ReadFetch(world_.queue.Pop().arg);
  const std::optional<env::LogFetched> fetched = disk_.TakeFetch(world_.queue.Pop().arg, 1);
  ASSERT_TRUE(fetched.has_value());
  EXPECT_TRUE(absl::IsNotFound(fetched->entries.status()));
}

TEST_F(SimDiskTest, ACrashBetweenTwoCommitsKeepsTheBaseOfTheFirst) {
  disk_.Format(LogCommit({{kRegion, Incarnation(5), Append(1, 1, 5)}}));
  disk_.Submit(LogCommit({{kRegion, {}, Base(1, 3)}}), 1);
  disk_.Submit(LogCommit({{kRegion, {}, Install(2, 30)}, {kRegion, {}, Append(2, 31, 1)}}), 1);
  disk_.CrashSurvives();
  disk_.Crash();
  const LogImage& log = disk_.image().log(kRegion);
  EXPECT_EQ(log.base().last.index, Index(3));
  EXPECT_EQ(log.last_index(), Index(5));
  EXPECT_EQ(world_.report.failure().invariant, "");
}

TEST_F(SimDiskTest, AWriteThatNoLogCanTakeFailsTheRun) {
  env::GroupCommit gap;
  gap.token = IoToken(1);
  gap.log.push_back({kRegion, Incarnation(5), Append(1, 5, 1)});
  disk_.Submit(gap, 1);
  world_.queue.Pop();
  disk_.CompleteNext();
  EXPECT_EQ(world_.report.failure().invariant, "STORE");
}

}  // namespace
}  // namespace flaredb::sim
