// SPDX-License-Identifier: Apache-2.0
// The one caller of the operating system's clock.
#ifndef FLAREDB_NET_SYSTEM_CLOCK_H_
#define FLAREDB_NET_SYSTEM_CLOCK_H_

#include <cstdint>

#include "core/base/time.h"

namespace flaredb::net {

// Reads CLOCK_BOOTTIME: never goes back, goes on while the machine sleeps (a lease must not outlive
// a sleep), counts from an origin that differs from boot to boot. Thread-safe, about 20 ns.
Instant MonotonicNow();

// Reads CLOCK_REALTIME: milliseconds since 1970. It may jump, also back, when somebody sets it; 0
// while it stands before 1970. Thread-safe.
uint64_t UnixMsNow();
// What that was when MonotonicNow() was `at`, a moment ago: for who compares both, and has read the
// one before much work and the other after it.
uint64_t UnixMsAt(Instant at);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SYSTEM_CLOCK_H_
