// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/strings.h"
#include "net/address.h"

namespace flaredb::net {
namespace {

// Accepts per readiness; the rest waits for the next iteration, so that a flood of connections
// does not hold up those that exist.
constexpr int kAcceptsPerIteration = 64;

const char* Remedy(int error) {
  switch (error) {
    case EADDRINUSE:
      return "; choose another port or stop its owner";
    case EADDRNOTAVAIL:
      return "; choose an address of this machine, or 0.0.0.0 for all of them";
    case EACCES:
      return "; choose a port from 1024 up, or run as a user who may use this one";
    default:
      return "";
  }
}

absl::Status CannotListen(std::string_view address, int error) {
  const absl::StatusCode code =
      error == EADDRINUSE ? absl::StatusCode::kAlreadyExists : absl::StatusCode::kUnavailable;
  return absl::Status(code, absl::StrCat("cannot listen on ", ToAbsl(address), ": ",
                                         strerror(error), Remedy(error)));
}

int OpenSpare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool OutOfResources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(EventLoop* loop,
                                                           std::string_view address,
                                                           ListenerOptions options,
                                                           OnAccept on_accept) {
  auto host_port = ParseHostPort(address);
  if (!host_port.ok()) return host_port.status();
  // Runs at start, before anything waits for the loop: blocking is harmless.
  auto resolved = ResolveBlocking(*host_port);
  if (!resolved.ok()) return resolved.status();
  const SocketAddress& local = resolved->front();

  const int fd = socket(local.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return CannotListen(address, errno);
  const int on = 1;
  // A restarted server must get its port back although old connections linger in TIME_WAIT.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (bind(fd, local.get(), local.size) != 0 || listen(fd, options.backlog) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    const absl::Status error = CannotListen(address, errno);
    close(fd);
    return error;
  }
  // The port stands at the same place in both families.
  const uint16_t port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
  std::unique_ptr<Listener> listener(new Listener(loop, fd, port, options, std::move(on_accept)));
  auto watch = loop->Watch(fd, /*read=*/true, /*write=*/false, listener.get());
  if (!watch.ok()) return watch.status();
  listener->watch_ = *watch;
  return listener;
}

Listener::Listener(EventLoop* loop, int fd, uint16_t port, ListenerOptions options,
                   OnAccept on_accept)
    : loop_(loop),
      fd_(fd),
      port_(port),
      options_(options),
      on_accept_(std::move(on_accept)),
      spare_fd_(OpenSpare()) {}

Listener::~Listener() {
  loop_->Unwatch(watch_);
  loop_->CancelTimer(resume_);
  close(fd_);
  if (spare_fd_ >= 0) close(spare_fd_);
}

void Listener::OnReady(Readiness) {
  for (int i = 0; i < kAcceptsPerIteration; ++i) {
    SocketAddress peer;
    peer.size = sizeof(peer.storage);
    const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (OutOfResources(errno)) RefuseOneAndPause();
      // Otherwise nothing is left, or this one connection failed on its way: try when told again.
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    on_accept_(fd, peer.ToString());
  }
}

void Listener::RefuseOneAndPause() {
  if (spare_fd_ >= 0) {
    close(spare_fd_);
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) close(fd);
  }
  spare_fd_ = OpenSpare();
  loop_->SetInterest(watch_, /*read=*/false, /*write=*/false);
  resume_ = loop_->StartTimer(loop_->now() + options_.accept_backoff, [this] {
    if (spare_fd_ < 0) spare_fd_ = OpenSpare();
    loop_->SetInterest(watch_, /*read=*/true, /*write=*/false);
  });
}

}  // namespace flaredb::net
