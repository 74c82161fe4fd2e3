// SPDX-License-Identifier: Apache-2.0
// Shared ownership of immutable values by an intrusive count.
#ifndef FLAREDB_CORE_BASE_REF_H_
#define FLAREDB_CORE_BASE_REF_H_

#include <sys/single_threaded.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace flaredb {

// A counted pointer to a T that offers `void AddRef() const` and `void Release() const`. Null when
// default-constructed. The count may be shared between threads (the disk writer holds references);
// the value behind it must not change while shared.
template <typename T>
class Ref {
 public:
  Ref() = default;
  // Takes over one reference.
  static Ref Adopt(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  Ref(const Ref& other) : p_(other.p_) {
    if (p_ != nullptr) p_->AddRef();
  }
  Ref(Ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~Ref() {
    if (p_ != nullptr) p_->Release();
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  T* p_ = nullptr;
};

// The count itself: starts at one. The only atomic of the deterministic parts; its value decides
// nothing but the moment of deletion. A process of one thread (the simulator, a benchmark) pays for
// no bus locks, as with std::shared_ptr.
class RefCount {
 public:
  void Add() const {
    if (__libc_single_threaded) {
      count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      count_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  // True when the last reference went. Its only owner needs no bus lock to see that.
  bool Drop() const {
    if (IsOne()) return true;
    if (!__libc_single_threaded) return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    count_.store(count_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    return false;
  }
  bool IsOne() const { return count_.load(std::memory_order_acquire) == 1; }

 private:
  mutable std::atomic<uint32_t> count_{1};
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_REF_H_
