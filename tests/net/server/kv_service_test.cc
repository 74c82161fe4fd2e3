// SPDX-License-Identifier: Apache-2.0
#include "net/server/kv_service.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "net/grpc_client.h"
#include "net/system_clock.h"
#include "proto/errorpb.pb.h"

namespace flaredb::net {
namespace {

constexpr Duration Ms(int64_t n) { return Duration::Milliseconds(n); }

TEST(BudgetOf, DefaultsWhenTheClientSaysNothing) {
  EXPECT_EQ(BudgetOf(std::nullopt, std::nullopt), kDefaultBudget);
}

TEST(BudgetOf, TakesTheLeast) {
  EXPECT_EQ(BudgetOf(std::nullopt, Ms(700)), Ms(700));
  EXPECT_EQ(BudgetOf(Ms(10000), Ms(700)), Ms(700));
  EXPECT_EQ(BudgetOf(Ms(3600 * 1000), std::nullopt), kMaxBudget);
  EXPECT_EQ(BudgetOf(std::nullopt, Ms(3600 * 1000)), kMaxBudget);
}

TEST(BudgetOf, KeepsTimeBackForTheAnswer) {
  EXPECT_EQ(BudgetOf(Ms(1000), std::nullopt), Ms(980));
  EXPECT_EQ(BudgetOf(Ms(100), std::nullopt), Ms(90));
  EXPECT_EQ(BudgetOf(Ms(0), std::nullopt), Ms(0));
  EXPECT_EQ(BudgetOf(Ms(-5), std::nullopt), Ms(0));
}

TEST(KvService, AStoreThatStopsRefusesWithATypedError) {
  auto loop = EventLoop::Create();
  ASSERT_TRUE(loop.ok());
  Runtime runtime(loop->get());
  GrpcServer server(loop->get(), GrpcServerOptions());
  KvService service(&server, &runtime, [](StoreId) { return std::string(); });
  service.Refuse(StoreId(3));
  const auto port = server.Listen("127.0.0.1:0");
  ASSERT_TRUE(port.ok());
  GrpcChannel channel(loop->get(), "127.0.0.1:" + std::to_string(*port), GrpcChannelOptions());

  std::optional<UnaryResult> result;
  channel.Unary("/kvrpc.KvCas/Get", "", CallOptions(),
                [&result](UnaryResult r) { result = std::move(r); });
  const Instant deadline = MonotonicNow() + Duration::Seconds(10);
  while (!result.has_value() && MonotonicNow() < deadline) (*loop)->RunOnce(deadline);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status.code, absl::StatusCode::kUnavailable);
  errorpb::Error error;
  ASSERT_TRUE(error.ParseFromString(FindDetail(result->status, "errorpb.Error").value_or("?")));
  EXPECT_EQ(error.outcome(), errorpb::NOT_APPLIED);
  EXPECT_EQ(error.store_draining().store_id(), 3u);
}

}  // namespace
}  // namespace flaredb::net
