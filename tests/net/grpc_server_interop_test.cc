// SPDX-License-Identifier: Apache-2.0
// Our server as grpc++ clients see it.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "net/grpc_status.h"
#include "tests/net/echo.grpc.pb.h"
#include "tests/net/echo_service.h"

namespace flaredb::net {
namespace {

using test::Echo;
using test::EchoReply;
using test::EchoRequest;

constexpr auto kPatience = std::chrono::seconds(20);

class ServerInterop : public testing::Test {
 protected:
  static std::shared_ptr<grpc::Channel> Connect(const EchoServerThread& server) {
    grpc::ChannelArguments args;
    args.SetMaxReceiveMessageSize(64 << 20);
    args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server.address(), grpc::InsecureChannelCredentials(), args);
  }
  static void Prepare(grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() + kPatience);
    context->set_wait_for_ready(true);
  }
  grpc::Status Unary(const EchoRequest& request, EchoReply* reply) {
    grpc::ClientContext context;
    Prepare(&context);
    return stub_->Unary(&context, request, reply);
  }
  // Waits for something that the server does without telling.
  template <typename Condition>
  static bool Eventually(Condition condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  EchoServerThread server_;
  std::unique_ptr<Echo::Stub> stub_ = Echo::NewStub(Connect(server_));
};

TEST_F(ServerInterop, UnaryReturnsTheReply) {
  EchoRequest request;
  EchoReply reply;
  for (const std::string& payload : {std::string(), std::string("a"), std::string("\0\xff", 2)}) {
    request.set_payload(payload);
    const grpc::Status status = Unary(request, &reply);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(reply.payload(), payload);
  }
}

TEST_F(ServerInterop, UnaryFailureCarriesMessageAndDetails) {
  EchoRequest request;
  request.set_code(9);
  request.set_message("n\xc3\xa4nu\n100%");
  request.set_detail("why");
  EchoReply reply;
  const grpc::Status status = Unary(request, &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), request.message());
  GrpcStatus seen(absl::StatusCode::kFailedPrecondition, "", status.error_details());
  const auto detail = FindDetail(seen, "flaredb.test.EchoReply");
  ASSERT_TRUE(detail.has_value());
  ASSERT_TRUE(reply.ParseFromString(*detail));
  EXPECT_EQ(reply.payload(), "why");
}

TEST_F(ServerInterop, EveryStatusCodeArrives) {
  for (int code = 1; code <= 16; ++code) {
    EchoRequest request;
    request.set_code(static_cast<uint32_t>(code));
    EchoReply reply;
    EXPECT_EQ(Unary(request, &reply).error_code(), code);
  }
}

TEST_F(ServerInterop, MetadataArrivesDecoded) {
  grpc::ClientContext context;
  Prepare(&context);
  context.AddMetadata("x-echo-bin", std::string("\0\x01\xfe", 3));
  EchoReply reply;
  ASSERT_TRUE(stub_->Unary(&context, EchoRequest(), &reply).ok());
  EXPECT_EQ(reply.payload(), std::string("\0\x01\xfe", 3));
}

TEST_F(ServerInterop, LargeMessagesUpToTheLimitPassAndLargerAreRefused) {
  EchoRequest request;
  EchoReply reply;
  request.set_payload(std::string((4 << 20) - 16, 'x'));
  ASSERT_TRUE(Unary(request, &reply).ok());
  EXPECT_EQ(reply.payload(), request.payload());
  request.set_payload(std::string(4 << 20, 'x'));
  EXPECT_EQ(Unary(request, &reply).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.set_payload("the connection still works");
  EXPECT_TRUE(Unary(request, &reply).ok());
}

TEST_F(ServerInterop, UnknownMethodIsUnimplemented) {
  grpc::ClientContext context;
  Prepare(&context);
  EchoReply reply;
  EXPECT_EQ(stub_->Unserved(&context, EchoRequest(), &reply).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServerInterop, CompressedRequestIsUnimplemented) {
  grpc::ClientContext context;
  Prepare(&context);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  EchoRequest request;
  request.set_payload(std::string(10000, 'x'));
  EchoReply reply;
  EXPECT_EQ(stub_->Unary(&context, request, &reply).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServerInterop, MalformedMessageIsTheHandlersToRefuse) {
  grpc::ClientContext context;
  Prepare(&context);
  grpc::Slice garbage("\xff\xff\xff");
  grpc::ByteBuffer request(&garbage, 1);
  grpc::ByteBuffer reply;
  grpc::CompletionQueue queue;
  grpc::GenericStub generic(Connect(server_));
  auto call = generic.PrepareUnaryCall(&context, "/flaredb.test.Echo/Unary", request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag;
  bool ok;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServerInterop, DeadlineEndsTheCallOnBothSides) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  EchoRequest request;
  request.set_never(true);
  EchoReply reply;
  EXPECT_EQ(stub_->Unary(&context, request, &reply).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return server_.echo().cancelled() == 1; }));
  EXPECT_TRUE(Eventually([&] { return server_.counters().calls_now == 0; }));
}

TEST_F(ServerInterop, CancelReachesTheHandler) {
  grpc::ClientContext context;
  Prepare(&context);
  EchoRequest request;
  request.set_never(true);
  std::thread canceller([&] {
    Eventually([&] { return server_.counters().calls_now == 1; });
    context.TryCancel();
  });
  EchoReply reply;
  EXPECT_EQ(stub_->Unary(&context, request, &reply).error_code(), grpc::StatusCode::CANCELLED);
  canceller.join();
  EXPECT_TRUE(Eventually([&] { return server_.echo().cancelled() == 1; }));
}

TEST_F(ServerInterop, ConnectionOfAFinishedClientIsForgotten) {
  {
    auto stub = Echo::NewStub(Connect(server_));
    grpc::ClientContext context;
    Prepare(&context);
    EchoReply reply;
    ASSERT_TRUE(stub->Unary(&context, EchoRequest(), &reply).ok());
    EXPECT_EQ(server_.counters().connections_now, 1u);
  }
  EXPECT_TRUE(Eventually([&] { return server_.counters().connections_now == 0; }));
}

TEST_F(ServerInterop, ServerStreamingDeliversAllThenTheStatus) {
  grpc::ClientContext context;
  Prepare(&context);
  EchoRequest request;
  request.set_payload(std::string(1000, 'y'));
  request.set_repeat(5000);
  request.set_code(10);
  auto stream = stub_->List(&context, request);
  EchoReply reply;
  uint32_t n = 0;
  while (stream->Read(&reply)) {
    EXPECT_EQ(reply.payload(), request.payload());
    ++n;
  }
  EXPECT_EQ(n, 5000u);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(ServerInterop, BidirectionalStreamEchoesInOrder) {
  grpc::ClientContext context;
  Prepare(&context);
  auto stream = stub_->Chat(&context);
  EchoRequest request;
  EchoReply reply;
  for (int i = 0; i < 500; ++i) {
    request.set_payload("message " + std::to_string(i));
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&reply));
    EXPECT_EQ(reply.payload(), request.payload());
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ServerInterop, ServerMayEndABidirectionalStreamEarly) {
  grpc::ClientContext context;
  Prepare(&context);
  auto stream = stub_->Chat(&context);
  EchoRequest request;
  request.set_code(8);
  ASSERT_TRUE(stream->Write(request));
  EchoReply reply;
  EXPECT_FALSE(stream->Read(&reply));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(ServerInterop, ManyCallsInFlightOnSeveralConnections) {
  constexpr int kCalls = 2000;
  struct Call {
    grpc::ClientContext context;
    EchoReply reply;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<EchoReply>> rpc;
  };
  std::vector<std::unique_ptr<Echo::Stub>> stubs;
  for (int i = 0; i < 3; ++i) stubs.push_back(Echo::NewStub(Connect(server_)));
  std::vector<Call> calls(kCalls);
  grpc::CompletionQueue queue;
  for (int i = 0; i < kCalls; ++i) {
    Call& call = calls[static_cast<size_t>(i)];
    Prepare(&call.context);
    EchoRequest request;
    request.set_payload(std::to_string(i));
    request.set_delay_ms(static_cast<uint32_t>(i % 7));
    call.rpc =
        stubs[static_cast<size_t>(i) % stubs.size()]->AsyncUnary(&call.context, request, &queue);
    call.rpc->Finish(&call.reply, &call.status, &call);
  }
  for (int i = 0; i < kCalls; ++i) {
    void* tag;
    bool ok;
    ASSERT_TRUE(queue.Next(&tag, &ok));
  }
  for (int i = 0; i < kCalls; ++i) {
    const Call& call = calls[static_cast<size_t>(i)];
    ASSERT_TRUE(call.status.ok()) << call.status.error_message();
    EXPECT_EQ(call.reply.payload(), std::to_string(i));
  }
}

TEST_F(ServerInterop, DrainLetsOpenCallsEnd) {
  grpc::Status status(grpc::StatusCode::UNKNOWN, "not called yet");
  std::thread client([&] {
    EchoRequest request;
    request.set_delay_ms(500);
    EchoReply reply;
    status = Unary(request, &reply);
  });
  ASSERT_TRUE(Eventually([&] { return server_.counters().calls_now == 1; }));
  std::atomic<bool> drained{false};
  server_.Run([&] { server_.server()->Drain([&] { drained = true; }); });
  EXPECT_FALSE(drained);
  client.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(Eventually([&] { return drained.load(); }));
}

}  // namespace
}  // namespace flaredb::net
