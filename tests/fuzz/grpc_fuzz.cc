// SPDX-License-Identifier: Apache-2.0
// A client that sends any bytes to the gRPC server, over a socket as in production: an own loop and
// an own server for every input, both ends in one thread, no waiting. Whatever comes, the server is
// rid of the client when the client is gone. The first byte says in pieces of how many bytes the
// rest arrives; 0: at once.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "net/event_loop.h"
#include "net/grpc_health.h"
#include "net/grpc_reflection.h"
#include "net/grpc_server.h"
#include "tests/fuzz/fuzz.h"

namespace flaredb::net {
namespace {

// More iterations than a client of a few kilobytes is worth.
constexpr int kIterationsMax = 10000;

// Answers every message with itself, and ends when the client does.
class EchoReader : public StreamReader {
 public:
  explicit EchoReader(ServerStream stream) : stream_(std::move(stream)) {}
  void OnMessage(std::string_view message) override { stream_.Send(message); }
  void OnHalfClose() override { stream_.Finish(GrpcStatus()); }

 private:
  ServerStream stream_;
};

// The client's end of a connection.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    // The end is a reset, which leaves nothing behind: there are thousands a second.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      FailFuzzing("the server takes no connection");
    }
    fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // How much of `bytes` the socket took.
  size_t Send(std::string_view bytes) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  void SendEnd() { shutdown(fd_, SHUT_WR); }
  // Reads all there is and forgets it. False: the server has closed.
  bool Read() {
    char buffer[4096];
    ssize_t n;
    while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0) {
    }
    return n < 0 && errno == EAGAIN;
  }

 private:
  const int fd_;
};

void Serve(std::string_view bytes, size_t piece) {
  const std::unique_ptr<EventLoop> loop = EventLoop::Create().value();
  GrpcServer server(loop.get(), GrpcServerOptions());
  server.RegisterUnary("/a/U",
                       [](UnaryCall call, std::string_view request) { call.Reply(request); });
  server.RegisterStream(
      "/a/S", [](ServerStream stream) { return std::make_unique<EchoReader>(std::move(stream)); });
  HealthService health(&server);
  health.SetServing("", true);
  RegisterReflection(&server);
  Client client(server.Listen("127.0.0.1:0").value());

  bool served = true;
  for (int i = 0; i < kIterationsMax && served; ++i) {
    if (!bytes.empty()) bytes.remove_prefix(client.Send(bytes.substr(0, piece)));
    if (bytes.empty()) client.SendEnd();
    loop->RunOnce(Instant());
    served = client.Read();
  }
  const GrpcServerCounters& counters = server.counters();
  if (served || counters.connections_now != 0)
    FailFuzzing("the server keeps a client that is gone");
  if (counters.calls_now != 0) FailFuzzing("a call outlives its connection");
}

}  // namespace
}  // namespace flaredb::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  flaredb::net::Serve(bytes, data[0] == 0 ? bytes.size() : data[0]);
  return 0;
}
