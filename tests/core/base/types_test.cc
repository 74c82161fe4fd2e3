// SPDX-License-Identifier: Apache-2.0
#include "core/base/types.h"

#include <cstdint>
#include <sstream>
#include <type_traits>
#include <unordered_set>

#include "gtest/gtest.h"

namespace flaredb {
namespace {

static_assert(!std::is_convertible_v<uint64_t, Term>, "a number becomes a term by name only");
static_assert(!std::is_convertible_v<Term, uint64_t>, "a term becomes a number by value() only");
static_assert(!std::is_convertible_v<Term, Index>);
static_assert(!std::is_constructible_v<Term, Index>, "a term is not made from an index");
static_assert(sizeof(Index) == sizeof(uint64_t) && std::is_trivially_copyable_v<Index>);

template <typename A, typename B>
concept Comparable = requires(A a, B b) {
  a == b;
};
static_assert(Comparable<Term, Term>);
static_assert(!Comparable<Term, Index>, "ordinals of different meaning do not compare");

TEST(Ordinal, ZeroMeansNone) {
  EXPECT_FALSE(Index());
  EXPECT_EQ(Index().value(), 0u);
  EXPECT_TRUE(Index(1));
}

TEST(Ordinal, StepsAndMeasuresDistance) {
  Index index(7);
  EXPECT_EQ(index.next(), Index(8));
  EXPECT_EQ(index.prev(), Index(6));
  EXPECT_EQ(index + 3, Index(10));
  EXPECT_EQ(index - 3, Index(4));
  EXPECT_EQ(Index(10) - index, 3u);
  EXPECT_EQ(++index, Index(8));
}

TEST(Ordinal, IsOrderedByValueOverTheWholeRange) {
  EXPECT_LT(Term(1), Term(2));
  EXPECT_LT(Term(uint64_t{1} << 63), Term::Max());
  EXPECT_EQ(Term::Max().value(), UINT64_MAX);
}

TEST(Ordinal, PrintsItsValue) {
  std::ostringstream out;
  out << StoreId(42);
  EXPECT_EQ(out.str(), "42");
}

TEST(Ordinal, IsAKeyOfStandardHashContainers) {
  const std::unordered_set<RegionId> regions = {RegionId(1), RegionId(2), RegionId(1)};
  EXPECT_EQ(regions.size(), 2u);
}

}  // namespace
}  // namespace flaredb
