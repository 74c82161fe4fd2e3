// SPDX-License-Identifier: Apache-2.0
// A server whose store is nothing but the placement driver, on rows in memory.
#ifndef FLAREDB_TESTS_NET_SERVER_PD_SERVER_H_
#define FLAREDB_TESTS_NET_SERVER_PD_SERVER_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/pd/cluster.h"
#include "core/region/state_machine.h"
#include "core/store/request.h"
#include "net/event_loop.h"
#include "net/grpc_client.h"
#include "net/grpc_server.h"
#include "net/server/mode_service.h"
#include "net/server/pd_caller.h"
#include "net/server/pd_service.h"
#include "net/system_clock.h"
#include "proto/errorpb.pb.h"
#include "tests/core/pd/machine_of_rows.h"

namespace flaredb::net {

class PdServer : public pd::MachineOfRows {
 protected:
  PdServer()
      : loop_(*EventLoop::Create()),
        pd_([this](store::Request request,
                   std::function<void(store::Reply)> done) { Serve(request, std::move(done)); },
            [](StoreId) { return std::string("leader:1"); }),
        server_(std::make_unique<GrpcServer>(loop_.get(), GrpcServerOptions())) {
    RegisterModeService(server_.get(), &pd_, [this] { return waiting_; });
    RegisterPdService(
        server_.get(), &pd_, [this] { return waiting_; }, [this] { return alive_; });
    const auto port = server_->Listen("127.0.0.1:0");
    EXPECT_TRUE(port.ok());
    channel_ = std::make_unique<GrpcChannel>(loop_.get(), "127.0.0.1:" + std::to_string(*port),
                                             GrpcChannelOptions());
  }
  ~PdServer() override {
    channel_.reset();
    server_.reset();
  }

  // Begins a call; its result is there some time later.
  template <typename Request>
  std::shared_ptr<std::optional<UnaryResult>> Begin(const std::string& method,
                                                    const Request& request,
                                                    const CallOptions& options = {}) {
    auto result = std::make_shared<std::optional<UnaryResult>>();
    channel_->Unary(method, request.SerializeAsString(), options,
                    [result](UnaryResult r) { *result = std::move(r); });
    return result;
  }
  // Turns the loop until `done`, at most ten seconds.
  void RunUntil(const std::function<bool()>& done) {
    const Instant deadline = MonotonicNow() + Duration::Seconds(10);
    while (!done() && MonotonicNow() < deadline) {
      loop_->RunOnce(MonotonicNow() + Duration::Milliseconds(5));
    }
    EXPECT_TRUE(done());
  }
  UnaryResult Finish(const std::shared_ptr<std::optional<UnaryResult>>& result) {
    RunUntil([&] { return result->has_value(); });
    return result->value_or(UnaryResult());
  }

  // Requires success.
  template <typename Response, typename Request>
  Response Call(const std::string& method, const Request& request) {
    return ResponseOf<Response>(Finish(Begin(method, request)));
  }
  template <typename Response>
  static Response ResponseOf(const UnaryResult& result) {
    EXPECT_TRUE(result.status.ok()) << result.status;
    Response response;
    EXPECT_TRUE(response.ParseFromString(result.message));
    return response;
  }
  // Requires a refusal with a detail that says that nothing happened.
  template <typename Request>
  errorpb::Error Refusal(const std::string& method, const Request& request, absl::StatusCode code) {
    const UnaryResult result = Finish(Begin(method, request));
    EXPECT_EQ(result.status.code, code) << result.status;
    errorpb::Error error;
    EXPECT_TRUE(error.ParseFromString(FindDetail(result.status, "errorpb.Error").value_or("?")));
    EXPECT_EQ(error.message(), result.status.message);
    EXPECT_NE(error.message(), "");
    EXPECT_EQ(error.outcome(), errorpb::NOT_APPLIED);
    return error;
  }

  const std::unique_ptr<EventLoop> loop_;
  PdCaller pd_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<GrpcChannel> channel_;
  std::vector<std::string> waiting_;         // What the store was told.
  std::vector<StoreId> alive_;               // Whom it reaches.
  std::optional<store::Error> store_error_;  // What the store answers instead.

 private:
  void Serve(const store::Request& request, const std::function<void(store::Reply)>& done) {
    if (store_error_) return done({*store_error_, Index()});
    EXPECT_GT(request.budget, Duration());
    if (const auto* execute = std::get_if<store::ExecuteRequest>(&request.operation)) {
      EXPECT_EQ(execute->object, pd::kObject);
      MutableObjectRows rows(pd::kObject, data_);
      std::string reply = machine_.Apply(execute->command, &rows);
      data_.Write(rows.changes());
      return done({MachineReply{std::move(reply), Index(1)}, Index(1)});
    }
    const auto& query = std::get<store::QueryRequest>(request.operation);
    EXPECT_EQ(query.object, pd::kObject);
    const ObjectRows rows(pd::kObject, data_);
    done({MachineReply{machine_.Query(query.query, rows), Index(1)}, Index(1)});
  }
};

}  // namespace flaredb::net

#endif  // FLAREDB_TESTS_NET_SERVER_PD_SERVER_H_
