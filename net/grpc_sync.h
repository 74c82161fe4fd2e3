// SPDX-License-Identifier: Apache-2.0
// A blocking unary call for command-line tools and tests.
#ifndef FLAREDB_NET_GRPC_SYNC_H_
#define FLAREDB_NET_GRPC_SYNC_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/time.h"
#include "net/grpc_client.h"

namespace flaredb::net {

// One address and a private event loop that runs only inside Call. The connection is kept between
// calls. Not thread-safe; independent of any other loop of the process.
class GrpcSyncClient {
 public:
  static absl::StatusOr<std::unique_ptr<GrpcSyncClient>> Create(std::string address,
                                                                GrpcChannelOptions options = {});

  // Blocks until the call is done, at most `timeout`. Fails fast when the server can't be reached.
  UnaryResult Call(std::string method, std::string_view request, Duration timeout);

  EventLoop* loop() { return loop_.get(); }
  GrpcChannel* channel() { return &channel_; }

 private:
  GrpcSyncClient(std::unique_ptr<EventLoop> loop, std::string address, GrpcChannelOptions options);

  const std::unique_ptr<EventLoop> loop_;
  GrpcChannel channel_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_SYNC_H_
