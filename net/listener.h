// SPDX-License-Identifier: Apache-2.0
// Accepts TCP connections, also when the process has run out of descriptors.
#ifndef FLAREDB_NET_LISTENER_H_
#define FLAREDB_NET_LISTENER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/event_loop.h"

namespace flaredb::net {

struct ListenerOptions {
  // Connections open at a time through one server. For another one the connection goes that has
  // had no call for longest; where all have one, the newest is closed as soon as accepted.
  size_t max_connections = 10000;
  // The same for connections of one IP address.
  size_t max_connections_per_address = 10000;
  int backlog = 1024;
  // Pause after an accept that failed for lack of descriptors or memory.
  Duration accept_backoff = Duration::Milliseconds(100);
};

// Out of descriptors, a listening socket stays readable and accept() keeps failing: the usual loop
// spins or gives up. This one holds a spare descriptor: it closes the spare, accepts, closes the
// connection so that the client learns of it, takes the spare back, and pauses.
class Listener : private FdHandler {
 public:
  // Takes a connected, non-blocking socket with TCP_NODELAY; `peer` is "127.0.0.1:40312".
  using OnAccept = std::function<void(int fd, std::string peer)>;

  // Binds and listens. `address` as in GrpcServer::Listen. One clear sentence on failure.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(EventLoop* loop, std::string_view address,
                                                          ListenerOptions options,
                                                          OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The port that is listened on, also when 0 was asked for.
  uint16_t port() const { return port_; }

 private:
  Listener(EventLoop* loop, int fd, uint16_t port, ListenerOptions options, OnAccept on_accept);
  void OnReady(Readiness ready) override;
  void RefuseOneAndPause();

  EventLoop* const loop_;
  const int fd_;
  const uint16_t port_;
  const ListenerOptions options_;
  const OnAccept on_accept_;
  int spare_fd_;
  EventLoop::WatchId watch_ = 0;
  EventLoop::TimerId resume_{};
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_LISTENER_H_
