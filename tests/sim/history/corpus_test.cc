// SPDX-License-Identifier: Apache-2.0
// Every recorded history has its known verdict.
#include <string>

#include <gtest/gtest.h>

#include "sim/history/corpus.h"
#include "sim/history/text_lines.h"

namespace flaredb::sim {
namespace {

TEST(Corpus, EveryRecordedHistoryHasItsKnownVerdict) {
  const std::string folder = "tests/sim/history/corpus/";
  const auto text = ReadTextFile(folder + "EXPECTED.tsv");
  ASSERT_TRUE(text.ok()) << text.status();
  const auto rows = ParseExpectedTable("EXPECTED.tsv", *text);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), 60u);
  for (const ExpectedRow& row : *rows) {
    const auto verdict = CheckCorpusFile(row.model, folder + row.file);
    ASSERT_TRUE(verdict.ok()) << verdict.status();
    EXPECT_EQ(verdict->linearizable, row.linearizable)
        << row.file << " as " << Name(row.model) << ": " << verdict->why;
  }
}

}  // namespace
}  // namespace flaredb::sim
