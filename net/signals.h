// SPDX-License-Identifier: Apache-2.0
// Process signals as events of a loop.
#ifndef FLAREDB_NET_SIGNALS_H_
#define FLAREDB_NET_SIGNALS_H_

#include <functional>
#include <initializer_list>
#include <memory>

#include "absl/status/statusor.h"
#include "net/event_loop.h"

namespace flaredb::net {

// While it lives, the given signals no longer interrupt the process but call a function on the
// loop's thread. Create it before any other thread is started: threads inherit the signal mask.
class SignalWatcher : private FdHandler {
 public:
  static absl::StatusOr<std::unique_ptr<SignalWatcher>> Create(EventLoop* loop,
                                                               std::initializer_list<int> signals,
                                                               std::function<void(int signal)> fn);
  // Gives the signals back their former treatment.
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  struct SavedMask;
  SignalWatcher(EventLoop* loop, int fd, std::unique_ptr<SavedMask> saved,
                std::function<void(int)> fn);
  void OnReady(Readiness ready) override;

  EventLoop* const loop_;
  const int fd_;
  const std::unique_ptr<SavedMask> saved_;
  const std::function<void(int)> fn_;
  EventLoop::WatchId watch_ = 0;
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SIGNALS_H_
