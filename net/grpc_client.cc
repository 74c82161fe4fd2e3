// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_client.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "net/address.h"
#include "net/byte_stream.h"
#include "net/connector.h"
#include "net/grpc_client_call.h"
#include "net/http2_connection.h"

namespace flaredb::net {
namespace {

// A connection that lived shorter counts as a failed attempt: a server that accepts and hangs up
// must not be met by a client that reconnects at full speed.
constexpr Duration kStableAfter = Duration::Seconds(1);

Http2Options ClientSide(const GrpcChannelOptions& options) {
  Http2Options http2 = options.http2;
  http2.handshake_timeout = options.connect_timeout;
  return http2;
}

}  // namespace

// Connects on demand and hands waiting calls to the connection. At any time it is one of: idle,
// connecting (connector_), on a connection (current_), or pausing after a failure (resume_at_).
class ChannelCore : public ClientCallHost {
 public:
  ChannelCore(EventLoop* loop, std::string address, GrpcChannelOptions options)
      : loop_(loop),
        address_(std::move(address)),
        options_(options),
        target_(ParseHostPort(address_)),
        rng_(options.seed),
        pause_(options.backoff_min) {}

  ~ChannelCore() {
    while (!calls_.empty()) calls_.begin()->second->Cancel();
    loop_->CancelTimer(retry_timer_);
  }

  std::shared_ptr<ClientCall> NewCall(std::string method, const CallOptions& options,
                                      UnaryDone done, ClientStreamReader* reader) {
    auto call = std::make_shared<ClientCall>(loop_, this, next_id_++, std::move(method), options,
                                             options_.max_message_bytes, std::move(done), reader);
    calls_.emplace(call->id(), call);
    return call;
  }

  // Sends the call now or when there is a connection, or fails it from the loop.
  void Submit(const std::shared_ptr<ClientCall>& call);
  void Cancel(ClientCallId id) {
    const auto it = calls_.find(id);
    if (it != calls_.end()) it->second->Cancel();
  }

  bool connected() const { return current_ != nullptr && current_->http2.CanStartStream(); }
  const std::string& address() const { return address_; }

 private:
  // One connection: the current one, or an older one whose last calls are ending.
  struct Link : Http2Connection::Owner {
    Link(ChannelCore* c, int fd)
        : core(c),
          http2(c->loop_, c->NewStream(fd), Http2Connection::Side::kClient, ClientSide(c->options_),
                this) {}
    std::shared_ptr<Http2Stream> OnNewStream() override {
      INVARIANT(false) << "servers do not start streams";
      return nullptr;
    }
    void OnHandshake() override { core->OnHandshake(this); }
    void OnStreamSlots() override { core->PumpLater(); }
    void OnGoingAway() override { core->Retire(this); }
    void OnClosed(const absl::Status& why) override { core->OnLost(this, why); }

    ChannelCore* const core;
    Instant ready_since = Instant::Max();
    Http2Connection http2;
  };

  void Forget(ClientCallId id) override {
    waiting_.erase(id);
    calls_.erase(id);
  }
  std::string ConnectionLoss(const Http2Connection* connection) const override;

  std::unique_ptr<ByteStream> NewStream(int fd) const {
    return options_.tls == nullptr ? NewTcpStream(fd)
                                   : options_.tls->NewClientStream(fd, target_->host);
  }
  void Connect();
  void OnConnected(absl::StatusOr<int> fd);
  void OnHandshake(Link* link);
  void Retire(Link* link);
  void OnLost(Link* link, const absl::Status& why);
  void FailAttempt(const absl::Status& why);
  void Pump();
  void PumpLater();

  EventLoop* const loop_;
  const std::string address_;
  const GrpcChannelOptions options_;
  const absl::StatusOr<HostPort> target_;
  Rng rng_;

  ClientCallId next_id_ = 1;
  std::map<ClientCallId, std::shared_ptr<ClientCall>> calls_;    // All that are open.
  std::map<ClientCallId, std::shared_ptr<ClientCall>> waiting_;  // For a stream; first come first.
  bool pump_scheduled_ = false;

  std::unique_ptr<Connector> connector_;
  std::map<Link*, std::unique_ptr<Link>> links_;
  Link* current_ = nullptr;  // Takes new calls, now or after its handshake.

  Duration pause_;
  Instant resume_at_;  // No attempt before.
  EventLoop::TimerId retry_timer_{};
  absl::Status last_failure_;
  const std::shared_ptr<ChannelCore*> self_ = std::make_shared<ChannelCore*>(this);
};

void ChannelCore::Submit(const std::shared_ptr<ClientCall>& call) {
  if (!target_.ok()) {
    return call->FinishLater(
        GrpcStatus(absl::StatusCode::kInvalidArgument, std::string(target_.status().message())),
        Sent::kNo);
  }
  if (connected() && waiting_.empty()) return call->Start(&current_->http2, address_);
  if (waiting_.size() >= options_.max_queued_calls) {
    return call->FinishLater(
        GrpcStatus(absl::StatusCode::kResourceExhausted,
                   absl::StrCat("more than ", options_.max_queued_calls, " calls wait for ",
                                address_, "; the request was not processed")),
        Sent::kNo);
  }
  const bool pausing = current_ == nullptr && connector_ == nullptr && loop_->now() < resume_at_;
  if (pausing && !call->wait_for_ready()) {
    return call->FinishLater(
        GrpcStatus(absl::StatusCode::kUnavailable,
                   absl::StrCat(last_failure_.message(), "; the request was not processed")),
        Sent::kNo);
  }
  waiting_.emplace(call->id(), call);
  Connect();
}

void ChannelCore::Connect() {
  if (current_ != nullptr || connector_ != nullptr || loop_->now() < resume_at_) return;
  connector_ =
      std::make_unique<Connector>(loop_, *target_, options_.connect_timeout,
                                  [this](absl::StatusOr<int> fd) { OnConnected(std::move(fd)); });
}

void ChannelCore::OnConnected(absl::StatusOr<int> fd) {
  connector_.reset();
  if (!fd.ok()) return FailAttempt(fd.status());
  auto link = std::make_unique<Link>(this, *fd);
  current_ = link.get();
  links_.emplace(current_, std::move(link));
}

void ChannelCore::OnHandshake(Link* link) {
  link->ready_since = loop_->now();
  PumpLater();
}

void ChannelCore::Retire(Link* link) {
  if (link == current_) current_ = nullptr;
  link->http2.Drain();
  if (!waiting_.empty()) Connect();
}

void ChannelCore::OnLost(Link* link, const absl::Status& why) {
  const bool was_current = link == current_;
  const bool stable =
      link->ready_since != Instant::Max() && loop_->now() - link->ready_since >= kStableAfter;
  if (was_current) current_ = nullptr;
  links_.erase(link);
  if (!was_current) return;
  if (stable || why.ok()) {
    pause_ = options_.backoff_min;
    if (!waiting_.empty()) Connect();
  } else {
    FailAttempt(why);
  }
}

void ChannelCore::FailAttempt(const absl::Status& why) {
  last_failure_ =
      absl::UnavailableError(absl::StrCat("cannot connect to ", address_, ": ", why.message()));
  resume_at_ = loop_->now() + rng_.Between(pause_ / 2, pause_);
  pause_ = std::min(pause_ * 2, options_.backoff_max);
  loop_->CancelTimer(retry_timer_);
  retry_timer_ = loop_->StartTimer(resume_at_, [this] {
    if (!waiting_.empty()) Connect();
  });
  const GrpcStatus failure(
      absl::StatusCode::kUnavailable,
      absl::StrCat(last_failure_.message(), "; the request was not processed"));
  const auto waiting = waiting_;  // Callbacks may add and cancel calls.
  for (const auto& [id, call] : waiting) {
    if (call->open() && !call->wait_for_ready()) call->Finish(failure, Sent::kNo);
  }
}

std::string ChannelCore::ConnectionLoss(const Http2Connection* connection) const {
  const auto it = std::find_if(links_.begin(), links_.end(), [connection](const auto& link) {
    return &link.second->http2 == connection;
  });
  if (it == links_.end() || !connection->closing()) return "";
  return absl::StrCat(
      "connection to ", address_,
      " lost: ", connection->close_reason().ok() ? "closed" : connection->close_reason().message());
}

void ChannelCore::Pump() {
  while (!waiting_.empty() && connected()) {
    auto node = waiting_.extract(waiting_.begin());
    node.mapped()->Start(&current_->http2, address_);
  }
}

// nghttp2 forbids to start streams from some of its callbacks, and many ends make one pump.
void ChannelCore::PumpLater() {
  if (pump_scheduled_ || waiting_.empty()) return;
  pump_scheduled_ = true;
  loop_->Defer([weak = std::weak_ptr<ChannelCore*>(self_)] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    (*self)->pump_scheduled_ = false;
    (*self)->Pump();
  });
}

GrpcChannel::GrpcChannel(EventLoop* loop, std::string address, GrpcChannelOptions options)
    : core_(std::make_unique<ChannelCore>(loop, std::move(address), options)) {}

GrpcChannel::~GrpcChannel() = default;

ClientCallId GrpcChannel::Unary(std::string method, std::string_view request,
                                const CallOptions& options, UnaryDone done) {
  const auto call = core_->NewCall(std::move(method), options, std::move(done), nullptr);
  call->Send(request);
  call->CloseSend();
  core_->Submit(call);
  return call->id();
}

void GrpcChannel::Cancel(ClientCallId call) { core_->Cancel(call); }

ClientStream GrpcChannel::OpenStream(std::string method, const CallOptions& options,
                                     ClientStreamReader* reader) {
  auto call = core_->NewCall(std::move(method), options, nullptr, reader);
  core_->Submit(call);
  return ClientStream(std::move(call));
}

bool GrpcChannel::connected() const { return core_->connected(); }
const std::string& GrpcChannel::address() const { return core_->address(); }

}  // namespace flaredb::net
