// SPDX-License-Identifier: Apache-2.0
// Which store a call asks first, and which next.
#ifndef FLAREDB_NET_CLIENT_ENDPOINTS_H_
#define FLAREDB_NET_CLIENT_ENDPOINTS_H_

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace flaredb::client {

// The stores that a client knows, and the one that served it last: the leader, if a store told who
// leads. Thread-safe.
class Endpoints {
 public:
  // `addresses` is not empty.
  explicit Endpoints(std::vector<std::string> addresses);

  const std::vector<std::string>& addresses() const { return addresses_; }
  // The store that served last; the first address until one did. Not always among addresses().
  std::string Preferred() const;
  // The store at `address` did what it was asked.
  void Prefer(const std::string& address);

 private:
  const std::vector<std::string> addresses_;
  mutable std::mutex mutex_;
  std::string preferred_;  // Guarded by mutex_.
};

// The way of one call along the stores. A store that says who leads is followed, but not twice to
// the same address: what it names may be out of reach from here, and any store passes calls on.
class Route {
 public:
  // Begins with `leader`, or with the preferred store if that is empty. `endpoints` outlives the
  // route.
  explicit Route(const Endpoints* endpoints, const std::string& leader = "");

  const std::string& address() const { return address_; }
  // On to the next store. `leader_address`: what the one just asked said; empty when it said
  // nothing.
  void Advance(const std::string& leader_address);

 private:
  const Endpoints* const endpoints_;
  std::string address_;
  size_t next_;  // In endpoints_->addresses(), unless a leader is named.
  std::string followed_;
};

}  // namespace flaredb::client

#endif  // FLAREDB_NET_CLIENT_ENDPOINTS_H_
