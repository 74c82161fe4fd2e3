// SPDX-License-Identifier: Apache-2.0
// The hand-off from the event loop to a worker thread.
#ifndef FLAREDB_STORAGE_WORK_QUEUE_H_
#define FLAREDB_STORAGE_WORK_QUEUE_H_

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace flaredb::storage {

// First in, first out; unbounded, since the core bounds what it has in flight. Thread-safe.
template <typename T>
class WorkQueue {
 public:
  // Ignored once closed.
  void Push(T item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
  }

  // Waits for items and moves all of them into `items`, which must be empty. False when the queue
  // is closed and empty: there will be no more.
  bool TakeAll(std::vector<T>& items) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return closed_ || !items_.empty(); });
    items.swap(items_);
    return !items.empty();
  }

  // What is queued can still be taken.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready_.notify_all();
  }
  // What is queued is dropped.
  void CloseAndDrop() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    items_.clear();
    ready_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::vector<T> items_;
  bool closed_ = false;
};

}  // namespace flaredb::storage

#endif  // FLAREDB_STORAGE_WORK_QUEUE_H_
