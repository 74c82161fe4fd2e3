// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "net/byte_stream.h"
#include "net/grpc_server_call.h"
#include "net/http2_connection.h"

namespace flaredb::net {
namespace {

// "127.0.0.1:40312" -> "127.0.0.1"
std::string HostOf(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

// A server's SETTINGS and its GOAWAY: no stream was taken, ENHANCE_YOUR_CALM, and why. All that a
// client hears that is one too many.
constexpr std::string_view kTooMany(
    "\0\0\0\x04\0\0\0\0\0"
    "\0\0\x1c\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b"
    "too many connections",
    9 + 17 + 20);

// One of several parts of a sum.
class Part {
 public:
  explicit Part(size_t* sum) : sum_(sum) {}
  ~Part() { Set(0); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void Set(size_t value) {
    *sum_ = *sum_ - value_ + value;
    value_ = value;
  }
  size_t value() const { return value_; }

 private:
  size_t* const sum_;
  size_t value_ = 0;
};

// Where a connection stands among those that nobody waits for.
class IdlePlace {
 public:
  using Queue = std::list<ServerConnection*>;

  explicit IdlePlace(ServerConnection* self) : self_(self) {}
  ~IdlePlace() { Leave(); }
  IdlePlace(const IdlePlace&) = delete;
  IdlePlace& operator=(const IdlePlace&) = delete;

  void GoToTheEndOf(Queue* queue) {
    Leave();
    queue_ = queue;
    place_ = queue->insert(queue->end(), self_);
  }
  void Leave() {
    if (queue_ != nullptr) std::exchange(queue_, nullptr)->erase(place_);
  }
  bool has_one() const { return queue_ != nullptr; }

 private:
  ServerConnection* const self_;
  Queue* queue_ = nullptr;
  Queue::iterator place_;
};

}  // namespace

class ServerConnection : private Http2Connection::Owner {
 public:
  ServerConnection(GrpcServer* server, std::unique_ptr<ByteStream> stream, std::string peer)
      : host_{.server = server,
              .peer = std::make_shared<const std::string>(std::move(peer)),
              .stream = stream.get(),
              .recount = [this] { Recount(); }},
        http2_(server->loop_, std::move(stream), Http2Connection::Side::kServer,
               server->options_.http2, this) {
    idle_.GoToTheEndOf(&server->newcomers_);
  }

  const std::string& peer() const { return *host_.peer; }
  size_t held_bytes() const { return requests_.value() + output_.value(); }
  void End() {
    http2_.Abort(kHttp2EnhanceYourCalm,
                 absl::ResourceExhaustedError("it held most when too much was held"));
    Count();
  }
  // Its client, if it wants anything, comes again.
  void MakeRoom() {
    idle_.Leave();
    http2_.Abort(kHttp2NoError, absl::ResourceExhaustedError("another client wanted its place"));
  }
  void GiveNotice() { http2_.GiveNotice(); }
  void Drain() { http2_.Drain(); }

 private:
  std::shared_ptr<Http2Stream> OnNewStream() override {
    idle_.Leave();
    return std::make_shared<ServerCall>(&host_);
  }
  void OnHeld() override { Recount(); }
  void OnClosed(const absl::Status& why) override { host_.server->Remove(this, why); }

  // What is ending does not count.
  void Count() {
    requests_.Set(http2_.closing() ? 0 : host_.request_bytes + http2_.header_block_bytes());
    output_.Set(http2_.closing() ? 0 : http2_.waiting_output_bytes());
  }
  void Recount() {
    if (host_.calls == 0 && !idle_.has_one() && !http2_.closing()) {
      idle_.GoToTheEndOf(&host_.server->rested_);
    }
    Count();
    host_.server->Relieve();
  }

  ServerCallHost host_;
  Part requests_{&host_.server->request_bytes_};
  Part output_{&host_.server->output_bytes_};
  IdlePlace idle_{this};
  Http2Connection http2_;  // The last: its destructor tells the calls, which use the others.
};

GrpcServer::GrpcServer(EventLoop* loop, GrpcServerOptions options)
    : loop_(loop), options_(options) {}

GrpcServer::~GrpcServer() {
  listeners_.clear();
  connections_.clear();  // Tells the open calls, which still count themselves out here.
}

void GrpcServer::RegisterUnary(std::string method, UnaryHandler handler) {
  Register(std::move(method),
           {.unary = std::move(handler), .stream = {}, .judge = {}, .counters = {}});
}

void GrpcServer::RegisterStream(std::string method, StreamHandler handler) {
  Register(std::move(method),
           {.unary = {}, .stream = std::move(handler), .judge = {}, .counters = {}});
}

void GrpcServer::Register(std::string path, Method method) {
  INVARIANT(listeners_.empty()) << path;
  if (options_.judge_of) method.judge = options_.judge_of(path);
  const bool added = methods_.emplace(std::move(path), std::move(method)).second;
  INVARIANT(added) << "method registered twice";
}

std::vector<std::string> GrpcServer::services() const {
  std::vector<std::string> names;
  for (const auto& [path, method] : methods_) {  // Sorted, so a service's methods are neighbours.
    std::string name = path.substr(1, path.rfind('/') - 1);
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

std::map<std::string, GrpcMethodCounters> GrpcServer::method_counters() const {
  std::map<std::string, GrpcMethodCounters> counters;
  for (const auto& [path, method] : methods_) counters.emplace(path, method.counters);
  return counters;
}

GrpcServer::Method* GrpcServer::FindMethod(std::string_view path) {
  const auto it = methods_.find(path);
  return it == methods_.end() ? nullptr : &it->second;
}

absl::StatusOr<uint16_t> GrpcServer::Listen(std::string_view address) {
  auto listener =
      Listener::Create(loop_, address, options_.listener,
                       [this](int fd, std::string peer) { Accept(fd, std::move(peer)); });
  if (!listener.ok()) return listener.status();
  listeners_.push_back(*std::move(listener));
  return listeners_.back()->port();
}

void GrpcServer::Relieve() {
  const auto held = [this] { return request_bytes_ + output_bytes_; };
  if (held() <= options_.max_held_bytes) return;
  std::vector<ServerConnection*> most_first;
  for (const auto& [key, connection] : connections_) most_first.push_back(key);
  std::sort(most_first.begin(), most_first.end(),
            [](const auto* a, const auto* b) { return a->held_bytes() > b->held_bytes(); });
  for (ServerConnection* connection : most_first) {
    if (held() <= options_.max_held_bytes / 4 * 3) break;
    connection->End();
  }
}

bool GrpcServer::HasRoomFor(const std::string& host) {
  const auto from_host = connections_by_host_.find(host);
  const bool host_is_full = from_host != connections_by_host_.end() &&
                            from_host->second >= options_.listener.max_connections_per_address;
  if (!host_is_full && connections_.size() < options_.listener.max_connections) return true;
  for (const auto* queue : {&newcomers_, &rested_}) {
    for (ServerConnection* connection : *queue) {
      if (host_is_full && HostOf(connection->peer()) != host) continue;
      connection->MakeRoom();
      return true;
    }
  }
  return false;
}

void GrpcServer::Accept(int fd, std::string peer) {
  const std::string host = HostOf(peer);
  if (!HasRoomFor(host)) {
    ++counters_.connections_refused;
    // Nobody waits for the handshake of TLS for that.
    if (options_.tls == nullptr) {
      send(fd, kTooMany.data(), kTooMany.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    close(fd);
    return;
  }
  ++connections_by_host_[host];
  auto stream = options_.tls == nullptr ? NewTcpStream(fd) : options_.tls->NewServerStream(fd);
  auto connection = std::make_unique<ServerConnection>(this, std::move(stream), std::move(peer));
  ServerConnection* key = connection.get();
  connections_.emplace(key, std::move(connection));
  ++counters_.connections_total;
  counters_.connections_now = connections_.size();
}

void GrpcServer::Remove(ServerConnection* connection, const absl::Status& why) {
  if (!why.ok()) ++counters_.connections_dropped;
  const auto from_host = connections_by_host_.find(HostOf(connection->peer()));
  if (--from_host->second == 0) connections_by_host_.erase(from_host);
  connections_.erase(connection);
  counters_.connections_now = connections_.size();
  if (draining_ && connections_.empty()) {
    if (auto drained = std::exchange(drained_, nullptr)) drained();
  }
}

void GrpcServer::GiveNotice() {
  listeners_.clear();
  for (const auto& [key, connection] : connections_) connection->GiveNotice();
}

void GrpcServer::Drain(std::function<void()> drained) {
  draining_ = true;
  drained_ = std::move(drained);
  listeners_.clear();
  for (const auto& [key, connection] : connections_) connection->Drain();
  if (connections_.empty() && drained_) loop_->Defer(std::exchange(drained_, nullptr));
}

}  // namespace flaredb::net
