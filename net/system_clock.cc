// SPDX-License-Identifier: Apache-2.0
#include "net/system_clock.h"

#include <time.h>

#include <algorithm>

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

uint64_t UnixMsAt(Instant at) {
  const int64_t ago_ms = (MonotonicNow() - at).milliseconds();
  return static_cast<uint64_t>(std::max<int64_t>(static_cast<int64_t>(UnixMsNow()) - ago_ms, 0));
}

}  // namespace flaredb::net
