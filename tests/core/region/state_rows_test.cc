// SPDX-License-Identifier: Apache-2.0
#include "core/region/state_rows.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/kv/key.h"
#include "tests/core/base/exact_decoding.h"

namespace flaredb {
namespace {

using std::string_literals::operator""s;

TEST(StateRows, KeysAreThoseOfTheFormatPage) {
  EXPECT_EQ(RegionRowKey(RegionId(0x0102)), "\x01r\0\0\0\0\0\0\1\2s"s);
  EXPECT_EQ(AppliedRowKey(RegionId(0x0102)), "\x01r\0\0\0\0\0\0\1\2a"s);
}

TEST(StateRows, KeysComeBack) {
  const std::optional<RegionRow> region = DecodeRegionRowKey(RegionRowKey(RegionId(7)));
  ASSERT_TRUE(region);
  EXPECT_EQ(region->region, RegionId(7));
  EXPECT_EQ(region->kind, RegionRowKind::kRegion);
  const std::optional<RegionRow> applied = DecodeRegionRowKey(AppliedRowKey(RegionId::Max()));
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->region, RegionId::Max());
  EXPECT_EQ(applied->kind, RegionRowKind::kApplied);
}

TEST(StateRows, OtherKeysAreRefused) {
  const std::string key = RegionRowKey(RegionId(7));
  EXPECT_FALSE(DecodeRegionRowKey(""));
  EXPECT_FALSE(DecodeRegionRowKey(key.substr(0, key.size() - 1)));
  EXPECT_FALSE(DecodeRegionRowKey(key + "x"));
  EXPECT_FALSE(DecodeRegionRowKey("\x01q" + key.substr(2)));
  EXPECT_FALSE(DecodeRegionRowKey(key.substr(0, key.size() - 1) + "t"));
  EXPECT_FALSE(DecodeRegionRowKey(RegionRowKey(RegionId(0))));
}

TEST(StateRows, LieInTheirRangeBelowAllUserKeys) {
  for (const RegionId id : {RegionId(1), RegionId::Max()}) {
    for (const std::string& key : {RegionRowKey(id), AppliedRowKey(id)}) {
      EXPECT_GE(key, RegionRowsBegin());
      EXPECT_LT(key, RegionRowsEnd());
    }
  }
  EXPECT_LT(RegionRowsEnd(), kv::EncodeKey(kv::NamespaceId::kDefault, ""));
}

TEST(StateRows, RowsOfOneRegionAreNeighboursInOrderOfId) {
  EXPECT_LT(RegionRowKey(RegionId(255)), AppliedRowKey(RegionId(256)));
  EXPECT_LT(AppliedRowKey(RegionId(255)), RegionRowKey(RegionId(255)));
}

TEST(AppliedRow, ComesBack) {
  for (const raft::LogId& applied : {raft::LogId{}, raft::LogId{Term(300), Index::Max()}}) {
    const absl::StatusOr<raft::LogId> decoded = DecodeApplied(EncodeApplied(applied));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, applied);
  }
  EXPECT_EQ(EncodeApplied({Term(2), Index(300)}), "\x01\x02\xac\x02"s);
}

TEST(AppliedRow, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding({EncodeApplied({}), EncodeApplied({Term(3), Index(300)})}, 14, DecodeApplied,
                      EncodeApplied);
}

TEST(AppliedRow, TermAndIndexExistTogether) {
  EXPECT_FALSE(DecodeApplied("\x01\x01\x00"s).ok());
  EXPECT_FALSE(DecodeApplied("\x01\x00\x01"s).ok());
  EXPECT_THROW(EncodeApplied({Term(1), Index(0)}), InvariantViolation);
}

}  // namespace
}  // namespace flaredb
