// SPDX-License-Identifier: Apache-2.0
#include "net/client/result.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace flaredb::client {
namespace {

TEST(WriteId, IsATextAndBack) {
  const WriteId ids[] = {{},
                         {.client_hi = 1, .client_lo = 0xabc, .seq = 3, .seen_index = 4},
                         {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
  for (const WriteId& id : ids) EXPECT_EQ(ParseWriteId(ToString(id)), id);
  EXPECT_EQ(ToString(ids[1]), "1-abc-3-4");
}

TEST(WriteId, OtherTextsAreNone) {
  for (const char* text :
       {"", "1", "1-2-3", "1-2-3-", "1-2-3-4-", "1-2-3-4-5", "-1-2-3-4", "1--2-3", "g-1-2-3",
        "1-2-3-4 ", " 1-2-3-4", "0x1-2-3-4", "1-2-3-11112222333344445"}) {
    EXPECT_EQ(ParseWriteId(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace flaredb::client
