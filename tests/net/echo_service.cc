// SPDX-License-Identifier: Apache-2.0
#include "tests/net/echo_service.h"

#include <future>
#include <utility>

#include "core/base/check.h"
#include "net/grpc_reflection.h"
#include "tests/net/echo.pb.h"

namespace flaredb::net {
namespace {

using test::EchoReply;
using test::EchoRequest;

bool Parse(std::string_view bytes, EchoRequest* request) {
  return request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

GrpcStatus Malformed() { return {absl::StatusCode::kInvalidArgument, "malformed EchoRequest"}; }

std::string ReplyTo(const EchoRequest& request) {
  EchoReply reply;
  reply.set_payload(request.payload());
  return reply.SerializeAsString();
}

GrpcStatus FailureOf(const EchoRequest& request) {
  const auto code = static_cast<absl::StatusCode>(request.code());
  if (request.detail().empty()) return {code, request.message()};
  EchoReply detail;
  detail.set_payload(request.detail());
  return StatusWithDetail(code, request.message(), "flaredb.test.EchoReply",
                          detail.SerializeAsString());
}

class ListReader : public StreamReader {
 public:
  explicit ListReader(ServerStream stream) : stream_(std::move(stream)) {}
  void OnMessage(std::string_view message) override {
    if (!Parse(message, &request_)) stream_.Finish(Malformed());
  }
  void OnHalfClose() override {
    for (uint32_t i = 0; i < request_.repeat(); ++i) stream_.Send(ReplyTo(request_));
    if (!request_.never()) stream_.Finish(FailureOf(request_));
  }

 private:
  ServerStream stream_;
  EchoRequest request_;
};

class ChatReader : public StreamReader {
 public:
  explicit ChatReader(ServerStream stream) : stream_(std::move(stream)) {}
  void OnMessage(std::string_view message) override {
    EchoRequest request;
    if (!Parse(message, &request)) return stream_.Finish(Malformed());
    if (request.code() != 0) return stream_.Finish(FailureOf(request));
    stream_.Send(ReplyTo(request));
  }
  void OnHalfClose() override { stream_.Finish(GrpcStatus()); }

 private:
  ServerStream stream_;
};

}  // namespace

EchoService::EchoService(GrpcServer* server) {
  server->RegisterUnary("/flaredb.test.Raw/Echo",
                        [](UnaryCall call, std::string_view bytes) { call.Reply(bytes); });
  EventLoop* loop = server->loop();
  server->RegisterUnary(
      "/flaredb.test.Echo/Unary", [this, loop](UnaryCall call, std::string_view bytes) {
        EchoRequest request;
        if (!Parse(bytes, &request)) return call.Fail(Malformed());
        if (request.code() != 0) return call.Fail(FailureOf(request));
        if (const auto echo = call.header("x-echo-bin"); !echo.empty()) {
          request.set_payload(std::string(echo));
        }
        if (!request.never() && request.delay_ms() == 0) return call.Reply(ReplyTo(request));
        auto parked = std::make_shared<UnaryCall>(std::move(call));
        parked->OnCancel([this, parked] {
          ++cancelled_;
          parked_.erase(parked);
        });
        if (request.never()) {
          parked_.insert(parked);
          return;
        }
        loop->StartTimer(loop->now() + Duration::Milliseconds(request.delay_ms()),
                         [parked, reply = ReplyTo(request)] { parked->Reply(reply); });
      });
  server->RegisterStream("/flaredb.test.Echo/List", [](ServerStream stream) {
    return std::make_unique<ListReader>(std::move(stream));
  });
  server->RegisterStream("/flaredb.test.Echo/Chat", [](ServerStream stream) {
    return std::make_unique<ChatReader>(std::move(stream));
  });
}

EchoServerThread::EchoServerThread(GrpcServerOptions options, std::string address) {
  loop_ = EventLoop::Create().value();
  server_ = std::make_unique<GrpcServer>(loop_.get(), options);
  echo_ = std::make_unique<EchoService>(server_.get());
  health_ = std::make_unique<HealthService>(server_.get());
  RegisterReflection(server_.get());
  port_ = server_->Listen(address).value();
  health_->SetServing("", true);
  thread_ = std::thread([this] {
    while (!stop_) loop_->RunOnce(Instant::Max());
    server_.reset();
  });
}

EchoServerThread::~EchoServerThread() {
  loop_->Post([this] { stop_ = true; });
  thread_.join();
}

void EchoServerThread::Run(const std::function<void()>& fn) {
  std::promise<void> done;
  loop_->Post([&] {
    fn();
    done.set_value();
  });
  done.get_future().wait();
}

GrpcServerCounters EchoServerThread::counters() {
  GrpcServerCounters counters;
  Run([&] { counters = server_->counters(); });
  return counters;
}

}  // namespace flaredb::net
