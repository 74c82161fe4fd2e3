// SPDX-License-Identifier: Apache-2.0
// Our client against our server, and against nobody.
#include "net/grpc_client.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"
#include "net/grpc_sync.h"
#include "net/system_clock.h"
#include "tests/net/echo.pb.h"
#include "tests/net/echo_service.h"

namespace flaredb::net {
namespace {

using test::EchoReply;
using test::EchoRequest;
using testing::HasSubstr;

constexpr char kUnary[] = "/flaredb.test.Echo/Unary";
constexpr char kChat[] = "/flaredb.test.Echo/Chat";
constexpr Duration kPatience = Duration::Seconds(20);

// A listening socket that never accepts, so that its owner may do with connections as it likes.
class BareListener {
 public:
  BareListener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd_, 10), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~BareListener() { close(fd_); }
  int Accept() const { return accept(fd_, nullptr, nullptr); }
  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_;
  uint16_t port_ = 0;
};

std::string Request(const std::string& payload, uint32_t delay_ms = 0) {
  EchoRequest request;
  request.set_payload(payload);
  request.set_delay_ms(delay_ms);
  return request.SerializeAsString();
}

class ClientTest : public testing::Test {
 protected:
  GrpcChannel* Channel(const std::string& address, GrpcChannelOptions options = {}) {
    channels_.push_back(std::make_unique<GrpcChannel>(loop_.get(), address, options));
    return channels_.back().get();
  }
  static CallOptions WithTimeout(Duration timeout, bool wait_for_ready = false) {
    CallOptions options;
    options.deadline = MonotonicNow() + timeout;
    options.wait_for_ready = wait_for_ready;
    return options;
  }
  UnaryResult Call(GrpcChannel* channel, const std::string& request, const CallOptions& options) {
    std::optional<UnaryResult> result;
    channel->Unary(kUnary, request, options, [&](UnaryResult r) { result = std::move(r); });
    while (!result.has_value()) loop_->RunOnce(Instant::Max());
    return *std::move(result);
  }
  void RunFor(Duration span) {
    const Instant end = MonotonicNow() + span;
    while (MonotonicNow() < end) loop_->RunOnce(end);
  }

  std::unique_ptr<EventLoop> loop_ = EventLoop::Create().value();
  std::vector<std::unique_ptr<GrpcChannel>> channels_;
};

TEST_F(ClientTest, ConnectsByNameToo) {
  // A container without /etc/hosts knows no name at all.
  if (!ResolveBlocking({"localhost", 1}).ok()) GTEST_SKIP() << "localhost has no address here";
  EchoServerThread server;
  GrpcChannel* channel = Channel("localhost:" + std::to_string(server.port()));
  EXPECT_TRUE(Call(channel, Request("a"), WithTimeout(kPatience)).status.ok());
  EXPECT_TRUE(channel->connected());
}

TEST_F(ClientTest, NobodyListeningIsUnavailableAndNotSent) {
  const std::string address = BareListener().address();
  GrpcChannel* channel = Channel(address);
  for (int i = 0; i < 2; ++i) {  // The second call meets the pause after the first.
    const UnaryResult result = Call(channel, "", WithTimeout(kPatience));
    EXPECT_EQ(result.status.code, absl::StatusCode::kUnavailable);
    EXPECT_EQ(result.sent, Sent::kNo);
    EXPECT_THAT(result.status.message, HasSubstr("cannot connect to " + address));
    EXPECT_THAT(result.status.message, HasSubstr("Connection refused"));
    EXPECT_THAT(result.status.message, HasSubstr("the request was not processed"));
  }
}

TEST_F(ClientTest, BadAddressIsOneClearSentence) {
  for (const char* address :
       {"", "localhost", "localhost:", ":1", "localhost:99999", "::1:80", "a:b"}) {
    const UnaryResult result = Call(Channel(address), "", WithTimeout(kPatience));
    EXPECT_EQ(result.status.code, absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(result.status.message, HasSubstr("host:port")) << address;
  }
}

TEST_F(ClientTest, SilentServerIsUnavailableAfterTheConnectTimeout) {
  const BareListener listener;
  GrpcChannelOptions options;
  options.connect_timeout = Duration::Milliseconds(100);
  const UnaryResult result = Call(Channel(listener.address(), options), "", WithTimeout(kPatience));
  EXPECT_EQ(result.status.code, absl::StatusCode::kUnavailable) << result.status;
  EXPECT_EQ(result.sent, Sent::kNo);
}

TEST_F(ClientTest, WaitForReadySurvivesUntilTheServerComes) {
  auto listener = std::make_unique<BareListener>();
  const uint16_t port = listener->port();
  const std::string address = listener->address();
  listener.reset();
  GrpcChannel* channel = Channel(address);
  std::optional<UnaryResult> result;
  channel->Unary(kUnary, Request("late"), WithTimeout(kPatience, /*wait_for_ready=*/true),
                 [&](UnaryResult r) { result = std::move(r); });
  RunFor(Duration::Milliseconds(150));
  EXPECT_FALSE(result.has_value());
  EchoServerThread server(GrpcServerOptions(), "127.0.0.1:" + std::to_string(port));
  while (!result.has_value()) loop_->RunOnce(Instant::Max());
  EXPECT_TRUE(result->status.ok()) << result->status;
}

TEST_F(ClientTest, LostConnectionTellsThatTheOutcomeIsUnknownAndTheNextCallReconnects) {
  auto server = std::make_unique<EchoServerThread>();
  const uint16_t port = server->port();
  GrpcChannel* channel = Channel(server->address());
  ASSERT_TRUE(Call(channel, Request("a"), WithTimeout(kPatience)).status.ok());
  std::optional<UnaryResult> result;
  channel->Unary(kUnary, Request("b", 60000), WithTimeout(kPatience),
                 [&](UnaryResult r) { result = std::move(r); });
  while (server->counters().calls_now == 0) loop_->RunOnce(MonotonicNow());
  server.reset();
  while (!result.has_value()) loop_->RunOnce(Instant::Max());
  EXPECT_EQ(result->status.code, absl::StatusCode::kUnavailable) << result->status;
  EXPECT_EQ(result->sent, Sent::kMaybe);
  EXPECT_THAT(result->status.message, HasSubstr("the request had been sent"));
  EchoServerThread again(GrpcServerOptions(), "127.0.0.1:" + std::to_string(port));
  EXPECT_TRUE(Call(channel, Request("c"), WithTimeout(kPatience, true)).status.ok());
}

TEST_F(ClientTest, CallsBeyondTheServersLimitOfStreamsWaitInOrder) {
  GrpcServerOptions options;
  options.http2.max_concurrent_streams = 2;
  EchoServerThread server(options);
  GrpcChannel* channel = Channel(server.address());
  std::vector<int> order;
  for (int i = 0; i < 50; ++i) {
    channel->Unary(kUnary, Request("x"), WithTimeout(kPatience), [&, i](UnaryResult result) {
      EXPECT_TRUE(result.status.ok()) << result.status;
      order.push_back(i);
    });
  }
  while (order.size() < 50) loop_->RunOnce(Instant::Max());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(ClientTest, QueueOfWaitingCallsIsBounded) {
  const BareListener listener;
  GrpcChannelOptions options;
  options.max_queued_calls = 3;
  GrpcChannel* channel = Channel(listener.address(), options);
  int refused = 0;
  for (int i = 0; i < 5; ++i) {
    channel->Unary(kUnary, "", WithTimeout(kPatience), [&](UnaryResult result) {
      EXPECT_EQ(result.status.code, absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(result.sent, Sent::kNo);
      ++refused;
    });
  }
  EXPECT_EQ(refused, 0);  // Never from inside the call.
  while (refused < 2) loop_->RunOnce(Instant::Max());
}

TEST_F(ClientTest, CancelledCallsAreNotReportedAndReachTheServer) {
  EchoServerThread server;
  GrpcChannel* channel = Channel(server.address());
  ASSERT_TRUE(Call(channel, Request("a"), WithTimeout(kPatience)).status.ok());
  const ClientCallId id = channel->Unary(kUnary, Request("b", 60000), WithTimeout(kPatience),
                                         [](UnaryResult) { FAIL() << "reported"; });
  while (server.counters().calls_now == 0) loop_->RunOnce(MonotonicNow());
  channel->Cancel(id);
  while (server.echo().cancelled() == 0) loop_->RunOnce(MonotonicNow());
  EXPECT_TRUE(Call(channel, Request("c"), WithTimeout(kPatience)).status.ok());
}

TEST_F(ClientTest, DeadlineWhileConnectingIsNotSent) {
  const BareListener listener;
  const UnaryResult result =
      Call(Channel(listener.address()), "", WithTimeout(Duration::Milliseconds(50)));
  EXPECT_EQ(result.status.code, absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(result.sent, Sent::kNo);
}

TEST_F(ClientTest, WithAHeadStartTheServerSaysThatTheTimeIsOver) {
  EchoServerThread server;
  CallOptions options = WithTimeout(kPatience);
  options.head_start = kPatience - Duration::Milliseconds(100);
  const Instant begun = MonotonicNow();
  const UnaryResult result = Call(Channel(server.address()), Request("a", 60000), options);
  EXPECT_EQ(result.status.code, absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(result.sent, Sent::kYes);
  EXPECT_THAT(result.status.message, HasSubstr("before the server had an answer"));
  EXPECT_LT(MonotonicNow() - begun, kPatience / 2);
}

TEST_F(ClientTest, WhatAServerAnswersInATurnThatIsLateComesBeforeTheDeadline) {
  const std::unique_ptr<EventLoop> servers = EventLoop::Create().value();
  GrpcServer server(servers.get(), {});
  std::optional<UnaryCall> open;
  server.RegisterUnary("/t.T/Unary",
                       [&](UnaryCall call, std::string_view) { open = std::move(call); });
  const std::string address = "127.0.0.1:" + std::to_string(server.Listen("127.0.0.1:0").value());
  std::optional<UnaryResult> result;
  Channel(address)->Unary("/t.T/Unary", "", WithTimeout(Duration::Milliseconds(500)),
                          [&](UnaryResult r) { result = std::move(r); });
  while (!open.has_value()) {
    loop_->RunOnce(MonotonicNow());
    servers->RunOnce(MonotonicNow());
  }
  servers->SetTurn([&](Instant now) {
    if (open.has_value() && now >= open->deadline() - Duration::Milliseconds(20)) {
      open->Reply("in time");
      open.reset();
    }
  });
  while (MonotonicNow() < open->deadline() + Duration::Milliseconds(5)) {}
  servers->RunOnce(MonotonicNow());
  while (!result.has_value()) loop_->RunOnce(Instant::Max());
  EXPECT_TRUE(result->status.ok()) << result->status;
  EXPECT_EQ(result->message, "in time");
}

TEST_F(ClientTest, DrainedServerRefusesNothingThatItTook) {
  EchoServerThread server;
  GrpcChannel* channel = Channel(server.address());
  int done = 0;
  for (int i = 0; i < 100; ++i) {
    channel->Unary(kUnary, Request("x", 50), WithTimeout(kPatience), [&](UnaryResult result) {
      EXPECT_TRUE(result.status.ok()) << result.status;
      ++done;
    });
  }
  while (server.counters().calls_now < 100) loop_->RunOnce(MonotonicNow());
  server.Run([&] { server.server()->Drain([] {}); });
  while (done < 100) loop_->RunOnce(Instant::Max());
  while (channel->connected()) loop_->RunOnce(Instant::Max());
}

struct Collector : ClientStreamReader {
  void OnMessage(std::string_view message) override { bytes += message.size(); }
  void OnClosed(const GrpcStatus& s, Sent how) override {
    closed.emplace(s);
    sent = how;
  }
  size_t bytes = 0;
  std::optional<GrpcStatus> closed;
  Sent sent = Sent::kYes;
};

// Both sides send as much as they can: nobody may wait for the other to read first.
TEST_F(ClientTest, StreamsMegabytesBothWaysAtOnce) {
  EchoServerThread server;
  Collector collector;
  ClientStream stream =
      Channel(server.address())->OpenStream(kChat, WithTimeout(kPatience), &collector);
  const std::string request = Request(std::string(100000, 'x'));
  size_t sent = 0;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(stream.Send(request));
    sent += 100000;
    while (stream.unsent_bytes() > (8 << 20)) loop_->RunOnce(Instant::Max());
  }
  stream.CloseSend();
  while (!collector.closed.has_value()) loop_->RunOnce(Instant::Max());
  EXPECT_TRUE(collector.closed->ok()) << *collector.closed;
  EXPECT_GE(collector.bytes, sent);
}

TEST_F(ClientTest, StreamToNobodyClosesNotSent) {
  const std::string address = BareListener().address();
  Collector collector;
  ClientStream stream = Channel(address)->OpenStream(kChat, WithTimeout(kPatience), &collector);
  EXPECT_TRUE(stream.Send("early"));
  while (!collector.closed.has_value()) loop_->RunOnce(Instant::Max());
  EXPECT_EQ(collector.closed->code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(collector.sent, Sent::kNo);
  EXPECT_FALSE(stream.Send("late"));
}

TEST_F(ClientTest, DestroyedStreamReachesTheServer) {
  EchoServerThread server;
  Collector collector;
  {
    ClientStream stream =
        Channel(server.address())->OpenStream(kChat, WithTimeout(kPatience), &collector);
    stream.Send(Request("x"));
    while (collector.bytes == 0) loop_->RunOnce(Instant::Max());
    EXPECT_EQ(server.counters().calls_now, 1u);
  }
  while (server.counters().calls_now == 1) loop_->RunOnce(MonotonicNow());
  EXPECT_FALSE(collector.closed.has_value());
}

// What answers is no HTTP/2 server: it says something else, or nothing and hangs up.
TEST_F(ClientTest, ForeignServersAreUnavailableNotSent) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string()}) {
    const BareListener listener;
    GrpcChannel* channel = Channel(listener.address());
    std::optional<UnaryResult> result;
    channel->Unary(kUnary, "", WithTimeout(kPatience),
                   [&](UnaryResult r) { result = std::move(r); });
    loop_->RunOnce(Instant::Max());
    const int fd = listener.Accept();
    ASSERT_EQ(send(fd, answer.data(), answer.size(), 0), static_cast<ssize_t>(answer.size()));
    close(fd);
    while (!result.has_value()) loop_->RunOnce(Instant::Max());
    EXPECT_EQ(result->status.code, absl::StatusCode::kUnavailable) << result->status;
    EXPECT_EQ(result->sent, Sent::kNo);
  }
}

}  // namespace
}  // namespace flaredb::net
