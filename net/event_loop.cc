// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/system_clock.h"

namespace flaredb::net {
namespace {

constexpr uint64_t kWakeKey = 0;  // Watches start at 1.

// Errors and hang-ups are always reported.
uint32_t EpollMask(bool read, bool write) {
  return (read ? uint32_t{EPOLLIN} : 0) | (write ? uint32_t{EPOLLOUT} : 0);
}

absl::Status SystemError(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat(what, " failed: ", strerror(errno)));
}

}  // namespace

Mailbox::~Mailbox() { close(wake_fd_); }

void Mailbox::Post(std::function<void()> fn) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) {
    lock.unlock();  // The destructor of `fn` may post again.
    return;
  }
  const bool wake = fns_.empty();
  fns_.push_back(std::move(fn));
  lock.unlock();
  if (!wake) return;
  // Cannot fail for long: the counter would need 2^64 - 1 unread wake-ups.
  const uint64_t one = 1;
  while (write(wake_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

void Mailbox::Take(std::vector<std::function<void()>>* out) {
  INVARIANT(out->empty());
  // The counter is reset before the functions are taken: a post in between wakes once too often,
  // the other order would sleep on it.
  uint64_t count;
  while (read(wake_fd_, &count, sizeof(count)) < 0 && errno == EINTR) {
  }
  std::lock_guard<std::mutex> lock(mutex_);
  out->swap(fns_);
}

void Mailbox::Close() {
  std::vector<std::function<void()>> dropped;
  std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  dropped.swap(fns_);
}

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) return SystemError("epoll_create1");
  const int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd < 0) {
    const absl::Status error = SystemError("eventfd");
    close(epoll_fd);
    return error;
  }
  auto mailbox = std::make_shared<Mailbox>(wake_fd);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeKey;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) != 0) {
    const absl::Status error = SystemError("epoll_ctl");
    close(epoll_fd);
    return error;
  }
  return std::unique_ptr<EventLoop>(new EventLoop(epoll_fd, std::move(mailbox)));
}

EventLoop::EventLoop(int epoll_fd, std::shared_ptr<Mailbox> mailbox)
    : epoll_fd_(epoll_fd), mailbox_(std::move(mailbox)), now_(MonotonicNow()) {}

EventLoop::~EventLoop() {
  mailbox_->Close();
  close(epoll_fd_);
}

void EventLoop::RunOnce(Instant deadline) {
  HandleDescriptors(TimeoutMs(deadline));
  RunDueTimers();
  RunDeferred();
  if (turn_) turn_(now_);
  FlushAll();
}

int EventLoop::TimeoutMs(Instant deadline) const {
  if (!deferred_.empty() || !flushers_.empty()) return 0;
  if (!timers_.empty()) deadline = std::min(deadline, timers_.begin()->first.first);
  if (deadline == Instant::Max()) return -1;
  const Duration wait = deadline - MonotonicNow();
  if (wait <= Duration()) return 0;
  // Rounded up: waking early would spin until the deadline.
  const int64_t ms = (wait + Duration::Nanoseconds(999999)).milliseconds();
  return static_cast<int>(std::min<int64_t>(ms, std::numeric_limits<int>::max()));
}

void EventLoop::HandleDescriptors(int timeout_ms) {
  std::array<epoll_event, 256> events;
  const int n = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
  now_ = MonotonicNow();
  INVARIANT(n >= 0 || errno == EINTR) << "epoll_wait: " << strerror(errno);
  ready_count_ = static_cast<size_t>(std::max(n, 0));
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 == kWakeKey) {
      RunPosted();
      continue;
    }
    const auto it = watched_.find(event.data.u64);
    if (it == watched_.end()) continue;  // Ended by an earlier handler of this batch.
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    it->second.handler->OnReady({.readable = broken || (event.events & EPOLLIN) != 0,
                                 .writable = broken || (event.events & EPOLLOUT) != 0});
  }
}

void EventLoop::RunDueTimers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    auto node = timers_.extract(timers_.begin());
    node.mapped()();
  }
}

void EventLoop::RunPosted() {
  std::vector<std::function<void()>> posted;
  mailbox_->Take(&posted);
  for (auto& fn : posted) fn();
}

void EventLoop::RunDeferred() {
  // What these functions defer in turn waits for the next iteration, so none can starve the loop.
  std::vector<std::function<void()>> batch;
  batch.swap(deferred_);
  for (auto& fn : batch) fn();
}

void EventLoop::FlushAll() {
  flushing_.swap(flushers_);
  for (size_t i = 0; i < flushing_.size(); ++i) {
    if (flushing_[i] != nullptr) flushing_[i]->Flush();
  }
  flushing_.clear();
}

void EventLoop::CancelFlush(Flusher* flusher) {
  std::erase(flushers_, flusher);
  std::replace(flushing_.begin(), flushing_.end(), flusher, static_cast<Flusher*>(nullptr));
}

absl::StatusOr<EventLoop::WatchId> EventLoop::Watch(int fd, bool read, bool write,
                                                    FdHandler* handler) {
  const WatchId id = next_watch_++;
  epoll_event event{};
  event.events = EpollMask(read, write);
  event.data.u64 = id;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return SystemError("epoll_ctl");
  watched_.emplace(id, Watched{fd, handler});
  return id;
}

void EventLoop::SetInterest(WatchId watch, bool read, bool write) {
  const auto it = watched_.find(watch);
  if (it == watched_.end()) return;
  epoll_event event{};
  event.events = EpollMask(read, write);
  event.data.u64 = watch;
  const int result = epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, it->second.fd, &event);
  INVARIANT(result == 0) << "descriptor closed before Unwatch: " << strerror(errno);
}

void EventLoop::Unwatch(WatchId watch) {
  const auto it = watched_.find(watch);
  if (it == watched_.end()) return;
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, it->second.fd, nullptr);
  watched_.erase(it);
}

EventLoop::TimerId EventLoop::StartTimer(Instant at, std::function<void()> fn) {
  const TimerId id{at, next_timer_++};
  timers_.emplace(id, std::move(fn));
  return id;
}

void EventLoop::CancelTimer(TimerId timer) { timers_.erase(timer); }

}  // namespace flaredb::net
