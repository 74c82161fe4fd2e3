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

}  // namespace
}  // namespace flaredb::net
