// SPDX-License-Identifier: Apache-2.0
#include "core/kv/key.h"

#include <string>

#include <gtest/gtest.h>

#include "core/base/check.h"
#include "core/base/rng.h"

namespace flaredb::kv {
namespace {

using std::string_literals::operator""s;

std::string RandomKey(Rng* rng) {
  static constexpr char kBytes[] = {'\x00', '\x01', 'a', 'z', '\xfe', '\xff'};
  std::string key;
  for (uint64_t size = rng->Below(5); size > 0; --size) key += kBytes[rng->Below(sizeof(kBytes))];
  return key;
}

TEST(Key, IsTheAreaTheNamespaceAndTheUserKey) {
  EXPECT_EQ(EncodeKey(NamespaceId::kDefault, "ab"), "z\0\0\0\1ab"s);
  EXPECT_EQ(EncodeKey(NamespaceId{0x01020304}, ""), "z\1\2\3\4"s);
  EXPECT_THROW(EncodeKey(NamespaceId::kNone, "ab"), InvariantViolation);
}

TEST(Key, ComesBackWhateverItsBytes) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = RandomKey(&rng);
    const std::string encoded = EncodeKey(NamespaceId::kDefault, key);
    const std::optional<DecodedKey> decoded = DecodeKey(encoded);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->ns, NamespaceId::kDefault);
    EXPECT_EQ(decoded->user_key, key);
  }
}

TEST(Key, OfAnotherAreaIsNotAUserKey) {
  EXPECT_FALSE(DecodeKey(""));
  EXPECT_FALSE(DecodeKey("z\0\0\0"s));
  EXPECT_FALSE(DecodeKey("\1r\0\0\0\0\0\0\0\1s"s));
  EXPECT_FALSE(DecodeKey("z\0\0\0\0ab"s));  // Namespace 0 does not exist.
}

TEST(Key, OrderOfEncodedKeysIsOrderOfUserKeys) {
  Rng rng(2);
  for (int i = 0; i < 2000; ++i) {
    const std::string a = RandomKey(&rng);
    const std::string b = RandomKey(&rng);
    EXPECT_EQ(a < b, EncodeKey(NamespaceId{7}, a) < EncodeKey(NamespaceId{7}, b));
  }
}

TEST(Key, RangeWithoutEndHoldsTheNamespaceAndNothingElse) {
  for (const uint32_t id : {1u, 0xffu, 0xffffu, 0xffffffffu}) {
    const KeyRange range = EncodeRange(NamespaceId{id}, "", "");
    const auto holds = [&range](const std::string& key) {
      return key >= range.begin && key < range.end;
    };
    EXPECT_TRUE(holds(EncodeKey(NamespaceId{id}, "")));
    EXPECT_TRUE(holds(EncodeKey(NamespaceId{id}, std::string(20, '\xff'))));
    EXPECT_TRUE(id == 0xffffffff || !holds(EncodeKey(NamespaceId{id + 1}, "")));
    EXPECT_TRUE(id == 1 || !holds(EncodeKey(NamespaceId{id - 1}, std::string(20, '\xff'))));
  }
}

TEST(Key, RangeIsHalfOpen) {
  const KeyRange range = EncodeRange(NamespaceId::kDefault, "b", "d");
  EXPECT_EQ(range.begin, EncodeKey(NamespaceId::kDefault, "b"));
  EXPECT_EQ(range.end, EncodeKey(NamespaceId::kDefault, "d"));
}

TEST(PrefixSuccessor, RaisesTheLastByteThatCanBeRaised) {
  EXPECT_EQ(PrefixSuccessor("ab"), "ac");
  EXPECT_EQ(PrefixSuccessor("a\xff"), "b");
  EXPECT_EQ(PrefixSuccessor("a\xff\xff"), "b");
  EXPECT_EQ(PrefixSuccessor("a\xff\x01"), "a\xff\x02");
  EXPECT_EQ(PrefixSuccessor("\x7f"), "\x80");
  EXPECT_EQ(PrefixSuccessor("\0"s), "\1");
}

TEST(PrefixSuccessor, DoesNotExistWhenNothingCanBeRaised) {
  EXPECT_EQ(PrefixSuccessor(""), "");
  EXPECT_EQ(PrefixSuccessor("\xff\xff"), "");
}

TEST(PrefixSuccessor, SeparatesKeysWithThePrefixFromLaterOnes) {
  Rng rng(3);
  for (int i = 0; i < 5000; ++i) {
    const std::string prefix = RandomKey(&rng);
    const std::string key = RandomKey(&rng);
    const std::string successor = PrefixSuccessor(prefix);
    const bool in_range = key >= prefix && (successor.empty() || key < successor);
    EXPECT_EQ(in_range, key.starts_with(prefix));
  }
}

}  // namespace
}  // namespace flaredb::kv
