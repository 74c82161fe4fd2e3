// SPDX-License-Identifier: Apache-2.0
// The echo server as a program: prints its port, serves until SIGINT or SIGTERM.
#include <signal.h>
#include <stdio.h>

#include "net/event_loop.h"
#include "net/grpc_health.h"
#include "net/grpc_reflection.h"
#include "net/grpc_server.h"
#include "net/signals.h"
#include "tests/net/echo_service.h"

int main() {
  using namespace flaredb;
  using namespace flaredb::net;
  auto loop = EventLoop::Create();
  if (!loop.ok()) {
    fprintf(stderr, "%s\n", loop.status().ToString().c_str());
    return 1;
  }
  bool stop = false;
  auto signals = SignalWatcher::Create(loop->get(), {SIGINT, SIGTERM}, [&](int) { stop = true; });
  GrpcServer server(loop->get(), GrpcServerOptions());
  EchoService echo(&server);
  HealthService health(&server);
  RegisterReflection(&server);
  const auto port = server.Listen("127.0.0.1:0");
  if (!signals.ok() || !port.ok()) {
    fprintf(stderr, "%s\n", (port.ok() ? signals.status() : port.status()).ToString().c_str());
    return 1;
  }
  health.SetServing("", true);
  health.SetServing("flaredb.test.Echo", true);
  printf("%d\n", *port);
  fflush(stdout);
  while (!stop) (*loop)->RunOnce(Instant::Max());
  return 0;
}
