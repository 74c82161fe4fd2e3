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
  EXPECT_EQ(ReplicaRowKey(RegionId(0x0102)), "\x01r\0\0\0\0\0\0\1\2p"s);
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
  const std::optional<RegionRow> replica = DecodeRegionRowKey(ReplicaRowKey(RegionId(7)));
  ASSERT_TRUE(replica);
  EXPECT_EQ(replica->region, RegionId(7));
  EXPECT_EQ(replica->kind, RegionRowKind::kReplica);
}

TEST(StateRows, OtherKeysAreRefused) {
  const std::string key = RegionRowKey(RegionId(7));
  EXPECT_FALSE(DecodeRegionRowKey(""));
  EXPECT_FALSE(DecodeRegionRowKey(key.substr(0, key.size() - 1)));
  EXPECT_FALSE(DecodeRegionRowKey(key + "x"));
  EXPECT_FALSE(DecodeRegionRowKey("\x01q" + key.substr(2)));
  EXPECT_FALSE(DecodeRegionRowKey(key.substr(0, key.size() - 1) + "u"));
  EXPECT_FALSE(DecodeRegionRowKey(RegionRowKey(RegionId(0))));
}

TEST(StateRows, LieInTheirRangeBelowAllUserKeys) {
  for (const RegionId id : {RegionId(1), RegionId::Max()}) {
    for (const std::string& key : {RegionRowKey(id), AppliedRowKey(id), ReplicaRowKey(id)}) {
      EXPECT_GE(key, RegionRowsBegin());
      EXPECT_LT(key, RegionRowsEnd());
    }
  }
  EXPECT_LT(RegionRowsEnd(), kv::EncodeKey(kv::NamespaceId::kDefault, ""));
}

TEST(StateRows, RowsOfOneRegionAreNeighboursInOrderOfId) {
  EXPECT_LT(RegionRowKey(RegionId(255)), AppliedRowKey(RegionId(256)));
  EXPECT_LT(AppliedRowKey(RegionId(255)), ReplicaRowKey(RegionId(255)));
  EXPECT_LT(ReplicaRowKey(RegionId(255)), RegionRowKey(RegionId(255)));
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

TEST(ReplicaRow, ComesBack) {
  for (const ReplicaRow& row : {ReplicaRow{PeerId(1), false}, ReplicaRow{PeerId(300), true}}) {
    const absl::StatusOr<ReplicaRow> decoded = DecodeReplicaRow(EncodeReplicaRow(row));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, row);
  }
  EXPECT_EQ(EncodeReplicaRow({PeerId(300), true}), "\x01\xac\x02\x01"s);
}

TEST(ReplicaRow, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding(
      {EncodeReplicaRow({PeerId(1), false}), EncodeReplicaRow({PeerId(70000), true})}, 19,
      DecodeReplicaRow, EncodeReplicaRow);
}

TEST(ReplicaRow, IsOfSomebody) {
  EXPECT_FALSE(DecodeReplicaRow("\x01\x00\x00"s).ok());
  EXPECT_THROW(EncodeReplicaRow({PeerId(0), false}), InvariantViolation);
}

}  // namespace
}  // namespace flaredb
