// SPDX-License-Identifier: Apache-2.0
#include "core/raft/log.h"

#include <algorithm>
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
  if (Index(index) < log.base().index || Index(index) > log.last_index()) return 999;
  return log.IdAt(Index(index)).term.value();
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

// Asked for any range of a log of small and large blocks, from the newest to the oldest.
TEST(Log, ReadsAnyRange) {
  Rng rng(3);
  for (int round = 0; round < 30; ++round) {
    Log log = EmptyLog();
    uint64_t last_index = 0;
    for (uint64_t blocks = rng.Between(1, 40); blocks > 0; --blocks) {
      const uint64_t count = rng.Between(1, 4);
      log.Append(Entries(1, last_index + 1, count));
      last_index += count;
    }
    for (uint64_t first = 1; first <= last_index; ++first) {
      const uint64_t last = rng.Between(first, last_index);
      uint64_t next = first;
      for (const EntrySlice& slice : log.Read(Index(first), Index(last), 1000)) {
        ASSERT_EQ(slice.first_index(), Index(next));
        next = slice.last_index().next().value();
      }
      ASSERT_EQ(next, last + 1);
    }
  }
}

TEST(Log, CompactionForgetsEntriesAndTermsUpToAnIndex) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 2, 10));
  log.Append(Entries(2, 3, 4, 10));
  log.Append(Entries(3, 7, 2, 10));
  log.OnPersistIssued(IoToken(1));
  log.OnPersisted(IoToken(1));
  log.CommitTo(Index(8));

  log.CompactTo(Index(4));  // In the middle of a block and of a run.
  EXPECT_EQ(log.base(), (LogId{Term(2), Index(4)}));
  EXPECT_EQ(log.window_first(), Index(5));
  EXPECT_EQ(log.window_bytes(), 40u);
  EXPECT_EQ(TermAt(log, 3), 999u);
  EXPECT_EQ(TermAt(log, 4), 2u);
  EXPECT_EQ(TermAt(log, 5), 2u);
  EXPECT_EQ(TermAt(log, 8), 3u);
  EXPECT_EQ(log.LastWithTermAtMost(Index(8), Term(1)), log.base());
  EXPECT_THROW(log.Read(Index(4), Index(8), 1000), InvariantViolation);
  const EntrySlices rest = log.Read(Index(5), Index(8), 1000);
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].first_index(), Index(5));

  log.CompactTo(Index(6));  // At the end of both.
  EXPECT_EQ(log.base(), (LogId{Term(2), Index(6)}));
  EXPECT_EQ(log.window_first(), Index(7));
  EXPECT_EQ(TermAt(log, 7), 3u);

  log.CompactTo(Index(8));  // Of everything.
  EXPECT_EQ(log.last_id(), (LogId{Term(3), Index(8)}));
  EXPECT_EQ(log.window_first(), Index(9));
  EXPECT_EQ(log.window_bytes(), 0u);
  EXPECT_EQ(log.durable_index(), Index(8));
  EXPECT_EQ(log.commit_index(), Index(8));
  log.Append(Entries(3, 9, 1));
  EXPECT_EQ(TermAt(log, 9), 3u);
  EXPECT_EQ(log.Read(Index(9), Index(9), 1000).size(), 1u);
}

// What recovery left on the disk only can be compacted, too.
TEST(Log, CompactionOfEntriesThatAreNotInMemory) {
  Log log({}, {{Index(1), Term(1)}, {Index(4), Term(2)}}, Index(5), Index(5));
  log.Append(Entries(2, 6, 1));
  log.CompactTo(Index(3));
  EXPECT_EQ(log.base(), (LogId{Term(1), Index(3)}));
  EXPECT_EQ(TermAt(log, 4), 2u);
  EXPECT_EQ(log.window_first(), Index(6));
  EXPECT_TRUE(log.Read(Index(4), Index(6), 1000).empty());
}

TEST(Log, CompactsOnlyWhatIsCommittedAndDurable) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 5));
  log.OnPersistIssued(IoToken(1));
  log.CommitTo(Index(3));
  EXPECT_THROW(log.CompactTo(Index(2)), InvariantViolation) << "not durable";
  log.OnPersisted(IoToken(1));
  EXPECT_THROW(log.CompactTo(Index(4)), InvariantViolation) << "not committed";
  log.CompactTo(Index(2));
  EXPECT_THROW(log.CompactTo(Index(2)), InvariantViolation) << "it is the base already";
}

TEST(Log, CompactionAgreesWithALogThatWasNeverLonger) {
  Rng rng(5);
  for (int round = 0; round < 200; ++round) {
    Log log = EmptyLog();
    std::vector<uint64_t> terms = {0};
    while (terms.size() <= 20) {
      const uint64_t term = std::max<uint64_t>(1, terms.back() + rng.Below(2));
      const uint64_t count = rng.Between(1, 3);
      log.Append(Entries(term, terms.size(), count));
      terms.insert(terms.end(), count, term);
    }
    const uint64_t last = terms.size() - 1;
    log.OnPersistIssued(IoToken(1));
    log.OnPersisted(IoToken(1));
    log.CommitTo(Index(last));
    for (uint64_t base = 0; base < last;) {
      base = rng.Between(base + 1, last);
      log.CompactTo(Index(base));
      for (uint64_t i = 0; i <= last; ++i) {
        ASSERT_EQ(TermAt(log, i), i < base ? 999 : terms[i]) << "at " << i << ", base " << base;
      }
      ASSERT_EQ(log.window_bytes(), last - base);
      ASSERT_EQ(log.window_first(), Index(base + 1));
      if (base == last) break;
      ASSERT_EQ(log.Read(Index(base + 1), Index(last), 1000).front().first_index(),
                Index(base + 1));
    }
  }
}

TEST(Log, ASnapshotTakesThePlaceOfTheWholeLog) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 3));
  log.OnPersistIssued(IoToken(1));
  log.OnPersisted(IoToken(1));
  log.CommitTo(Index(2));
  EXPECT_THROW(log.ResetTo({Term(1), Index(2)}), InvariantViolation);

  log.ResetTo({Term(4), Index(9)});
  EXPECT_EQ(log.base(), (LogId{Term(4), Index(9)}));
  EXPECT_EQ(log.last_id(), log.base());
  EXPECT_EQ(log.commit_index(), Index(9));
  EXPECT_EQ(log.window_first(), Index(10));
  EXPECT_EQ(log.window_bytes(), 0u);
  EXPECT_EQ(TermAt(log, 3), 999u);
  EXPECT_EQ(TermAt(log, 9), 4u);
  log.Append(Entries(4, 10, 2));
  EXPECT_EQ(TermAt(log, 10), 4u);
  EXPECT_EQ(log.Read(Index(10), Index(11), 1000).size(), 1u);
}

// A snapshot may also end inside of the log that it replaces: entries after it go, too.
TEST(Log, ASnapshotInsideOfTheLogEmptiesIt) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 9));
  log.ResetTo({Term(2), Index(4)});
  EXPECT_EQ(log.last_id(), (LogId{Term(2), Index(4)}));
  EXPECT_EQ(TermAt(log, 5), 999u);
}

// Writes of the old log that complete late say nothing about the new one.
TEST(Log, ASnapshotIsDurableWithItsOwnToken) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 3));
  log.OnPersistIssued(IoToken(1));
  log.OnPersisted(IoToken(1));
  log.Append(Entries(1, 4, 9));
  log.OnPersistIssued(IoToken(2));
  log.ResetTo({Term(2), Index(8)});
  EXPECT_EQ(log.durable_index(), Index());
  log.OnPersistIssued(IoToken(3));
  log.Append(Entries(2, 9, 1));
  log.OnPersistIssued(IoToken(4));
  log.OnPersisted(IoToken(2));
  EXPECT_EQ(log.durable_index(), Index());
  log.OnPersisted(IoToken(3));
  EXPECT_EQ(log.durable_index(), Index(8));
  log.OnPersisted(IoToken(4));
  EXPECT_EQ(log.durable_index(), Index(9));
}

TEST(Log, CopiesGoTheirOwnWays) {
  Log log = EmptyLog();
  log.Append(Entries(1, 1, 3));
  log.OnPersistIssued(IoToken(1));
  Log copy = log;
  copy.TruncateFrom(Index(2));
  copy.OnPersisted(IoToken(1));
  EXPECT_EQ(copy.durable_index(), Index(1));
  EXPECT_EQ(log.last_index(), Index(3));
  log.OnPersisted(IoToken(1));
  EXPECT_EQ(log.durable_index(), Index(3));
}

}  // namespace
}  // namespace flaredb::raft
