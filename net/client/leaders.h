// SPDX-License-Identifier: Apache-2.0
// Who leads where, as stores tell that pass calls on.
#ifndef FLAREDB_NET_CLIENT_LEADERS_H_
#define FLAREDB_NET_CLIENT_LEADERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace flaredb::client {

// What a call is about: the first of its keys. Borrowed.
struct Place {
  std::string_view ns;  // As the request has it.
  std::string_view key;
};

// Guesses, which cost a hop where they are wrong, since any store serves any call. A region is told
// without its bounds; they show by themselves: a key is taken to lie where the next one below it
// does that was told of. So this grows with the number of regions, not of keys. Thread-safe.
class Leaders {
 public:
  // A leader out of reach from here, behind a translation of addresses perhaps, is told of with
  // every answer. To try each time would cost far more than the hop.
  static constexpr Duration kAvoided = Duration::Seconds(30);

  // "host:port"; empty: ask any store.
  std::string Find(const Place& place) const;
  // `address` leads `region`, which holds `place`.
  void Learn(const Place& place, uint64_t region, const std::string& address, Instant now);
  // The store at `address` did not do what a leader does.
  void Forget(const std::string& address);
  // As Forget, and for a while it is not believed to lead anything: it did not answer.
  void Avoid(const std::string& address, Instant now);

 private:
  uint64_t RegionAt(const Place& place) const;  // 0: nobody told.
  void ForgetLocked(const std::string& address);

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::map<uint64_t, std::string> leaders_;  // By region.
  // Namespace -> key -> the region of all keys from here to the next one.
  std::map<std::string, std::map<std::string, uint64_t, std::less<>>, std::less<>> regions_;
  std::map<std::string, Instant> avoided_until_;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_LEADERS_H_
