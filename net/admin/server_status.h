// SPDX-License-Identifier: Apache-2.0
// What a server tells its operators: a copy of its state at one moment.
#ifndef FLAREDB_NET_ADMIN_SERVER_STATUS_H_
#define FLAREDB_NET_ADMIN_SERVER_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/store/recovery.h"
#include "core/store/store.h"
#include "net/grpc_server.h"
#include "net/server/figures.h"

namespace flaredb::net {

enum class ServerPhase : uint8_t {
  kStarting,  // The data folder is opened and read; the loop does not turn yet.
  kServing,
  kStopping,
};

struct ServerStatus {
  ServerPhase phase = ServerPhase::kStarting;
  Instant taken_at;
  std::string data_dir;
  std::string starting;  // While it starts: what that waits for, in words.
  // All below is empty while the server starts.
  store::Identity identity;
  std::vector<store::PeerView> peers;
  bool given_up = false;            // For lost or removed, by the cluster.
  bool namespaces_missing = false;  // Of --namespace-mode, some are not created yet.
  uint64_t leader_changes = 0;
  size_t waiting_calls = 0;
  size_t forwarded_calls = 0;
  size_t parked_calls = 0;
  size_t rows_in_flight = 0;
  size_t outbox_rows = 0;
  std::vector<std::string> cluster_waits;  // See Store::waiting.
  RuntimeFigures runtime;
  std::vector<LinkFigures> links;
  GrpcServerCounters grpc;
  std::map<std::string, GrpcMethodCounters> methods;
  size_t unread_output_bytes = 0;
};

// Hands the status from the loop's thread to others. Both sides hold a lock for as long as a
// pointer takes to copy. Thread-safe.
class StatusBoard {
 public:
  void Publish(ServerStatus status) {
    auto shared = std::make_shared<const ServerStatus>(std::move(status));
    const std::lock_guard<std::mutex> lock(mutex_);
    status_.swap(shared);
  }
  // The last one published; never null.
  std::shared_ptr<const ServerStatus> Read() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ServerStatus> status_ = std::make_shared<const ServerStatus>();
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_ADMIN_SERVER_STATUS_H_
