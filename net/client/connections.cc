// SPDX-License-Identifier: Apache-2.0
#include "net/client/connections.h"

#include <algorithm>
#include <csignal>
#include <future>
#include <utility>

#include "core/base/rng.h"
#include "net/system_clock.h"

namespace flaredb::client {
namespace {

// A client waits for seconds: a store that comes back should be found within part of one.
constexpr Duration kReconnectPauseMax = Duration::Milliseconds(500);
// For a store to say why it had no answer in time; see CallOptions::head_start.
constexpr Duration kHeadStartMax = Duration::Milliseconds(50);

net::Metadata MetadataOf(const std::string& token) {
  if (token.empty()) return {};
  return {{"authorization", "Bearer " + token}};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connections>> Connections::Create(
    uint64_t seed, std::shared_ptr<const net::TlsContext> tls, const std::string& token) {
  auto loop = net::EventLoop::Create();
  if (!loop.ok()) return loop.status();
  return std::unique_ptr<Connections>(
      new Connections(*std::move(loop), seed, std::move(tls), token));
}

Connections::Connections(std::unique_ptr<net::EventLoop> loop, uint64_t seed,
                         std::shared_ptr<const net::TlsContext> tls, const std::string& token)
    : loop_(std::move(loop)), seed_(seed), tls_(std::move(tls)), metadata_(MetadataOf(token)) {
  // A thread inherits its maker's mask. Signals belong to the application's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Connections::~Connections() {
  loop_->Post([this] { stopping_ = true; });
  thread_.join();
}

net::UnaryResult Connections::Call(const std::string& address, std::string method,
                                   std::string request, Duration timeout) {
  net::CallOptions options;
  options.deadline = net::MonotonicNow() + timeout;
  options.head_start = std::min(timeout / 20, kHeadStartMax);
  options.metadata = metadata_;
  auto promise = std::make_shared<std::promise<net::UnaryResult>>();
  std::future<net::UnaryResult> result = promise->get_future();
  loop_->Post([this, address, method = std::move(method), request = std::move(request), options,
               promise = std::move(promise)] {
    ChannelTo(address).Unary(method, request, options, [promise](net::UnaryResult done) {
      promise->set_value(std::move(done));
    });
  });
  return result.get();
}

void Connections::Run() {
  while (!stopping_) loop_->RunOnce(Instant::Max());
}

net::GrpcChannel& Connections::ChannelTo(const std::string& address) {
  std::unique_ptr<net::GrpcChannel>& channel = channels_[address];
  if (channel == nullptr) {
    net::GrpcChannelOptions options;
    options.backoff_max = kReconnectPauseMax;
    options.tls = tls_;
    options.seed = Mix64(seed_ + channels_.size());
    channel = std::make_unique<net::GrpcChannel>(loop_.get(), address, options);
  }
  return *channel;
}

}  // namespace flaredb::client
