// SPDX-License-Identifier: Apache-2.0
#include "net/admin/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace flaredb::net {
namespace {

// A client that speaks bytes, and waits for a server for so long.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False when the server takes no more.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  void SendNoMore() { shutdown(fd_, SHUT_WR); }
  // Everything up to the end of the connection; "..." behind it if that does not come.
  std::string ReadAll() {
    std::string all;
    char buffer[65536];
    ssize_t n;
    while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0) all.append(buffer, n);
    return n == 0 ? all : all + "...";
  }

 private:
  const int fd_;
};

class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override {
    loop_->Post([this] { stopping_ = true; });
    thread_.join();
  }
  void Start(HttpLimits limits = {}) {
    server_ = std::make_unique<HttpServer>(
        loop_.get(),
        [](std::string_view path, std::string_view query) -> HttpAnswer {
          if (path == "/large") return {200, "text/plain", std::string(kLarge, 'x')};
          return {200, "text/plain", std::string(path) + " " + std::string(query)};
        },
        limits);
    port_ = server_->Listen("127.0.0.1:0").value();
    thread_ = std::thread([this] {
      while (!stopping_) loop_->RunOnce(Instant::Max());
    });
  }
  std::string Ask(std::string_view request) {
    Client client(port_);
    EXPECT_TRUE(client.Send(request));
    return client.ReadAll();
  }

  // More than the buffers of two sockets.
  static constexpr size_t kLarge = 32 << 20;
  const std::unique_ptr<EventLoop> loop_ = EventLoop::Create().value();
  std::unique_ptr<HttpServer> server_;
  uint16_t port_ = 0;
  bool stopping_ = false;  // The thread's.
  std::thread thread_;
};

TEST_F(HttpServerTest, AGetIsAnsweredAndTheConnectionEnds) {
  Start();
  EXPECT_EQ(Ask("GET /page?with=query HTTP/1.1\r\nHost: a\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n"
            "Connection: close\r\n\r\n/page with=query");
  EXPECT_TRUE(Ask("HEAD /page HTTP/1.0\r\n\r\n").ends_with("Connection: close\r\n\r\n"));
}

TEST_F(HttpServerTest, AnythingElseIsRefused) {
  Start();
  // The answer is read although the body never was.
  const std::string post =
      Ask("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n" + std::string(9, 'x'));
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << post;
  EXPECT_NE(post.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos) << post;
  EXPECT_EQ(post.find("..."), std::string::npos) << post;
  for (const char* nonsense : {"\r\n\r\n", "GET\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET /\r\n\r\n",
                               "GET / HTTP/2\r\n\r\n", "\x16\x03\x01\r\n\r\n"}) {
    EXPECT_TRUE(Ask(nonsense).starts_with("HTTP/1.1 400 Bad Request\r\n")) << nonsense;
  }
}

TEST_F(HttpServerTest, HeadersThatDoNotEndAreCutOff) {
  Start();
  for (const std::string& piece : {std::string("X: y\r\n"), std::string(1000, 'x')}) {
    Client client(port_);
    std::string headers = "GET / HTTP/1.1\r\nX: ";
    while (headers.size() < 20000) headers += piece;
    client.Send(headers);
    EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 431 ")) << piece;
  }
}

TEST_F(HttpServerTest, AConnectionLastsNoLongerThanThePatience) {
  Start({.patience = Duration::Milliseconds(300)});
  Client silent(port_);
  Client half(port_);
  half.Send("GET / HTT");
  Client does_not_read(port_);
  does_not_read.Send("GET /large HTTP/1.1\r\n\r\n");
  Client never_ends(port_);
  never_ends.Send("GET / HTTP/1.1\r\n\r\n");
  while (never_ends.Send(std::string(65536, 'x'))) {
  }
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(half.ReadAll(), "");
  EXPECT_LT(does_not_read.ReadAll().size(), kLarge);
}

TEST_F(HttpServerTest, OneTooManyEndsTheOldest) {
  Start({.connections = 2, .patience = Duration::Seconds(100)});
  Client first(port_);
  Client second(port_);
  EXPECT_EQ(Ask("GET /served HTTP/1.1\r\n\r\n").substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(first.ReadAll(), "");
  second.Send("GET /too HTTP/1.1\r\n\r\n");
  EXPECT_EQ(second.ReadAll().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(HttpServerTest, WhoSendsNoMoreGetsTheWholeAnswer) {
  Start();
  Client client(port_);
  client.Send("GET /large HTTP/1.1\r\n\r\n");
  client.SendNoMore();
  const std::string answer = client.ReadAll();
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, kLarge);
}

}  // namespace
}  // namespace flaredb::net
