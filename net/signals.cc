// SPDX-License-Identifier: Apache-2.0
#include "net/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace flaredb::net {

struct SignalWatcher::SavedMask {
  sigset_t mask;
};

absl::StatusOr<std::unique_ptr<SignalWatcher>> SignalWatcher::Create(
    EventLoop* loop, std::initializer_list<int> signals, std::function<void(int)> fn) {
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : signals) sigaddset(&mask, signal);
  const int fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) {
    return absl::ResourceExhaustedError(absl::StrCat("signalfd failed: ", strerror(errno)));
  }
  auto saved = std::make_unique<SavedMask>();
  pthread_sigmask(SIG_BLOCK, &mask, &saved->mask);
  std::unique_ptr<SignalWatcher> watcher(
      new SignalWatcher(loop, fd, std::move(saved), std::move(fn)));
  auto watch = loop->Watch(fd, /*read=*/true, /*write=*/false, watcher.get());
  if (!watch.ok()) return watch.status();
  watcher->watch_ = *watch;
  return watcher;
}

SignalWatcher::SignalWatcher(EventLoop* loop, int fd, std::unique_ptr<SavedMask> saved,
                             std::function<void(int)> fn)
    : loop_(loop), fd_(fd), saved_(std::move(saved)), fn_(std::move(fn)) {}

SignalWatcher::~SignalWatcher() {
  loop_->Unwatch(watch_);
  close(fd_);
  pthread_sigmask(SIG_SETMASK, &saved_->mask, nullptr);
}

void SignalWatcher::OnReady(Readiness) {
  signalfd_siginfo info;
  if (read(fd_, &info, sizeof(info)) == sizeof(info)) fn_(static_cast<int>(info.ssi_signo));
}

}  // namespace flaredb::net
