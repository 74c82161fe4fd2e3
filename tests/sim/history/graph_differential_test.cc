// SPDX-License-Identifier: Apache-2.0
// Checker B against the definition of strict serializability, on random small histories.
#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "sim/history/graph_checker.h"
#include "sim/history/versioned_checker.h"
#include "tests/sim/history/random_transactions.h"

namespace flaredb::sim {
namespace {

// The exception in graph_checker.h: a part of an unknown write on several keys need not be told
// from a write of its own.
bool WithinExactness(const std::vector<Transaction>& all) {
  std::set<ValueId> read;
  for (const Transaction& transaction : all) {
    for (const auto& [key, op] : transaction.parts) {
      if (op.kind == OpKind::kGet && op.version != 0) read.insert(op.value);
    }
  }
  return std::none_of(all.begin(), all.end(), [&](const Transaction& transaction) {
    if (!transaction.unknown() || transaction.parts.size() == 1) return false;
    const auto seen = [&](const Transaction::Part& part) { return read.contains(part.op.value); };
    // Once one value was read, every part that expects a version is known as well.
    if (std::none_of(transaction.parts.begin(), transaction.parts.end(), seen)) return true;
    return std::any_of(transaction.parts.begin(), transaction.parts.end(),
                       [&](const auto& part) { return part.op.expected == 0 && !seen(part); });
  });
}

void Compare(uint64_t first_seed, uint64_t histories, size_t operations_max) {
  uint64_t right = 0;
  uint64_t exact = 0;
  uint64_t only_together = 0;
  for (uint64_t seed = first_seed; seed < first_seed + histories; ++seed) {
    Rng rng(seed);
    const std::vector<Transaction> all = RandomTransactions(&rng, operations_max);
    const VersionedHistory history = Record(all);
    const bool expected = SerializableByDefinition(all);
    const Verdict b = CheckGraph(history);
    if (expected) {
      ASSERT_TRUE(b.linearizable) << "seed " << seed << ": " << b.why << "\n" << Print(all);
      ++right;
    }
    if (!WithinExactness(all)) continue;
    ++exact;
    ASSERT_EQ(b.linearizable, expected) << "seed " << seed << ": " << b.why << "\n" << Print(all);
    EXPECT_EQ(b.why.empty(), expected);
    if (!expected && CheckVersioned(history).linearizable) ++only_together;
  }
  // The comparison says little unless both verdicts are common, and the keys matter together.
  EXPECT_GE(right * 4, histories);
  EXPECT_GE((histories - right) * 8, histories);
  EXPECT_GE(exact * 5, histories * 3);
  EXPECT_GE(only_together * 80, histories);
}

TEST(GraphDifferential, AgreesWithTheDefinitionOnTinyHistories) { Compare(1, 60000, 5); }
TEST(GraphDifferential, AgreesWithTheDefinitionOnSmallHistories) { Compare(1 << 30, 120000, 7); }
TEST(GraphDifferential, AgreesWithTheDefinitionOnLongerHistories) { Compare(1 << 29, 20000, 10); }

}  // namespace
}  // namespace flaredb::sim
