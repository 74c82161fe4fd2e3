// SPDX-License-Identifier: Apache-2.0
#include "core/kv/record.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "tests/core/base/exact_decoding.h"

namespace flaredb::kv {
namespace {

using std::string_literals::operator""s;

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

Record Small() {
  Record record;
  record.version = Version(3);
  record.changed_index = Index(300);
  record.value = "val";
  return record;
}

// Remembers the versions 6 to 9, and forgot others.
Record Full() {
  Record record = Small();
  record.version = Version(10);
  record.hlc = Hlc(kMax);
  record.origin = StoreId(3);
  record.expire_ms = 1;
  for (uint64_t i = 6; i <= 9; ++i) record.requests.push_back({{kMax, i, i}, Version(i)});
  record.forgotten_index = Index(299);
  return record;
}

Record Tombstone() {
  Record record = Full();
  record.tombstone = true;
  record.value.clear();
  return record;
}

TEST(Record, ComesBack) {
  for (const Record& record : {Small(), Full(), Tombstone()}) {
    const absl::StatusOr<Record> decoded = DecodeRecord(EncodeRecord(record));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(*decoded == record);
  }
}

TEST(Record, HasTheBytesOfTheFormatPage) {
  EXPECT_EQ(EncodeRecord(Small()), "\x01\x00\x03\xac\x02\x00\x00\x00\x00\x00val"s);
}

TEST(Record, DamagedBytesAreRefusedOrMeanSomethingElse) {
  ExpectExactDecoding({EncodeRecord(Small()), EncodeRecord(Full()), EncodeRecord(Tombstone())}, 12,
                      DecodeRecord, EncodeRecord);
}

TEST(Record, ThatContradictsItselfCannotBeWritten) {
  const std::vector<std::function<void(Record*)>> defects = {
      [](Record* r) { r->version = Version(0); },
      [](Record* r) { r->changed_index = Index(0); },
      [](Record* r) { r->tombstone = true; },
      [](Record* r) {
        r->requests.push_back({{1, 1, 1}, Version(10)});
      },  // A fifth one.
      [](Record* r) { r->requests[1].id = RequestId(); },
      [](Record* r) { r->requests[1].id = r->requests[0].id; },
      [](Record* r) { r->requests[1].version = r->requests[0].version; },
      [](Record* r) { r->requests[3].version = Version(11); },
      [](Record* r) { r->requests[0].version = Version(0); },
      [](Record* r) { r->forgotten_index = Index(301); },
  };
  for (size_t i = 0; i < defects.size(); ++i) {
    Record record = Full();
    defects[i](&record);
    EXPECT_THROW(EncodeRecord(record), InvariantViolation) << "defect " << i;
  }
}

TEST(Record, ThatContradictsItselfIsNotRead) {
  EXPECT_FALSE(DecodeRecord("\x01\x00\x00\x01\x00\x00\x00\x00\x00"s).ok());  // Version 0.
  EXPECT_FALSE(DecodeRecord("\x01\x00\x01\x00\x00\x00\x00\x00\x00"s).ok());  // Never changed.
  EXPECT_FALSE(DecodeRecord("\x01\x02\x01\x01\x00\x00\x00\x00\x00"s).ok());  // Unknown flag.
  EXPECT_FALSE(
      DecodeRecord("\x01\x01\x01\x01\x00\x00\x00\x00\x00v"s).ok());  // Value of a tombstone.
  EXPECT_FALSE(DecodeRecord("\x01\x00\x01\x01\x00\x00\x00\x00\x02"s).ok());  // Forgot too late.
  EXPECT_TRUE(DecodeRecord("\x01\x01\x01\x01\x00\x00\x00\x00\x00"s).ok());
  // The key's earlier record was collected, with all requests.
  EXPECT_TRUE(DecodeRecord("\x01\x00\x01\x01\x00\x00\x00\x00\x01"s).ok());
}

}  // namespace
}  // namespace flaredb::kv
