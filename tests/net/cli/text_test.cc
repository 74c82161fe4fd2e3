// SPDX-License-Identifier: Apache-2.0
#include "net/cli/text.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::net {
namespace {

TEST(Text, WhatIsPrintableStaysAsItIs) {
  for (const char* text :
       {"", "plain ~", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xc2\xa0"}) {
    EXPECT_EQ(Escape(text), text);
    EXPECT_EQ(EscapeText(text), text);
  }
}

// ESC and what stands for it are orders to a terminal.
TEST(Text, ControlCharactersAreEscapedByteForByte) {
  for (const auto escape : {Escape, EscapeText}) {
    EXPECT_EQ(escape("\x1b[2J"), "\\x1b[2J");
    EXPECT_EQ(escape("a\rb\x7f"), "a\\x0db\\x7f");
    EXPECT_EQ(escape(std::string("\0", 1)), "\\x00");
    EXPECT_EQ(escape("\xc2\x9b"
                     "2J"),
              "\\xc2\\x9b2J");  // U+009B: ESC and [.
    EXPECT_EQ(escape("\xc2\x80\xc2\x9f"), "\\xc2\\x80\\xc2\\x9f");
  }
}

TEST(Text, WhatIsNoUtf8IsEscapedByteForByte) {
  for (const auto escape : {Escape, EscapeText}) {
    EXPECT_EQ(escape("\x9b"
                     "2J"),
              "\\x9b2J");
    EXPECT_EQ(escape("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(escape("\xc3(\xc3\xbc"), "\\xc3(\xc3\xbc");
    EXPECT_EQ(escape("\xc0\x80"), "\\xc0\\x80");                    // Longer than needed.
    EXPECT_EQ(escape("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // A surrogate.
    EXPECT_EQ(escape("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // Beyond Unicode.
    EXPECT_EQ(escape("\xe2\x82"), "\\xe2\\x82");                    // Cut off.
  }
}

TEST(Text, OnlyALineEscapesWhatWouldBreakIt) {
  EXPECT_EQ(Escape("a\nb\tc\\d"), "a\\nb\\tc\\\\d");
  EXPECT_EQ(EscapeText("a\nb\tc\\d"), "a\nb\tc\\d");
}

}  // namespace
}  // namespace flaredb::net
