// SPDX-License-Identifier: Apache-2.0
// A lock service with fencing tokens, as a replicated state machine: each object is a lock.
//
// A machine has no clock, so leases are split in two. The lock counts how often its holder renewed
// it; whoever has a clock and saw the same count for a lease's time proposes to expire just that.
// The holder may not know yet. But every grant has a larger token than those before it, and what
// the lock protects refuses smaller tokens than it has seen (Burrows 2006, section 2.4, calls them
// sequencers).
#ifndef FLAREDB_EXAMPLES_LOCKS_LOCK_SERVICE_H_
#define FLAREDB_EXAMPLES_LOCKS_LOCK_SERVICE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/region/state_machine.h"

namespace flaredb::examples {

// A lock: what queries are answered with, "held 5 alice 2" or "free 5 alice 0".
struct Lock {
  bool held = false;
  uint64_t token = 0;     // Of the latest grant; 0: there was none.
  std::string owner;      // Who got it, "-" if there was none. A word.
  uint64_t renewals = 0;  // Of this grant; 0 when it is over.
};
std::string Encode(const Lock& lock);
Lock DecodeLock(std::string_view text);

// The commands. Each may come twice, and the second time changes nothing that matters; answers are
// "ok" or "no", then the lock.
//
// Grants the lock with the token `seen_token` + 1, if it is free and no other grant came in
// between. Who asks again with the same token is told again.
std::string Acquire(std::string_view owner, uint64_t seen_token);
// The holder of this grant still needs it.
std::string Renew(std::string_view owner, uint64_t token);
// The holder of this grant does not need it any more.
std::string Release(std::string_view owner, uint64_t token);
// The grant ends, if it has not yet, whoever holds it, unless it was renewed since.
std::string Expire(uint64_t token, uint64_t seen_renewals);

class LockService : public StateMachine {
 public:
  std::string Apply(std::string_view command, MutableObjectRows* rows) const override;
  std::string Query(std::string_view query, const ObjectRows& rows) const override;

 protected:
  // What a command changes; whether it is "ok". Virtual for tests, which plant bugs here.
  virtual bool OnAcquire(const std::string& owner, uint64_t seen_token, Lock* lock) const;
  virtual bool OnRelease(const std::string& owner, uint64_t token, Lock* lock) const;
};

}  // namespace flaredb::examples

#endif  // FLAREDB_EXAMPLES_LOCKS_LOCK_SERVICE_H_
