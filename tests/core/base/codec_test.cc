// SPDX-License-Identifier: Apache-2.0
#include "core/base/codec.h"

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/rng.h"
#include "core/base/strings.h"

namespace flaredb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string VarintOf(uint64_t x) {
  ByteWriter out;
  out.Varint(x);
  return out.Take();
}

bool ReadsAsVarint(std::string_view bytes) {
  ByteReader in(bytes);
  in.Varint();
  return in.Finish("a varint").ok();
}

TEST(Codec, FieldsComeBackInOrder) {
  ByteWriter out;
  out.U8(7);
  out.U32(0x01020304);
  out.U64(0x0102030405060708);
  out.Varint(300);
  out.Bytes("key");
  out.Raw("ab");
  out.Raw("rest");
  const std::string bytes = out.Take();

  ByteReader in(bytes);
  in.FormatVersion(7);
  EXPECT_EQ(in.U32(), 0x01020304u);
  EXPECT_EQ(in.U64(), 0x0102030405060708u);
  EXPECT_EQ(in.Varint(), 300u);
  EXPECT_EQ(in.Bytes(), "key");
  EXPECT_EQ(in.Raw(2), "ab");
  EXPECT_EQ(in.Rest(), "rest");
  EXPECT_TRUE(in.Finish("fields").ok());
}

TEST(Codec, FixedIntegersCompareAsTheirBytes) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t a = rng.Next() >> rng.Below(64);
    const uint64_t b = rng.Next() >> rng.Below(64);
    ByteWriter of_a;
    ByteWriter of_b;
    of_a.U64(a);
    of_b.U64(b);
    EXPECT_EQ(a < b, of_a.Take() < of_b.Take()) << a << " " << b;
  }
}

TEST(Codec, VarintsOfAllLengthsComeBack) {
  std::vector<uint64_t> numbers = {0, 127, 128, std::numeric_limits<uint64_t>::max()};
  for (int shift = 0; shift < 64; ++shift) numbers.push_back(uint64_t{1} << shift);
  for (const uint64_t x : numbers) {
    const std::string bytes = VarintOf(x);
    ByteReader in(bytes);
    EXPECT_EQ(in.Varint(), x);
    EXPECT_TRUE(in.Finish("a varint").ok()) << x;
  }
  EXPECT_EQ(VarintOf(std::numeric_limits<uint64_t>::max()).size(), 10u);
}

TEST(Codec, VarintWithNeedlessBytesIsRefused) {
  EXPECT_TRUE(ReadsAsVarint({"\x00", 1}));
  EXPECT_FALSE(ReadsAsVarint({"\x80\x00", 2}));
  EXPECT_FALSE(ReadsAsVarint({"\xff\x80\x00", 3}));
}

TEST(Codec, VarintBeyond64BitsIsRefused) {
  const std::string nine(9, '\xff');
  EXPECT_TRUE(ReadsAsVarint(nine + '\x01'));
  EXPECT_FALSE(ReadsAsVarint(nine + '\x02'));
  EXPECT_FALSE(ReadsAsVarint(nine + "\x81\x01"));
}

TEST(Codec, NothingIsReadBeyondTheEnd) {
  ByteReader in("ab");
  EXPECT_EQ(in.U32(), 0u);
  EXPECT_FALSE(in.ok());
  const std::string huge = VarintOf(std::numeric_limits<uint64_t>::max()) + "abc";
  ByteReader lying(huge);
  EXPECT_EQ(lying.Bytes(), "");
  EXPECT_FALSE(lying.ok());
}

TEST(Codec, FirstDefectSticksAndIsReported) {
  ByteReader in("\x01zz");
  in.U8();
  in.Require(false, "the first rule");
  in.Require(false, "the second rule");
  EXPECT_EQ(in.U8(), 0);
  EXPECT_EQ(in.Rest(), "");
  const absl::Status status = in.Finish("a thing");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(FromAbsl(status.message()),
            "a thing cannot be decoded: at byte 1 of 3 it does not hold that the first rule");
}

TEST(Codec, LeftOverBytesAreADefect) {
  ByteReader in("secret");
  in.U8();
  const absl::Status status = in.Finish("a thing");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nothing follows"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("ecret")));
}

TEST(Codec, UnknownFormatVersionIsADefect) {
  ByteReader newer("\x02");
  newer.FormatVersion(1);
  EXPECT_FALSE(newer.Finish("a thing").ok());
  ByteReader empty("");
  empty.FormatVersion(1);
  EXPECT_FALSE(empty.Finish("a thing").ok());
}

}  // namespace
}  // namespace flaredb
