// SPDX-License-Identifier: Apache-2.0
#include "core/base/time.h"

#include <sstream>
#include <type_traits>

#include "gtest/gtest.h"

namespace flaredb {
namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};
static_assert(!Addable<Instant, Instant>, "the sum of two instants has no meaning");

TEST(Duration, UnitsAgree) {
  EXPECT_EQ(Duration::Seconds(1), Duration::Milliseconds(1000));
  EXPECT_EQ(Duration::Milliseconds(1), Duration::Microseconds(1000));
  EXPECT_EQ(Duration::Microseconds(1), Duration::Nanoseconds(1000));
  EXPECT_EQ(Duration::Seconds(3).nanoseconds(), 3'000'000'000);
}

TEST(Duration, MillisecondsRoundTowardsZero) {
  EXPECT_EQ(Duration::Microseconds(1999).milliseconds(), 1);
  EXPECT_EQ(Duration::Microseconds(-1999).milliseconds(), -1);
}

TEST(Duration, MayBeNegative) {
  EXPECT_EQ(Duration::Seconds(1) - Duration::Seconds(3), Duration::Seconds(-2));
  EXPECT_LT(Duration::Seconds(-2), Duration());
}

TEST(Duration, ScalesByWholeNumbers) {
  EXPECT_EQ(Duration::Milliseconds(150) * 2, Duration::Milliseconds(300));
  EXPECT_EQ(Duration::Milliseconds(150) / 2, Duration::Milliseconds(75));
}

TEST(Instant, MovesByDurationsAndMeasuresDistance) {
  const Instant start = Instant::FromNanoseconds(5);
  const Instant end = start + Duration::Seconds(1);
  EXPECT_EQ(end - start, Duration::Seconds(1));
  EXPECT_EQ(end - Duration::Seconds(1), start);
  EXPECT_LT(start, end);
}

TEST(Instant, MaxIsLaterThanEveryInstantOfAClock) {
  EXPECT_GT(Instant::Max(), Instant::FromNanoseconds(0) + Duration::Seconds(100LL * 365 * 86400));
}

TEST(Time, PrintsNanoseconds) {
  std::ostringstream out;
  out << Instant::FromNanoseconds(12) << " " << Duration::Microseconds(3);
  EXPECT_EQ(out.str(), "12 3000ns");
}

}  // namespace
}  // namespace flaredb
