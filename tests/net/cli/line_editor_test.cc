// SPDX-License-Identifier: Apache-2.0
#include "net/cli/line_editor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flaredb::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitWords, SplitsAsAShellDoes) {
  EXPECT_THAT(*SplitWords(""), IsEmpty());
  EXPECT_THAT(*SplitWords("  kv   get\tk "), ElementsAre("kv", "get", "k"));
  EXPECT_THAT(*SplitWords(R"(kv put "two words" 'a "b" \c')"),
              ElementsAre("kv", "put", "two words", R"(a "b" \c)"));
  EXPECT_THAT(*SplitWords(R"(a\ b c"d e"f "" \" "\"")"),
              ElementsAre("a b", "cd ef", "", "\"", "\""));
  EXPECT_THAT(*SplitWords("k \xc3\xbc"), ElementsAre("k", "\xc3\xbc"));
}

TEST(SplitWords, AnOpenEndIsNoLine) {
  EXPECT_EQ(SplitWords("kv get 'k"), std::nullopt);
  EXPECT_EQ(SplitWords("kv get \"k"), std::nullopt);
  EXPECT_EQ(SplitWords("kv get k\\"), std::nullopt);
  EXPECT_EQ(SplitWords("\\"), std::nullopt);
  EXPECT_THAT(*SplitWords("k\\\\"), ElementsAre("k\\"));
}

}  // namespace
}  // namespace flaredb::net
