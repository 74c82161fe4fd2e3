// SPDX-License-Identifier: Apache-2.0
// Checkers A and C against the definition of linearizability, on random small histories.
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "sim/history/history.h"
#include "sim/history/versioned_checker.h"
#include "sim/history/versioned_model.h"
#include "sim/history/wgl.h"
#include "tests/sim/history/random_history.h"

namespace flaredb::sim {
namespace {

std::string Print(uint64_t seed, const std::vector<VersionedOp>& ops) {
  std::ostringstream out;
  out << "seed " << seed << "\n";
  for (const VersionedOp& op : ops) out << "  " << Describe(op) << "\n";
  return out.str();
}

bool HasUnknownWrite(const std::vector<VersionedOp>& ops) {
  for (const VersionedOp& op : ops) {
    if (op.kind != OpKind::kGet && op.outcome == Outcome::kUnknown) return true;
  }
  return false;
}

void Compare(uint64_t first_seed, uint64_t histories, size_t operations_max) {
  uint64_t right = 0;
  uint64_t unknown = 0;
  for (uint64_t seed = first_seed; seed < first_seed + histories; ++seed) {
    Rng rng(seed);
    const std::vector<VersionedOp> ops = RandomHistory(&rng, operations_max);
    const bool expected = LinearizableByDefinition(ops);
    const Verdict a = CheckVersionedKey(ops);
    ASSERT_EQ(a.linearizable, expected) << "checker A: " << a.why << "\n" << Print(seed, ops);
    VersionedModel model;
    ASSERT_EQ(CheckWgl(&model, {ForWgl(ops)}).linearizable, expected) << "checker C\n"
                                                                      << Print(seed, ops);
    if (expected) ++right;
    if (HasUnknownWrite(ops)) ++unknown;
  }
  // The comparison says little unless both verdicts and unknown writes are common.
  EXPECT_GE(right * 4, histories);
  EXPECT_GE((histories - right) * 4, histories);
  EXPECT_GE(unknown * 3, histories);
}

TEST(Differential, CheckersAgreeWithTheDefinitionOnTinyHistories) { Compare(1, 150000, 5); }
TEST(Differential, CheckersAgreeWithTheDefinitionOnSmallHistories) { Compare(1 << 30, 150000, 8); }
TEST(Differential, CheckersAgreeWithTheDefinitionOnLongerHistories) { Compare(1 << 29, 30000, 10); }

}  // namespace
}  // namespace flaredb::sim
