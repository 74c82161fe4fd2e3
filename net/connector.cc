// SPDX-License-Identifier: Apache-2.0
#include "net/connector.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

namespace flaredb::net {
namespace {

absl::Status Unreachable(int error) { return absl::UnavailableError(strerror(error)); }

}  // namespace

Connector::Connector(EventLoop* loop, const HostPort& address, Duration timeout, Done done)
    : loop_(loop),
      done_(std::move(done)),
      timer_(
          loop->StartTimer(loop->now() + timeout,
                           [this] { Finish(absl::DeadlineExceededError("no answer in time")); })),
      self_(std::make_shared<Connector*>(this)) {
  Resolve(address);
}

Connector::~Connector() {
  loop_->CancelTimer(timer_);
  DropSocket();
}

void Connector::Resolve(const HostPort& address) {
  auto deliver = [weak = std::weak_ptr<Connector*>(self_)](
                     absl::StatusOr<std::vector<SocketAddress>> addresses) {
    if (const auto self = weak.lock()) (*self)->OnResolved(std::move(addresses));
  };
  std::vector<SocketAddress> numeric = ResolveNumeric(address);
  if (!numeric.empty()) {
    loop_->Defer([deliver, numeric = std::move(numeric)] { deliver(numeric); });
    return;
  }
  try {
    // Detached: name servers may take longer than anybody is willing to wait, also at exit.
    std::thread([address, deliver, mailbox = loop_->mailbox()] {
      mailbox->Post([deliver, result = ResolveBlocking(address)] { deliver(result); });
    }).detach();
  } catch (const std::system_error& error) {
    loop_->Defer([deliver, text = std::string(error.what())] {
      deliver(absl::ResourceExhaustedError("cannot start a thread to resolve the name: " + text));
    });
  }
}

void Connector::OnResolved(absl::StatusOr<std::vector<SocketAddress>> addresses) {
  if (!addresses.ok()) return Finish(addresses.status());
  addresses_ = *std::move(addresses);
  TryNext();
}

void Connector::TryNext() {
  while (next_ < addresses_.size()) {
    const SocketAddress& address = addresses_[next_++];
    fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
      last_error_ = Unreachable(errno);
      continue;
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd_, address.get(), address.size) == 0) {
      return Finish(std::exchange(fd_, -1));
    }
    if (errno != EINPROGRESS) {
      last_error_ = Unreachable(errno);
      DropSocket();
      continue;
    }
    auto watch = loop_->Watch(fd_, /*read=*/false, /*write=*/true, this);
    if (watch.ok()) {
      watch_ = *watch;
      return;
    }
    last_error_ = watch.status();
    DropSocket();
  }
  Finish(last_error_);
}

void Connector::OnReady(Readiness) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    last_error_ = Unreachable(error);
    DropSocket();
    return TryNext();
  }
  loop_->Unwatch(watch_);
  watch_ = 0;
  Finish(std::exchange(fd_, -1));
}

void Connector::DropSocket() {
  loop_->Unwatch(watch_);
  watch_ = 0;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void Connector::Finish(absl::StatusOr<int> result) {
  loop_->CancelTimer(timer_);
  const Done done = done_;  // Outlives *this.
  done(std::move(result));
}

}  // namespace flaredb::net
