// SPDX-License-Identifier: Apache-2.0
// The operators' port: plain HTTP beside the gRPC server, in a thread of its own.
//   /metrics             the figures of docs/OPERATIONS.md
//   /livez, /readyz      200 "ok", or 503 and what is waited for; ?verbose tells every check
#ifndef FLAREDB_NET_ADMIN_ADMIN_SERVER_H_
#define FLAREDB_NET_ADMIN_ADMIN_SERVER_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "net/admin/server_status.h"

namespace flaredb::net {

// Reads nothing but the board, so a question costs the store nothing and is answered while the loop
// hangs. Shows no keys or values and takes no orders.
class AdminServer {
 public:
  // Listens at "host:port" and serves. Starts a thread: call it when signals are blocked. One clear
  // sentence on failure. `board` outlives the server.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(std::string_view address,
                                                            const StatusBoard* board);
  virtual ~AdminServer() = default;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADMIN_ADMIN_SERVER_H_
