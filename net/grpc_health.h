// SPDX-License-Identifier: Apache-2.0
// grpc.health.v1.Health: Check and Watch.
#ifndef FLAREDB_NET_GRPC_HEALTH_H_
#define FLAREDB_NET_GRPC_HEALTH_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "net/grpc_server.h"

namespace flaredb::net {

// Answers for services whose state was set and for the empty name, the server as a whole, which
// is NOT_SERVING until set. Check of another name: NOT_FOUND. Watch of another name:
// SERVICE_UNKNOWN until it is set. Watchers are told every change of their service; one that does
// not read gets the latest state when it does.
class HealthService {
 public:
  // Registers its methods; `server` must not be listening yet. Must outlive `server`'s calls.
  explicit HealthService(GrpcServer* server);
  ~HealthService();
  HealthService(const HealthService&) = delete;
  HealthService& operator=(const HealthService&) = delete;

  // Loop's thread only.
  void SetServing(std::string_view service, bool serving);

 private:
  class Watcher;
  // A grpc.health.v1.HealthCheckResponse for the present state of `service`.
  std::string Response(const std::string& service) const;

  std::map<std::string, bool> serving_;
  std::set<Watcher*> watchers_;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_GRPC_HEALTH_H_
