// SPDX-License-Identifier: Apache-2.0
#include "net/system_clock.h"

#include <time.h>

namespace flaredb::net {

Instant MonotonicNow() {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return Instant::FromNanoseconds(int64_t{t.tv_sec} * 1000000000 + t.tv_nsec);
}

uint64_t UnixMsNow() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (t.tv_sec < 0) return 0;
  return static_cast<uint64_t>(t.tv_sec) * 1000 + static_cast<uint64_t>(t.tv_nsec) / 1000000;
}

}  // namespace flaredb::net
