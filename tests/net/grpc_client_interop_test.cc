// SPDX-License-Identifier: Apache-2.0
// A grpc++ server as our client sees it.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "net/grpc_client.h"
#include "net/grpc_sync.h"
#include "net/system_clock.h"
#include "tests/net/echo.grpc.pb.h"

namespace flaredb::net {
namespace {

using test::Echo;
using test::EchoReply;
using test::EchoRequest;

constexpr Duration kPatience = Duration::Seconds(20);

class GrpcppEcho final : public Echo::Service {
 public:
  grpc::Status Unary(grpc::ServerContext* context, const EchoRequest* request,
                     EchoReply* reply) override {
    while (request->never() && !context->IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (context->IsCancelled()) ++cancelled;
    std::this_thread::sleep_for(std::chrono::milliseconds(request->delay_ms()));
    if (request->code() != 0) {
      return grpc::Status(static_cast<grpc::StatusCode>(request->code()), request->message(),
                          request->detail());
    }
    reply->set_payload(request->payload());
    const auto echo = context->client_metadata().find("x-echo-bin");
    if (echo != context->client_metadata().end()) {
      reply->set_payload(std::string(echo->second.data(), echo->second.size()));
    }
    return grpc::Status::OK;
  }
  grpc::Status Chat(grpc::ServerContext*,
                    grpc::ServerReaderWriter<EchoReply, EchoRequest>* stream) override {
    EchoRequest request;
    while (stream->Read(&request)) {
      if (request.code() != 0) {
        return grpc::Status(static_cast<grpc::StatusCode>(request.code()), request.message());
      }
      EchoReply reply;
      reply.set_payload(request.payload());
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }
  std::atomic<int> cancelled{0};
};

class ClientInterop : public testing::Test {
 protected:
  ClientInterop() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(64 << 20);
    server_ = builder.BuildAndStart();
    client_ = GrpcSyncClient::Create("127.0.0.1:" + std::to_string(port_)).value();
  }
  ~ClientInterop() override { server_->Shutdown(std::chrono::system_clock::now()); }

  UnaryResult Call(const EchoRequest& request, Duration timeout = kPatience) {
    return client_->Call("/flaredb.test.Echo/Unary", request.SerializeAsString(), timeout);
  }

  GrpcppEcho service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcSyncClient> client_;
};

std::string PayloadOf(std::string_view bytes) {
  EchoReply reply;
  EXPECT_TRUE(reply.ParseFromString(std::string(bytes)));
  return reply.payload();
}

TEST_F(ClientInterop, UnaryReturnsTheReply) {
  EchoRequest request;
  request.set_payload("hello");
  const UnaryResult result = Call(request);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(PayloadOf(result.message), "hello");
  EXPECT_EQ(result.sent, Sent::kYes);
}

TEST_F(ClientInterop, FailureCarriesMessageAndDetails) {
  EchoRequest request;
  request.set_code(5);
  request.set_message("n\xc3\xa4nu\n100%");
  request.set_detail(std::string("\0\xff bytes", 8));
  const UnaryResult result = Call(request);
  EXPECT_EQ(result.status.code, absl::StatusCode::kNotFound);
  EXPECT_EQ(result.status.message, request.message());
  EXPECT_EQ(result.status.details, request.detail());
  EXPECT_EQ(result.sent, Sent::kYes);
}

TEST_F(ClientInterop, UnknownMethodIsUnimplemented) {
  EXPECT_EQ(client_->Call("/flaredb.test.Echo/Nothing", "", kPatience).status.code,
            absl::StatusCode::kUnimplemented);
}

TEST_F(ClientInterop, MetadataArrives) {
  CallOptions options;
  options.deadline = MonotonicNow() + kPatience;
  options.metadata = {{"x-echo-bin", std::string("\0\x01\xfe", 3)}};
  std::string payload;
  bool done = false;
  client_->channel()->Unary("/flaredb.test.Echo/Unary", "", options, [&](UnaryResult result) {
    payload = PayloadOf(result.message);
    done = true;
  });
  while (!done) client_->loop()->RunOnce(Instant::Max());
  EXPECT_EQ(payload, std::string("\0\x01\xfe", 3));
}

TEST_F(ClientInterop, LargeMessagesPassBothWaysUpToTheLimit) {
  EchoRequest request;
  request.set_payload(std::string((4 << 20) - 16, 'x'));
  UnaryResult result = Call(request);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(PayloadOf(result.message), request.payload());
  request.set_payload(std::string(5 << 20, 'x'));
  result = Call(request);
  EXPECT_EQ(result.status.code, absl::StatusCode::kResourceExhausted) << result.status;
}

TEST_F(ClientInterop, DeadlineEndsTheCallAndTellsTheServer) {
  EchoRequest request;
  request.set_payload("connect first");
  ASSERT_TRUE(Call(request).status.ok());
  request.set_never(true);
  const UnaryResult result = Call(request, Duration::Milliseconds(200));
  EXPECT_EQ(result.status.code, absl::StatusCode::kDeadlineExceeded);
  for (int i = 0; i < 500 && service_.cancelled == 0; ++i) {
    client_->loop()->RunOnce(MonotonicNow() + Duration::Milliseconds(10));
  }
  EXPECT_EQ(service_.cancelled, 1);
}

TEST_F(ClientInterop, ManyInFlightAllReturn) {
  int done = 0;
  CallOptions options;
  options.deadline = MonotonicNow() + kPatience;
  for (int i = 0; i < 2000; ++i) {
    EchoRequest request;
    request.set_payload(std::to_string(i));
    client_->channel()->Unary("/flaredb.test.Echo/Unary", request.SerializeAsString(), options,
                              [&done, i](UnaryResult result) {
                                ++done;
                                EXPECT_TRUE(result.status.ok()) << result.status;
                                EXPECT_EQ(PayloadOf(result.message), std::to_string(i));
                              });
  }
  while (done < 2000) client_->loop()->RunOnce(Instant::Max());
}

struct Collector : ClientStreamReader {
  void OnMessage(std::string_view message) override { payloads.push_back(PayloadOf(message)); }
  void OnClosed(const GrpcStatus& s, Sent) override { closed.emplace(s); }
  std::vector<std::string> payloads;
  std::optional<GrpcStatus> closed;
};

TEST_F(ClientInterop, BidirectionalStreamEchoesInOrder) {
  Collector collector;
  CallOptions options;
  options.deadline = MonotonicNow() + kPatience;
  ClientStream stream =
      client_->channel()->OpenStream("/flaredb.test.Echo/Chat", options, &collector);
  std::vector<std::string> sent;
  for (int i = 0; i < 1000; ++i) {
    EchoRequest request;
    request.set_payload(std::to_string(i));
    sent.push_back(request.payload());
    ASSERT_TRUE(stream.Send(request.SerializeAsString()));
    if (i % 100 == 0) client_->loop()->RunOnce(Instant());
  }
  stream.CloseSend();
  EXPECT_FALSE(stream.Send(""));
  while (!collector.closed.has_value()) client_->loop()->RunOnce(Instant::Max());
  EXPECT_TRUE(collector.closed->ok()) << *collector.closed;
  EXPECT_EQ(collector.payloads, sent);
  EXPECT_FALSE(stream.open());
}

TEST_F(ClientInterop, ServerMayEndAStreamEarly) {
  Collector collector;
  CallOptions options;
  options.deadline = MonotonicNow() + kPatience;
  ClientStream stream =
      client_->channel()->OpenStream("/flaredb.test.Echo/Chat", options, &collector);
  EchoRequest request;
  request.set_code(6);
  request.set_message("enough");
  stream.Send(request.SerializeAsString());
  while (!collector.closed.has_value()) client_->loop()->RunOnce(Instant::Max());
  EXPECT_EQ(collector.closed->code, absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(collector.closed->message, "enough");
}

}  // namespace
}  // namespace flaredb::net
