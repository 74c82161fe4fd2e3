// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_sync.h"

#include <optional>
#include <utility>

#include "net/system_clock.h"

namespace flaredb::net {

absl::StatusOr<std::unique_ptr<GrpcSyncClient>> GrpcSyncClient::Create(std::string address,
                                                                       GrpcChannelOptions options) {
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  return std::unique_ptr<GrpcSyncClient>(
      new GrpcSyncClient(*std::move(loop), std::move(address), options));
}

GrpcSyncClient::GrpcSyncClient(std::unique_ptr<EventLoop> loop, std::string address,
                               GrpcChannelOptions options)
    : loop_(std::move(loop)), channel_(loop_.get(), std::move(address), options) {}

UnaryResult GrpcSyncClient::Call(std::string method, std::string_view request, Duration timeout) {
  // The loop stood still since the last call: let it read the clock and notice lost connections.
  loop_->RunOnce(Instant());
  std::optional<UnaryResult> result;
  CallOptions options;
  options.deadline = MonotonicNow() + timeout;
  channel_.Unary(std::move(method), request, options,
                 [&result](UnaryResult r) { result = std::move(r); });
  while (!result.has_value()) loop_->RunOnce(Instant::Max());
  return *std::move(result);
}

}  // namespace flaredb::net
