// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_health.h"

#include <utility>

#include "grpc/health/v1/health.pb.h"

namespace flaredb::net {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

GrpcStatus Malformed() {
  return GrpcStatus(absl::StatusCode::kInvalidArgument, "malformed HealthCheckRequest");
}

bool Parse(std::string_view bytes, HealthCheckRequest* request) {
  return request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

// One Watch call.
class HealthService::Watcher : public StreamReader {
 public:
  Watcher(HealthService* health, ServerStream stream)
      : health_(health), stream_(std::move(stream)) {
    health_->watchers_.insert(this);
  }
  ~Watcher() override { health_->watchers_.erase(this); }

  void OnMessage(std::string_view message) override {
    HealthCheckRequest request;
    if (subscribed_ || !Parse(message, &request)) return stream_.Finish(Malformed());
    subscribed_ = true;
    service_ = request.service();
    Update();
  }
  void OnHalfClose() override {
    if (!subscribed_) stream_.Finish(Malformed());
  }

  // Sends the present state unless the client knows it.
  void Update() {
    if (!subscribed_) return;
    if (stream_.unsent_bytes() > 0) {
      // States that come and go meanwhile are skipped: the client asked for the state, not for
      // its history.
      stream_.OnDrained([this] { Update(); });
      return;
    }
    std::string response = health_->Response(service_);
    if (response == sent_ && sent_once_) return;
    sent_ = std::move(response);
    sent_once_ = true;
    stream_.Send(sent_);
  }

 private:
  HealthService* const health_;
  ServerStream stream_;
  bool subscribed_ = false;
  std::string service_;
  std::string sent_;
  bool sent_once_ = false;
};

HealthService::HealthService(GrpcServer* server) : serving_{{"", false}} {
  server->RegisterUnary(
      "/grpc.health.v1.Health/Check", [this](UnaryCall call, std::string_view bytes) {
        HealthCheckRequest request;
        if (!Parse(bytes, &request)) return call.Fail(Malformed());
        if (serving_.count(request.service()) == 0) {
          return call.Fail(GrpcStatus(absl::StatusCode::kNotFound, "unknown service"));
        }
        call.Reply(Response(request.service()));
      });
  server->RegisterStream("/grpc.health.v1.Health/Watch", [this](ServerStream stream) {
    return std::make_unique<Watcher>(this, std::move(stream));
  });
}

HealthService::~HealthService() = default;

void HealthService::SetServing(std::string_view service, bool serving) {
  serving_[std::string(service)] = serving;
  for (Watcher* watcher : watchers_) watcher->Update();
}

std::string HealthService::Response(const std::string& service) const {
  HealthCheckResponse response;
  const auto it = serving_.find(service);
  if (it == serving_.end()) {
    response.set_status(HealthCheckResponse::SERVICE_UNKNOWN);
  } else {
    response.set_status(it->second ? HealthCheckResponse::SERVING
                                   : HealthCheckResponse::NOT_SERVING);
  }
  return response.SerializeAsString();
}

}  // namespace flaredb::net
