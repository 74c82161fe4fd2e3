// SPDX-License-Identifier: Apache-2.0
#include "net/system_clock.h"

#include <time.h>

namespace flaredb::net {

Instant MonotonicNow() {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return Instant::FromNanoseconds(int64_t{t.tv_sec} * 1000000000 + t.tv_nsec);
}

}  // namespace flaredb::net
