// SPDX-License-Identifier: Apache-2.0
// One thread's loop over epoll: wait, handle everything that is ready, take one turn, flush.
#ifndef FLAREDB_NET_EVENT_LOOP_H_
#define FLAREDB_NET_EVENT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/time.h"

namespace flaredb::net {

// What a file descriptor is ready for. Errors and hang-ups count as both, so that the next read or
// write meets and names them.
struct Readiness {
  bool readable = false;
  bool writable = false;
};

// Receives the readiness of one watched descriptor. Not owned by the loop.
class FdHandler {
 public:
  virtual void OnReady(Readiness ready) = 0;

 protected:
  ~FdHandler() = default;
};

// Writes out what a turn has produced. Not owned by the loop.
class Flusher {
 public:
  virtual void Flush() = 0;

 protected:
  ~Flusher() = default;
};

// Hands functions to a loop from any thread. Outlives the loop: what is posted after the loop's
// end is destroyed, not run.
class Mailbox {
 public:
  // Takes ownership of `wake_fd`, an eventfd.
  explicit Mailbox(int wake_fd) : wake_fd_(wake_fd) {}
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Runs `fn` on the loop's thread, in its next iteration, in the order of posting. Thread-safe.
  // At most one system call, and none while an earlier post is still waiting.
  void Post(std::function<void()> fn);

 private:
  friend class EventLoop;
  // Moves everything posted so far into `out`, which must be empty.
  void Take(std::vector<std::function<void()>>* out);
  void Close();

  const int wake_fd_;
  std::mutex mutex_;
  bool closed_ = false;                     // Guarded by mutex_.
  std::vector<std::function<void()>> fns_;  // Guarded by mutex_.
};

// An iteration (RunOnce) is, in this order:
//   1. wait for descriptors, posts, timers or the deadline; read the clock once
//   2. handlers of all ready descriptors, due timers, posted and deferred functions
//   3. the turn: the owner's one function over everything that step 2 collected
//   4. every requested flush, so that the output of a turn leaves in one write per socket
// Descriptors are level-triggered: a handler may leave bytes unread and is called again.
//
// All members but Post() and mailbox() are for the loop's own thread. Nothing is called before
// RunOnce or after it. Exceptions of callbacks pass through RunOnce to its caller.
class EventLoop {
 public:
  // Names one watch. Never reused, so a stale one does nothing.
  using WatchId = uint64_t;
  // Names one timer. Never reused, so a stale one does nothing.
  using TimerId = std::pair<Instant, uint64_t>;

  // Fails when the process is out of descriptors or memory.
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Performs one iteration. Waits until something happens or `deadline` passes, whichever is
  // first; Instant::Max() waits for ever, an instant in the past does not wait at all.
  void RunOnce(Instant deadline);

  // How many descriptors were ready in this iteration.
  size_t ready_count() const { return ready_count_; }

  // The clock as read at the last wake-up; constant within an iteration.
  Instant now() const { return now_; }

  // Sets step 3. Called in every iteration, also when nothing was ready. nullptr removes it.
  void SetTurn(std::function<void(Instant now)> turn) { turn_ = std::move(turn); }

  // Starts watching `fd`. The descriptor must be non-blocking, and neither it nor `handler` may
  // go away before Unwatch. Fails when the kernel refuses (limit of epoll watches, memory).
  absl::StatusOr<WatchId> Watch(int fd, bool read, bool write, FdHandler* handler);
  // Changes what is watched for. With neither, only errors and hang-ups are reported.
  void SetInterest(WatchId watch, bool read, bool write);
  // Ends the watch; call before closing the descriptor. Readiness that was already collected in
  // this iteration is not delivered any more, so the handler may be destroyed at once.
  void Unwatch(WatchId watch);

  // Runs `fn` once in the first iteration at or after `at`, in the order of instants. O(log n).
  TimerId StartTimer(Instant at, std::function<void()> fn);
  // A timer that has run or was cancelled is ignored. O(log n).
  void CancelTimer(TimerId timer);

  // Runs `fn` before the next turn: in this iteration when still in step 2, else in the next,
  // which then does not wait. The way to do what the caller's stack forbids.
  void Defer(std::function<void()> fn) { deferred_.push_back(std::move(fn)); }

  // Calls flusher->Flush() once in step 4 of this iteration, or of the next when requested during
  // step 4. The caller sees to it that a flusher asks once; it must stay alive or CancelFlush.
  void RequestFlush(Flusher* flusher) { flushers_.push_back(flusher); }
  void CancelFlush(Flusher* flusher);

  // Thread-safe; see Mailbox::Post.
  void Post(std::function<void()> fn) { mailbox_->Post(std::move(fn)); }
  // For threads that may outlive the loop.
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

 private:
  struct Watched {
    int fd;
    FdHandler* handler;
  };

  EventLoop(int epoll_fd, std::shared_ptr<Mailbox> mailbox);
  int TimeoutMs(Instant deadline) const;
  void HandleDescriptors(int timeout_ms);
  void RunDueTimers();
  void RunPosted();
  void RunDeferred();
  void FlushAll();

  const int epoll_fd_;
  const std::shared_ptr<Mailbox> mailbox_;
  Instant now_;
  size_t ready_count_ = 0;
  std::function<void(Instant)> turn_;
  // The key is what epoll hands back, so an event of an ended watch finds nothing.
  std::map<WatchId, Watched> watched_;
  WatchId next_watch_ = 1;
  std::map<TimerId, std::function<void()>> timers_;
  uint64_t next_timer_ = 1;
  std::vector<std::function<void()>> deferred_;
  std::vector<Flusher*> flushers_;
  std::vector<Flusher*> flushing_;  // The batch of the running step 4; nullptr when cancelled.
};

}  // namespace flaredb::net

#endif  // FLAREDB_NET_EVENT_LOOP_H_
