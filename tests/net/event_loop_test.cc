// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "net/signals.h"
#include "net/system_clock.h"

namespace flaredb::net {
namespace {

struct Recorder : FdHandler, Flusher {
  explicit Recorder(std::function<void(Readiness)> f) : fn(std::move(f)) {}
  void OnReady(Readiness ready) override { fn(ready); }
  void Flush() override { fn({}); }
  std::function<void(Readiness)> fn;
};

class EventLoopTest : public testing::Test {
 protected:
  EventLoopTest() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_), 0); }
  ~EventLoopTest() override {
    close(fds_[0]);
    close(fds_[1]);
  }
  std::unique_ptr<EventLoop> loop_ = EventLoop::Create().value();
  std::vector<std::string> log_;
  int fds_[2];
};

TEST_F(EventLoopTest, IterationIsReadyThenTimersThenDeferredThenTurnThenFlush) {
  Recorder flusher([&](Readiness) { log_.push_back("flush"); });
  Recorder reader([&](Readiness) {
    log_.push_back("ready");
    loop_->Defer([&] { log_.push_back("deferred"); });
    loop_->RequestFlush(&flusher);
  });
  ASSERT_TRUE(loop_->Watch(fds_[0], true, false, &reader).ok());
  loop_->StartTimer(Instant(), [&] { log_.push_back("timer"); });
  loop_->SetTurn([&](Instant now) {
    EXPECT_EQ(now, loop_->now());
    log_.push_back("turn");
  });
  ASSERT_EQ(write(fds_[1], "x", 1), 1);
  loop_->RunOnce(Instant::Max());
  EXPECT_EQ(log_, (std::vector<std::string>{"ready", "timer", "deferred", "turn", "flush"}));
}

TEST_F(EventLoopTest, TimersRunInTheOrderOfTheirInstantsAndCanBeCancelled) {
  const Instant now = loop_->now();
  loop_->StartTimer(now + Duration::Milliseconds(2), [&] { log_.push_back("b"); });
  loop_->StartTimer(now + Duration::Milliseconds(1), [&] { log_.push_back("a"); });
  const auto cancelled =
      loop_->StartTimer(now + Duration::Milliseconds(1), [&] { log_.push_back("never"); });
  loop_->CancelTimer(cancelled);
  while (log_.size() < 2) loop_->RunOnce(Instant::Max());
  EXPECT_EQ(log_, (std::vector<std::string>{"a", "b"}));
  EXPECT_GE(loop_->now(), now + Duration::Milliseconds(2));
}

TEST_F(EventLoopTest, WaitsForTheDeadlineAndNotLess) {
  const Instant deadline = MonotonicNow() + Duration::Milliseconds(20);
  loop_->RunOnce(deadline);
  EXPECT_GE(loop_->now(), deadline);
}

TEST_F(EventLoopTest, PostsOfOtherThreadsArriveInOrder) {
  std::vector<int> got;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop_->Post([&got, i] { got.push_back(i); });
  });
  while (got.size() < 1000) loop_->RunOnce(Instant::Max());
  other.join();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(got[static_cast<size_t>(i)], i);
}

TEST_F(EventLoopTest, PostAfterTheEndIsDropped) {
  const std::shared_ptr<Mailbox> mailbox = loop_->mailbox();
  bool ran = false;
  mailbox->Post([&] { ran = true; });
  loop_.reset();
  mailbox->Post([&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, UnwatchedHandlerIsNotCalledInTheSameBatch) {
  EventLoop::WatchId first = 0;
  EventLoop::WatchId second = 0;
  // Whichever is first ends the other, although both are ready.
  Recorder a([&](Readiness) {
    log_.push_back("a");
    loop_->Unwatch(second);
  });
  Recorder b([&](Readiness) {
    log_.push_back("b");
    loop_->Unwatch(first);
  });
  first = loop_->Watch(fds_[0], true, false, &a).value();
  second = loop_->Watch(fds_[1], true, false, &b).value();
  ASSERT_EQ(write(fds_[0], "x", 1), 1);
  ASSERT_EQ(write(fds_[1], "x", 1), 1);
  loop_->RunOnce(Instant::Max());
  EXPECT_EQ(log_.size(), 1u);
}

TEST_F(EventLoopTest, WhatIsDeferredOrFlushedLateDoesNotWait) {
  Recorder flusher([&](Readiness) {
    log_.push_back("flush");
    if (log_.size() == 1) {
      loop_->RequestFlush(&flusher);
      loop_->Defer([&] { log_.push_back("deferred"); });
    }
  });
  loop_->RequestFlush(&flusher);
  loop_->RunOnce(Instant::Max());
  loop_->RunOnce(Instant::Max());
  EXPECT_EQ(log_, (std::vector<std::string>{"flush", "deferred", "flush"}));
}

TEST_F(EventLoopTest, CancelledFlusherIsNotCalled) {
  Recorder second([&](Readiness) { log_.push_back("never"); });
  Recorder first([&](Readiness) { loop_->CancelFlush(&second); });
  loop_->RequestFlush(&first);
  loop_->RequestFlush(&second);
  loop_->RunOnce(Instant::Max());
  loop_->RunOnce(Instant());
  EXPECT_TRUE(log_.empty());
}

TEST_F(EventLoopTest, SignalsBecomeCallsAndAreGivenBack) {
  int got = 0;
  {
    auto watcher = SignalWatcher::Create(loop_.get(), {SIGUSR1}, [&](int s) { got = s; });
    ASSERT_TRUE(watcher.ok()) << watcher.status();
    raise(SIGUSR1);
    loop_->RunOnce(Instant::Max());
    EXPECT_EQ(got, SIGUSR1);
  }
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 0);
}

TEST(SystemClock, TheWallClockIsToldAsOfAMoment) {
  const Instant now = MonotonicNow();
  const auto unix_ms = static_cast<int64_t>(UnixMsNow());
  const auto told = [&](Duration ago) { return static_cast<int64_t>(UnixMsAt(now - ago)); };
  EXPECT_NEAR(told(Duration()), unix_ms, 500);
  EXPECT_NEAR(told(Duration::Seconds(3)), unix_ms - 3000, 500);
}

}  // namespace
}  // namespace flaredb::net
