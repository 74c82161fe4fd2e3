// SPDX-License-Identifier: Apache-2.0
#include "net/cli/encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace flaredb::net {
namespace {

TEST(Encoding, WhatWasEncodedIsDecoded) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const Encoding encoding : {Encoding::kNone, Encoding::kHex, Encoding::kBase64}) {
    for (const std::string& text : {std::string(), std::string("a"), bytes}) {
      EXPECT_EQ(Decode(encoding, Encode(encoding, text)), text);
    }
  }
  EXPECT_EQ(Encode(Encoding::kHex, "k\xff"), "6bff");
  EXPECT_EQ(Encode(Encoding::kBase64, "k\xff"), "a/8=");
}

TEST(Encoding, HexIsReadInEitherCase) { EXPECT_EQ(Decode(Encoding::kHex, "6BfF"), "k\xff"); }

TEST(Encoding, OtherTextsAreRefused) {
  for (const char* text : {"6", "6b6", "zz", "0x6b", "6b 6b", " 6b"}) {
    EXPECT_EQ(Decode(Encoding::kHex, text), std::nullopt) << text;
  }
  for (const char* text : {"a", "a*==", "====", "a/8=x"}) {
    EXPECT_EQ(Decode(Encoding::kBase64, text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace flaredb::net
