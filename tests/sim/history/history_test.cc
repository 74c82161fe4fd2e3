// SPDX-License-Identifier: Apache-2.0
#include "sim/history/history.h"

#include <gtest/gtest.h>

#include "core/base/check.h"

namespace flaredb::sim {
namespace {

TEST(History, NumbersEventsAcrossKeysInTheOrderOfTheirArrival) {
  VersionedHistory history;
  const auto cas = history.InvokeCas(1, "a", 0, 17);
  const auto get = history.InvokeGet(2, "b");
  history.OkCas(cas, 1);
  history.OkNotFound(get);
  ASSERT_EQ(history.keys(), 2u);
  EXPECT_EQ(history.operations(), 2u);
  EXPECT_EQ(history.key(1), "b");
  EXPECT_EQ(history.ops(0)[0].invoke, 1u);
  EXPECT_EQ(history.ops(0)[0].complete, 3u);
  EXPECT_EQ(history.ops(1)[0].invoke, 2u);
  EXPECT_EQ(history.ops(1)[0].complete, 4u);
}

TEST(History, AnUnknownOutcomeStaysOpenForEver) {
  VersionedHistory history;
  const auto given_up = history.InvokeCas(1, "a", 0, 17);
  history.InvokeCasDelete(2, "a", 1);
  history.Info(given_up);
  for (const VersionedOp& op : history.ops(0)) {
    EXPECT_EQ(op.outcome, Outcome::kUnknown);
    EXPECT_EQ(op.complete, kNever);
  }
}

TEST(History, PartsOfAnOperationOnSeveralKeysCarryItsNumber) {
  VersionedHistory history;
  const uint32_t scan = history.StartGroup("Scan from a");
  const auto a = history.InvokeGet(1, "a", scan);
  const auto b = history.InvokeGet(1, "b", scan);
  history.InvokeGet(2, "a");
  history.OkNotFound(a);
  history.Fail(b);
  history.Remark(scan, "cut at b");
  EXPECT_EQ(history.groups(), 1u);
  EXPECT_EQ(history.group(scan), "Scan from a, cut at b");
  EXPECT_EQ(history.ops(0)[0].group, scan);
  EXPECT_EQ(history.ops(1)[0].group, scan);
  EXPECT_EQ(history.ops(0)[1].group, 0u);
  EXPECT_EQ(history.last_event(), 5u);
}

TEST(History, AnOperationCompletesOnce) {
  VersionedHistory history;
  const auto cas = history.InvokeCas(1, "a", 0, 17);
  history.Fail(cas);
  EXPECT_THROW(history.OkCas(cas, 1), InvariantViolation);
  EXPECT_THROW(history.Info(cas), InvariantViolation);
}

TEST(History, AnAnswerMustSuitItsOperation) {
  VersionedHistory history;
  const auto get = history.InvokeGet(1, "a");
  EXPECT_THROW(history.OkCas(get, 1), InvariantViolation);
  const auto found = history.InvokeGet(1, "a");
  EXPECT_THROW(history.OkFound(found, 0, 17), InvariantViolation);
}

TEST(History, DescribesAnOperationForAPerson) {
  VersionedHistory history;
  const auto cas = history.InvokeCas(3, "a", 4, 17);
  EXPECT_EQ(Describe(history.ops(0)[0]),
            "client 3's CAS(expected 4, value 17) -> unknown [events 1..]");
  history.OkCas(cas, 5);
  EXPECT_EQ(Describe(history.ops(0)[0]),
            "client 3's CAS(expected 4, value 17) -> version 5 [events 1..2]");
}

}  // namespace
}  // namespace flaredb::sim
