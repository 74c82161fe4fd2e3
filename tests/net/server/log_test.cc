// SPDX-License-Identifier: Apache-2.0
#include "net/server/log.h"

#include <gtest/gtest.h>

namespace flaredb::net {
namespace {

constexpr int64_t kMs = 1767323045006;  // 2026-01-02 03:04:05.006 UTC

TEST(Log, HumanLine) {
  EXPECT_EQ(FormatHuman(kMs, LogLevel::kInfo, "listening", {{"address", "a:1"}, {"store", 7}}),
            "03:04:05.006 info  listening  address=a:1 store=7\n");
  EXPECT_EQ(FormatHuman(kMs, LogLevel::kError, "failed", {{"why", "no space"}}),
            "03:04:05.006 error failed  why=\"no space\"\n");
}

TEST(Log, JsonLine) {
  EXPECT_EQ(FormatJson(kMs, LogLevel::kWarn, "lost", {{"store", StoreId(2)}}),
            "{\"time\":\"2026-01-02T03:04:05.006Z\",\"level\":\"warn\",\"message\":\"lost\","
            "\"store\":\"2\"}\n");
}

// A reason may come from elsewhere: it must not be able to forge a line.
TEST(Log, WhatIsLoggedCannotBreakTheLine) {
  const char* const nasty = "a\"b\\c\nd\x7f";
  EXPECT_EQ(FormatJson(0, LogLevel::kInfo, nasty, {}),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
            "\"message\":\"a\\\"b\\\\c\\u000ad\\u007f\"}\n");
  EXPECT_EQ(FormatHuman(0, LogLevel::kInfo, "m", {{"f", nasty}}),
            "00:00:00.000 info  m  f=a\\\"b\\\\c\\u000ad\\u007f\n");
}

TEST(Log, WhatIsNoUtf8IsEscapedByteForByte) {
  const auto message = [](std::string_view text) {
    const std::string line = FormatHuman(0, LogLevel::kDebug, text, {});
    return line.substr(19, line.size() - 20);
  };
  EXPECT_EQ(message("\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(message("\xff\xc3"), "\\u00ff\\u00c3");
  EXPECT_EQ(message("\xc0\x80"), "\\u00c0\\u0080");             // Longer than needed.
  EXPECT_EQ(message("\xed\xa0\x80"), "\\u00ed\\u00a0\\u0080");  // A surrogate.
  EXPECT_EQ(message("\xc2\x9b"), "\\u00c2\\u009b");             // U+009B: ESC and [.
  EXPECT_EQ(message("\xe2\x82"), "\\u00e2\\u0082");             // Cut off.
}

TEST(Log, KeysAreHiddenUnlessTheOperatorWantsThem) {
  EXPECT_EQ(LoggedKey("alice@example.org").Text(), "(17 bytes)");
  SetLogOptions({.plain_keys = true});
  EXPECT_EQ(LoggedKey("alice@example.org").Text(), "alice@example.org");
  SetLogOptions({});
}

TEST(Log, OnlyLinesThatMatterEnoughAreWritten) {
  SetLogOptions({.format = LogFormat::kHuman, .least = LogLevel::kWarn});
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "small");
  Log(LogLevel::kWarn, "large");
  const std::string written = testing::internal::GetCapturedStderr();
  SetLogOptions({});
  EXPECT_EQ(written.find("small"), std::string::npos) << written;
  EXPECT_NE(written.find("warn  large\n"), std::string::npos) << written;
}

}  // namespace
}  // namespace flaredb::net
