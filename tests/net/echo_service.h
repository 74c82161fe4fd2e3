// SPDX-License-Identifier: Apache-2.0
// The echo service on our own server, and a thread that runs one for a test.
#ifndef FLAREDB_TESTS_NET_ECHO_SERVICE_H_
#define FLAREDB_TESTS_NET_ECHO_SERVICE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "net/event_loop.h"
#include "net/grpc_health.h"
#include "net/grpc_server.h"

namespace flaredb::net {

// Registers flaredb.test.Echo as described in echo.proto, and flaredb.test.Raw/Echo, which returns
// the bytes of the request.
class EchoService {
 public:
  explicit EchoService(GrpcServer* server);

  // Calls whose client went away before the answer; any thread.
  int cancelled() const { return cancelled_; }

 private:
  std::atomic<int> cancelled_{0};
  std::set<std::shared_ptr<UnaryCall>> parked_;  // Never answered.
};

// A server on 127.0.0.1 with echo, health and reflection, in a thread of its own.
class EchoServerThread {
 public:
  explicit EchoServerThread(GrpcServerOptions options = {}, std::string address = "127.0.0.1:0");
  ~EchoServerThread();

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const EchoService& echo() const { return *echo_; }
  // Runs `fn` on the server's thread and waits for it.
  void Run(const std::function<void()>& fn);
  GrpcServerCounters counters();
  HealthService* health() { return health_.get(); }
  GrpcServer* server() { return server_.get(); }

 private:
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<EchoService> echo_;
  std::unique_ptr<HealthService> health_;
  uint16_t port_ = 0;
  bool stop_ = false;  // The server's thread only.
  std::thread thread_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_TESTS_NET_ECHO_SERVICE_H_
