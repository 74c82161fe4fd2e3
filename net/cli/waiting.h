// SPDX-License-Identifier: Apache-2.0
// A command that waits for the cluster, and says what for.
#ifndef FLAREDB_NET_CLI_WAITING_H_
#define FLAREDB_NET_CLI_WAITING_H_

#include <string>

#include "core/base/time.h"

namespace flaredb::net {

class Waiting {
 public:
  // `seconds` from now on; 0: not at all.
  explicit Waiting(double seconds);

  // Whether to look again, a moment later; false when the time is over. Tells `what` is waited for,
  // a sentence, on standard error, unless that was the last one told, or it is too early to bother
  // anybody.
  bool Again(const std::string& what);

 private:
  const Instant quiet_until_;
  const Instant until_;
  std::string told_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CLI_WAITING_H_
