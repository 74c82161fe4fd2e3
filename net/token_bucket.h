// SPDX-License-Identifier: Apache-2.0
// A budget that refills with time.
#ifndef FLAREDB_NET_TOKEN_BUCKET_H_
#define FLAREDB_NET_TOKEN_BUCKET_H_

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"

namespace flaredb::net {

// Starts with `burst` tokens, gains `per_second` up to `burst`. O(1), integers only.
class TokenBucket {
 public:
  TokenBucket(uint32_t burst, uint32_t per_second, Instant now)
      : burst_(burst), per_second_(per_second), tokens_(burst), refilled_(now) {}

  // Takes one token; false when there is none. `now` must not go back.
  bool Take(Instant now) {
    // A whole refill takes burst / rate seconds; capping there keeps the product small.
    const int64_t elapsed_ms = std::min<int64_t>((now - refilled_).milliseconds(), 86400 * 1000);
    const int64_t gained = elapsed_ms * per_second_ / 1000;
    if (gained > 0) {
      tokens_ = static_cast<uint32_t>(std::min<int64_t>(burst_, tokens_ + gained));
      refilled_ = now;
    }
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

 private:
  uint32_t burst_;
  uint32_t per_second_;
  uint32_t tokens_;
  Instant refilled_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_TOKEN_BUCKET_H_
