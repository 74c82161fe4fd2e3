// SPDX-License-Identifier: Apache-2.0
// Checker B by name: what it accepts, what it rejects, and in which words.
#include "sim/history/graph_checker.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "sim/history/history.h"
#include "sim/history/versioned_checker.h"

namespace flaredb::sim {
namespace {

using OpRef = VersionedHistory::OpRef;

void ExpectWrong(const VersionedHistory& history, const std::string& words) {
  const Verdict verdict = CheckGraph(history);
  EXPECT_FALSE(verdict.linearizable);
  EXPECT_NE(verdict.why.find(words), std::string::npos) << verdict.why;
  EXPECT_EQ(verdict.why.find('\n'), std::string::npos) << verdict.why;
}

void ExpectRight(const VersionedHistory& history) {
  const Verdict verdict = CheckGraph(history);
  EXPECT_TRUE(verdict.linearizable) << verdict.why;
}

// A CAS by itself, invoked and acknowledged.
void Put(VersionedHistory* history, const std::string& key, uint64_t version, ValueId value,
         uint64_t expected) {
  history->OkCas(history->InvokeCas(9, key, expected, value), version);
}

TEST(GraphChecker, AcceptsNothing) { ExpectRight(VersionedHistory()); }

TEST(GraphChecker, AScanMayShowEveryKeyFromOneMoment) {
  VersionedHistory history;
  const uint32_t scan = history.StartGroup("Scan from a");
  const OpRef a = history.InvokeGet(1, "a", scan);
  const OpRef b = history.InvokeGet(1, "b", scan);
  Put(&history, "a", 1, 10, 0);
  Put(&history, "b", 1, 11, 0);
  history.OkFound(a, 1, 10);
  history.OkNotFound(b);
  ExpectRight(history);
}

TEST(GraphChecker, AScanMayNotMissAKeyThatWasCreatedBeforeOneItShows) {
  VersionedHistory history;
  const uint32_t scan = history.StartGroup("Scan from a");
  const OpRef a = history.InvokeGet(1, "a", scan);
  const OpRef b = history.InvokeGet(1, "b", scan);
  Put(&history, "a", 1, 10, 0);
  Put(&history, "b", 1, 11, 0);
  history.OkNotFound(a);
  history.OkFound(b, 1, 11);
  EXPECT_TRUE(CheckVersioned(history).linearizable) << "key by key nothing is wrong";
  ExpectWrong(
      history,
      "client 1's Scan from a [events 1..8], which found key \"a\" absent, and too early for "
      "a later deletion (there is none), before version 1 was created by client 9's CAS");
}

TEST(GraphChecker, AScanThatBeganLaterMayNotShowAnOlderState) {
  VersionedHistory history;
  Put(&history, "a", 1, 10, 0);
  const OpRef put = history.InvokeCas(3, "a", 1, 12);
  const OpRef first = history.InvokeGet(1, "a", history.StartGroup("Scan from a"));
  history.OkFound(first, 2, 12);
  const OpRef second = history.InvokeGet(2, "a", history.StartGroup("Scan from a"));
  history.OkFound(second, 1, 10);
  history.OkCas(put, 2);
  ExpectWrong(history, "was complete before the invocation of client 2's Scan from a");
}

TEST(GraphChecker, TwoScansMayNotSeeTwoWritesInOppositeOrders) {
  VersionedHistory history;
  const OpRef put_a = history.InvokeCas(3, "a", 0, 10);
  const OpRef put_b = history.InvokeCas(4, "b", 0, 11);
  OpRef a[2];
  OpRef b[2];
  for (uint32_t i = 0; i < 2; ++i) {
    const uint32_t scan = history.StartGroup("Scan from a");
    a[i] = history.InvokeGet(i, "a", scan);
    b[i] = history.InvokeGet(i, "b", scan);
  }
  history.OkFound(a[0], 1, 10);
  history.OkNotFound(b[0]);
  history.OkNotFound(a[1]);
  history.OkFound(b[1], 1, 11);
  history.OkCas(put_a, 1);
  history.OkCas(put_b, 1);
  EXPECT_TRUE(CheckVersioned(history).linearizable) << "key by key nothing is wrong";
  ExpectWrong(history, "where the circle began");
}

TEST(GraphChecker, ABatchIsSeenAsAWhole) {
  VersionedHistory history;
  const uint32_t batch = history.StartGroup("Batch");
  history.InvokeCas(1, "a", 0, 10, batch);  // The outcome stays unknown.
  history.InvokeCas(1, "b", 0, 11, batch);
  const uint32_t scan = history.StartGroup("Scan from a");
  const OpRef a = history.InvokeGet(2, "a", scan);
  const OpRef b = history.InvokeGet(2, "b", scan);
  VersionedHistory torn = history;
  history.OkFound(a, 1, 10);
  history.OkFound(b, 1, 11);
  ExpectRight(history);

  torn.OkFound(a, 1, 10);
  torn.OkNotFound(b);
  const OpRef later = torn.InvokeGet(3, "b");
  torn.OkFound(later, 1, 11);
  EXPECT_TRUE(CheckVersioned(torn).linearizable) << "key by key nothing is wrong";
  ExpectWrong(torn, "client 1's Batch");
}

TEST(GraphChecker, AnAbsenceMayLieInALaterGap) {
  VersionedHistory history;
  const OpRef scan_a = history.InvokeGet(1, "a", history.StartGroup("Scan from a"));
  Put(&history, "a", 1, 10, 0);
  history.OkCasDelete(history.InvokeCasDelete(2, "a", 1));
  Put(&history, "a", 3, 11, 0);
  history.OkNotFound(scan_a);
  ExpectRight(history);
}

TEST(GraphChecker, AnUnknownDeletionMayExplainAnAbsence) {
  VersionedHistory history;
  Put(&history, "a", 1, 10, 0);
  VersionedHistory without = history;
  history.InvokeCasDelete(2, "a", 1);
  for (VersionedHistory* each : {&history, &without}) {
    each->OkNotFound(each->InvokeGet(1, "a", each->StartGroup("Scan from a")));
  }
  ExpectRight(history);
  ExpectWrong(without, "there is none");
}

TEST(GraphChecker, NamesAnAbortedRead) {
  VersionedHistory history;
  history.Fail(history.InvokeCas(1, "a", 0, 10));
  history.InvokeCas(1, "a", 0, 11);
  history.OkFound(history.InvokeGet(2, "a"), 1, 10);
  ExpectWrong(history, "an aborted read");
}

TEST(GraphChecker, NamesAValueThatNobodyWrote) {
  VersionedHistory history;
  history.InvokeCas(1, "a", 0, 11);
  history.OkFound(history.InvokeGet(2, "a"), 1, 10);
  ExpectWrong(history, "returned a value that nobody wrote");
}

TEST(GraphChecker, NamesAVersionWithTwoValues) {
  VersionedHistory history;
  history.InvokeCas(1, "a", 0, 10);
  history.InvokeCas(2, "a", 0, 11);
  history.OkFound(history.InvokeGet(3, "a"), 1, 10);
  history.OkFound(history.InvokeGet(3, "a"), 1, 11);
  ExpectWrong(history, "version 1 was read with two values");
}

TEST(GraphChecker, NamesAVersionAcknowledgedTwice) {
  VersionedHistory history;
  Put(&history, "a", 1, 10, 0);
  Put(&history, "a", 1, 11, 0);
  ExpectWrong(history, "version 1 was acknowledged twice");
}

TEST(GraphChecker, NamesAVersionBeyondTheWrites) {
  VersionedHistory history;
  Put(&history, "a", 1, 10, 0);
  history.OkFound(history.InvokeGet(3, "a"), uint64_t{1} << 60, 10);
  ExpectWrong(history, "beyond the number of writes");
}

// The read of a shows both puts, and the last three operations would close a longer circle.
TEST(GraphChecker, TellsAShortestCircle) {
  VersionedHistory history;
  Put(&history, "a", 1, 10, 0);
  Put(&history, "a", 2, 11, 1);
  Put(&history, "a", 3, 12, 2);
  history.OkFound(history.InvokeGet(3, "a"), 2, 11);
  const std::string why = CheckGraph(history).why;
  EXPECT_EQ(why,
            "no order of the operations is possible: client 3's Get -> version 2, value 11 [events "
            "7..8] on key \"a\" saw version 2 of key \"a\" before the next one was written by "
            "client 9's CAS(expected 2, value 12) -> version 3 [events 5..6] on key \"a\", which "
            "was complete before the invocation of client 3's Get -> version 2, value 11 [events "
            "7..8] on key \"a\", where the circle began");
}

}  // namespace
}  // namespace flaredb::sim
