// SPDX-License-Identifier: Apache-2.0
// One attempt to connect to an address, without blocking the loop.
#ifndef FLAREDB_NET_CONNECTOR_H_
#define FLAREDB_NET_CONNECTOR_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/address.h"
#include "net/event_loop.h"

namespace flaredb::net {

// Resolves (names in a thread of their own), then tries the addresses one after the other.
// Destroying it abandons the attempt.
class Connector : private FdHandler {
 public:
  // `done` gets a connected, non-blocking socket with TCP_NODELAY, which it owns, or the reason of
  // the last failure. Called once, on the loop's thread, never from inside the constructor. It may
  // destroy the connector.
  using Done = std::function<void(absl::StatusOr<int> fd)>;

  Connector(EventLoop* loop, const HostPort& address, Duration timeout, Done done);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

 private:
  void Resolve(const HostPort& address);
  void OnResolved(absl::StatusOr<std::vector<SocketAddress>> addresses);
  void TryNext();
  void OnReady(Readiness ready) override;
  void DropSocket();
  void Finish(absl::StatusOr<int> result);

  EventLoop* const loop_;
  const Done done_;
  std::vector<SocketAddress> addresses_;
  size_t next_ = 0;
  absl::Status last_error_;
  int fd_ = -1;
  EventLoop::WatchId watch_ = 0;
  EventLoop::TimerId timer_;
  // What other threads and deferred functions hold weakly instead of `this`.
  const std::shared_ptr<Connector*> self_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_CONNECTOR_H_
