// SPDX-License-Identifier: Apache-2.0
#include "core/raft/log.h"

#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace flaredb::raft {
namespace {

// `count` entries with payloads of `bytes` each.
EntrySlice Entries(uint64_t term, uint64_t first, uint64_t count, size_t bytes = 1) {
  const std::string payload(bytes, 'x');
  const std::vector<NewEntry> entries(count, {EntryKind::kCommand, payload});
  return EntrySlice(EntryBlock::Create(Term(term), Index(first), entries));
}

Log EmptyLog() { return Log({}, {}, Index(), Index()); }

uint64_t TermAt(const Log& log, uint64_t index) {
  const std::optional<Term> term = log.TermAt(Index(index));
  return term ? term->value() : 999;
}

TEST(Log, BeginsEmpty) {
  const Log log = EmptyLog();
  EXPECT_EQ(log.last_id(), LogId{});
  EXPECT_EQ(TermAt(log, 0), 0u);
  EXPECT_EQ(TermAt(log, 1), 999u);
  EXPECT_EQ(log.durable_index(), Index());
}

TEST(Log, RecoveredEntriesAreDurableAndNotInMemory) {
  const Log log({Term(2), Index(5)}, {{Index(6), Term(2)}, {Index(8), Term(4)}}, Index(9),
                Index(6));
  EXPECT_EQ(log.durable_index(), Index(9));
  EXPECT_EQ(log.commit_index(), Index(6));
  EXPECT_EQ(TermAt(log, 4), 999u) << "before the base";
  EXPECT_EQ(TermAt(log, 5), 2u);
  EXPECT_EQ(TermAt(log, 7), 2u);
  EXPECT_EQ(TermAt(log, 8), 4u);
  EXPECT_EQ(TermAt(log, 9), 4u);
  EXPECT_EQ(TermAt(log, 10), 999u);
  EXPECT_TRUE(log.Read(Index(6), Index(9), 1000).empty());
  EXPECT_EQ(log.window_first(), Index(10));
}

// The last id of a log that is nothing but a snapshot is the snapshot's, not term 0.
TEST(Log, LastIdOfALogWithoutEntriesIsItsBase) {
  const Log log({Term(3), Index(7)}, {}, Index(7), Index(7));
  EXPECT_EQ(log.last_id(), (LogId{Term(3), Index(7)}));
}

TEST(Log, AppendsFollowWithoutGapAndWithoutFallingTerms) {
  Log log = EmptyLog();
  log.Append(Entries(2, 1, 3));
  EXPECT_THROW(log.Append(Entries(2, 5, 1)), InvariantViolation);
  EXPECT_THROW(log.Append(Entries(2, 3, 1)), InvariantViolation);
  EXPECT_THROW(log.Append(Entries(1, 4, 1)), InvariantViolation);
  log.Append(Entries(2, 4, 1));
  log.Append(Entries(3, 5, 1));
  EXPECT_EQ(log.last_id(), (LogId{Term(3), Index(5)}));
}

TEST(Log, TruncationForgetsTermsAndEntries) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 2));
  log.Append(Entries(2, 3, 4));
  log.Append(Entries(3, 7, 2));
  log.TruncateFrom(Index(5));
  EXPECT_EQ(log.last_id(), (LogId{Term(2), Index(4)}));
  EXPECT_EQ(TermAt(log, 5), 999u);
  EXPECT_EQ(log.window_bytes(), 4u);
  log.Append(Entries(4, 5, 1));
  EXPECT_EQ(TermAt(log, 4), 2u);
  EXPECT_EQ(TermAt(log, 5), 4u);
  log.TruncateFrom(Index(3));
  EXPECT_EQ(log.last_id(), (LogId{Term(1), Index(2)}));
  const EntrySlices all = log.Read(Index(1), Index(2), 1000);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].last_index(), Index(2));
}

TEST(Log, TruncationBelowTheWindowEmptiesIt) {
  Log log({}, {{Index(1), Term(1)}}, Index(5), Index());
  log.Append(Entries(1, 6, 2));
  log.TruncateFrom(Index(4));
  EXPECT_EQ(log.window_first(), Index(4));
  EXPECT_EQ(log.window_bytes(), 0u);
  log.Append(Entries(2, 4, 1));
  ASSERT_EQ(log.Read(Index(4), Index(4), 100).size(), 1u);
  EXPECT_TRUE(log.Read(Index(3), Index(4), 100).empty());
}

TEST(Log, CommittedEntriesAreNeverTruncated) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 5));
  log.CommitTo(Index(3));
  EXPECT_THROW(log.TruncateFrom(Index(3)), InvariantViolation);
  EXPECT_THROW(log.TruncateFrom(Index(1)), InvariantViolation);
  log.TruncateFrom(Index(4));
  EXPECT_EQ(log.last_index(), Index(3));
}

TEST(Log, CommitIndexNeitherFallsNorPassesTheEnd) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 5));
  log.CommitTo(Index(3));
  EXPECT_THROW(log.CommitTo(Index(2)), InvariantViolation);
  EXPECT_THROW(log.CommitTo(Index(6)), InvariantViolation);
}

TEST(Log, LastWithTermAtMostSkipsWholeTerms) {
  // Terms 1 1 1 4 4 6 6 6.
  const Log log({}, {{Index(1), Term(1)}, {Index(4), Term(4)}, {Index(6), Term(6)}}, Index(8),
                Index());
  const auto last = [&](uint64_t index, uint64_t term) {
    return log.LastWithTermAtMost(Index(index), Term(term));
  };
  EXPECT_EQ(last(8, 6), (LogId{Term(6), Index(8)}));
  EXPECT_EQ(last(8, 9), (LogId{Term(6), Index(8)}));
  EXPECT_EQ(last(8, 5), (LogId{Term(4), Index(5)}));
  EXPECT_EQ(last(8, 4), (LogId{Term(4), Index(5)}));
  EXPECT_EQ(last(8, 3), (LogId{Term(1), Index(3)}));
  EXPECT_EQ(last(4, 9), (LogId{Term(4), Index(4)}));
  EXPECT_EQ(last(2, 1), (LogId{Term(1), Index(2)}));
  EXPECT_EQ(last(8, 0), LogId{});
  EXPECT_EQ(last(0, 9), LogId{});
  EXPECT_THROW(last(9, 9), InvariantViolation);
}

TEST(Log, LastWithTermAtMostAgreesWithALinearSearch) {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    Log log = EmptyLog();
    std::vector<uint64_t> terms = {0};
    for (uint64_t i = 1; i <= 12; ++i) {
      terms.push_back(terms.back() + (rng.Below(3) == 0 ? rng.Between(1, 3) : 0));
      if (terms[i] == 0) terms[i] = 1;
      log.Append(Entries(terms[i], i, 1));
    }
    for (uint64_t index = 0; index <= 12; ++index) {
      for (uint64_t term = 0; term <= terms.back() + 1; ++term) {
        uint64_t at = index;
        while (at > 0 && terms[at] > term) --at;
        ASSERT_EQ(log.LastWithTermAtMost(Index(index), Term(term)),
                  (LogId{Term(terms[at]), Index(at)}));
      }
    }
  }
}

TEST(Log, ReadsAcrossBlocksUpToTheLimit) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 3, 10));
  log.Append(Entries(1, 4, 3, 10));
  const auto last_read = [&](uint64_t first, uint64_t last, size_t bytes) {
    const EntrySlices read = log.Read(Index(first), Index(last), bytes);
    EXPECT_EQ(read.front().first_index(), Index(first));
    return read.back().last_index().value();
  };
  EXPECT_EQ(last_read(1, 6, 1000), 6u);
  EXPECT_EQ(last_read(2, 5, 1000), 5u);
  EXPECT_EQ(last_read(1, 6, 30), 3u);
  EXPECT_EQ(last_read(1, 6, 39), 3u);
  EXPECT_EQ(last_read(1, 6, 40), 4u);
  EXPECT_EQ(last_read(2, 6, 20), 3u);
  EXPECT_EQ(last_read(3, 6, 1), 3u) << "one entry, however large";
  EXPECT_EQ(last_read(6, 6, 0), 6u);
}

TEST(Log, TrimsOnlyWhatIsDurable) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 2, 10));
  log.OnPersistIssued(IoToken(1));
  log.Append(Entries(1, 3, 2, 10));
  log.OnPersistIssued(IoToken(2));
  log.TrimWindow(0);
  EXPECT_EQ(log.window_bytes(), 40u);
  log.OnPersisted(IoToken(1));
  log.TrimWindow(0);
  EXPECT_EQ(log.window_first(), Index(3));
  EXPECT_EQ(log.window_bytes(), 20u);
  EXPECT_TRUE(log.Read(Index(2), Index(4), 100).empty());
  EXPECT_EQ(log.Read(Index(3), Index(4), 100).size(), 1u);
  log.OnPersisted(IoToken(2));
  log.TrimWindow(20);
  EXPECT_EQ(log.window_first(), Index(3)) << "within the budget nothing is forgotten";
  log.TrimWindow(19);
  EXPECT_EQ(log.window_first(), Index(5));
}

TEST(Log, DurabilityIsAWatermarkOfTokens) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 2));
  log.OnPersistIssued(IoToken(1));
  log.Append(Entries(1, 3, 2));
  log.OnPersistIssued(IoToken(2));
  log.OnPersistIssued(IoToken(3));  // A hard state alone.
  log.OnPersisted(IoToken(1));
  EXPECT_EQ(log.durable_index(), Index(2));
  log.OnPersisted(IoToken(3));
  EXPECT_EQ(log.durable_index(), Index(4));
}

TEST(Log, TruncationTakesDurabilityBack) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 5));
  log.OnPersistIssued(IoToken(1));
  log.OnPersisted(IoToken(1));
  log.TruncateFrom(Index(3));
  log.Append(Entries(2, 3, 3));
  log.OnPersistIssued(IoToken(2));
  EXPECT_EQ(log.durable_index(), Index(2)) << "the disk still has the old entries";
  log.OnPersisted(IoToken(2));
  EXPECT_EQ(log.durable_index(), Index(5));
}

// The ABA race of completions by (index, term): the same pair is written, truncated and written
// again; the first write's completion says nothing about the third.
TEST(Log, AnOldWriteDoesNotVouchForTheSameEntryWrittenAgain) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 1));
  log.Append(Entries(2, 2, 1));
  log.OnPersistIssued(IoToken(1));
  log.TruncateFrom(Index(2));
  log.Append(Entries(3, 2, 1));
  log.OnPersistIssued(IoToken(2));
  log.TruncateFrom(Index(2));
  log.Append(Entries(4, 2, 1));
  log.OnPersistIssued(IoToken(3));
  log.OnPersisted(IoToken(1));
  EXPECT_EQ(log.durable_index(), Index(1));
  log.OnPersisted(IoToken(2));
  EXPECT_EQ(log.durable_index(), Index(1));
  log.OnPersisted(IoToken(3));
  EXPECT_EQ(log.durable_index(), Index(2));
}

}  // namespace
}  // namespace flaredb::raft
