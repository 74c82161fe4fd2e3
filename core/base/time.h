// SPDX-License-Identifier: Apache-2.0
// Points and spans of monotonic time. There is no Now(): time enters as an argument.
#ifndef FLAREDB_CORE_BASE_TIME_H_
#define FLAREDB_CORE_BASE_TIME_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>

namespace flaredb {

// A span of time in nanoseconds; may be negative.
class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration Nanoseconds(int64_t n) { return Duration(n); }
  static constexpr Duration Microseconds(int64_t n) { return Duration(n * 1000); }
  static constexpr Duration Milliseconds(int64_t n) { return Duration(n * 1000000); }
  static constexpr Duration Seconds(int64_t n) { return Duration(n * 1000000000); }

  // Longer than every span that passes: "never" as a timeout. Not to be added to anything.
  static constexpr Duration Max() { return Duration(std::numeric_limits<int64_t>::max()); }

  constexpr int64_t nanoseconds() const { return ns_; }
  constexpr int64_t milliseconds() const { return ns_ / 1000000; }  // Rounded towards zero.

  friend constexpr Duration operator+(Duration a, Duration b) { return Duration(a.ns_ + b.ns_); }
  friend constexpr Duration operator-(Duration a, Duration b) { return Duration(a.ns_ - b.ns_); }
  friend constexpr Duration operator*(Duration a, int64_t n) { return Duration(a.ns_ * n); }
  friend constexpr Duration operator/(Duration a, int64_t n) { return Duration(a.ns_ / n); }
  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend std::ostream& operator<<(std::ostream& out, Duration d) { return out << d.ns_ << "ns"; }

 private:
  explicit constexpr Duration(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

// A point on one store's monotonic clock, in nanoseconds since an origin of the clock's own.
// Instants of different stores do not compare. Never negative.
class Instant {
 public:
  constexpr Instant() = default;
  static constexpr Instant FromNanoseconds(int64_t ns) { return Instant(ns); }
  // Later than every instant a clock returns: "never" as a deadline.
  static constexpr Instant Max() { return Instant(std::numeric_limits<int64_t>::max()); }

  constexpr int64_t nanoseconds() const { return ns_; }

  friend constexpr Instant operator+(Instant t, Duration d) {
    return Instant(t.ns_ + d.nanoseconds());
  }
  friend constexpr Instant operator-(Instant t, Duration d) {
    return Instant(t.ns_ - d.nanoseconds());
  }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return Duration::Nanoseconds(a.ns_ - b.ns_);
  }
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend std::ostream& operator<<(std::ostream& out, Instant t) { return out << t.ns_; }

 private:
  explicit constexpr Instant(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_TIME_H_
