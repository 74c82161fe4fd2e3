// SPDX-License-Identifier: Apache-2.0
#include "core/region/state_machine.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/kv/key.h"
#include "tests/core/base/map_reader.h"

namespace flaredb {
namespace {

using std::string_literals::operator""s;

std::vector<std::string> RowsOf(const ObjectRows& rows, std::string_view begin = "",
                                std::string_view end = "") {
  std::vector<std::string> found;
  rows.Scan(begin, end, [&](std::string_view key, std::string_view value) {
    found.push_back(std::string(key) + "=" + std::string(value));
    return true;
  });
  return found;
}

using Strings = std::vector<std::string>;

TEST(ObjectPrefix, IsOrderedAsTheNamesAreAndBeginsNoOther) {
  Strings names = {"",        "\0"s,        "\0\0"s, "\0\1"s, "\0\xff"s, "a", "a\0"s, "a\0\1"s,
                   "a\0\1x"s, "a\0\xff\1"s, "a\1",   "ab",    "a\xff"s,  "b", "\xff", "\xff\xff"};
  std::sort(names.begin(), names.end());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(kv::DecodeKey(ObjectPrefix(names[i]))->ns, kv::NamespaceId::kMachine);
    for (size_t j = i + 1; j < names.size(); ++j) {
      EXPECT_LT(ObjectPrefix(names[i]), ObjectPrefix(names[j]));
      // All of an object's rows come before the next object's.
      EXPECT_LE(kv::PrefixSuccessor(ObjectPrefix(names[i])), ObjectPrefix(names[j]));
    }
  }
}

// docs/FORMAT.md shows these bytes.
TEST(ObjectPrefix, HasTheDocumentedBytes) {
  EXPECT_EQ(ObjectPrefix("a") + "k",
            "z\xff\xff\xff\xff"
            "a\0\1k"s);
  EXPECT_EQ(ObjectPrefix("\0"s), "z\xff\xff\xff\xff\0\xff\0\1"s);
}

TEST(ObjectRows, BelongToOneObject) {
  MapReader data;
  for (const std::string& name : {"a"s, "a\0"s, "b"s}) {
    MutableObjectRows rows(name, data);
    rows.Put("", name + "1");
    rows.Put("k", name + "2");
    data.Write(rows.changes());
  }
  data.rows[kv::EncodeKey(kv::NamespaceId::kDefault, "a")] = "a record";
  const ObjectRows a("a", data);
  EXPECT_EQ(RowsOf(a), (Strings{"=a1", "k=a2"}));
  EXPECT_EQ(a.Get("k"), "a2");
  EXPECT_EQ(a.Get("x"), std::nullopt);
  const ObjectRows other("other", data);
  EXPECT_EQ(RowsOf(other), Strings());
  EXPECT_EQ(data.rows.size(), 7u);
}

TEST(ObjectRows, AreScannedInOrderWithinBounds) {
  MapReader data;
  MutableObjectRows rows("o", data);
  for (const char* key : {"c", "a", "e"}) rows.Put(key, "1");
  data.Write(rows.changes());
  const ObjectRows now("o", data);
  EXPECT_EQ(RowsOf(now, "b"), (Strings{"c=1", "e=1"}));
  EXPECT_EQ(RowsOf(now, "a", "e"), (Strings{"a=1", "c=1"}));
  EXPECT_EQ(RowsOf(now, "e", "a"), Strings());
  int visits = 0;
  now.Scan("", "", [&](std::string_view, std::string_view) { return ++visits < 2; });
  EXPECT_EQ(visits, 2);
}

TEST(MutableObjectRows, ACommandSeesItsOwnChanges) {
  MapReader data;
  MutableObjectRows before("o", data);
  before.Put("a", "1");
  before.Put("b", "1");
  data.Write(before.changes());

  MutableObjectRows rows("o", data);
  rows.Put("b", "2");
  rows.Put("c", "2");
  rows.Delete("a");
  EXPECT_EQ(RowsOf(rows), (Strings{"b=2", "c=2"}));
  rows.Delete("c");
  rows.Put("b", "3");
  EXPECT_EQ(rows.Get("b"), "3");
  EXPECT_EQ(rows.Get("c"), std::nullopt);
  const ObjectRows untouched("o", data);
  EXPECT_EQ(RowsOf(untouched), (Strings{"a=1", "b=1"}));
  data.Write(rows.changes());
  EXPECT_EQ(RowsOf(untouched), (Strings{"b=3"}));
}

TEST(MutableObjectRows, DeletingWhatIsNotThereChangesNothing) {
  MapReader data;
  MutableObjectRows rows("o", data);
  rows.Delete("a");
  EXPECT_TRUE(rows.changes().empty());
}

TEST(ObjectRows, TheFirstFailureToReadStays) {
  MapReader data;
  data.rows[ObjectPrefix("o") + "k"] = "v";
  const ObjectRows rows("o", data);
  EXPECT_EQ(rows.Get("k"), "v");
  EXPECT_TRUE(rows.status().ok());
  data.failure = absl::UnavailableError("no disk");
  EXPECT_EQ(rows.Get("k"), std::nullopt);
  data.failure = absl::OkStatus();
  EXPECT_EQ(rows.Get("k"), std::nullopt);
  EXPECT_EQ(RowsOf(rows), Strings());
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kUnavailable);

  data.failure = absl::DataLossError("damaged");
  const ObjectRows scanned("o", data);
  RowsOf(scanned);
  EXPECT_EQ(scanned.status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace flaredb
