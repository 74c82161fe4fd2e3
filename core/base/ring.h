// SPDX-License-Identifier: Apache-2.0
// A queue in one array, for queues that are usually empty or short and live long.
#ifndef FLAREDB_CORE_BASE_RING_H_
#define FLAREDB_CORE_BASE_RING_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace flaredb {

// First in, first out, with access by position: 0 is the front. The array is a power of two and is
// walked in a circle. It is allocated by the first push, doubles when it is full, and is kept when
// elements go: a queue that has reached its usual length allocates no more. (std::deque allocates
// when it is made, and again and again while elements pass through it.)
//
// A value: copies are independent, with an array no larger than they need; what was moved from is
// empty. References to elements and iterators last until the next push, or until their element
// goes. Holds fewer than 2^31 elements. Access requires what it looks for to be there.
template <typename T>
class Ring {
  static_assert(std::is_nothrow_move_constructible_v<T>, "growing must not fail half-way");

 public:
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const_iterator() = default;
    const_iterator(const Ring* ring, size_t position) : ring_(ring), position_(position) {}

    reference operator*() const { return (*ring_)[position_]; }
    pointer operator->() const { return &(*ring_)[position_]; }
    const_iterator& operator++() {
      ++position_;
      return *this;
    }
    const_iterator operator++(int) { return {ring_, position_++}; }
    friend bool operator==(const const_iterator&, const const_iterator&) = default;

   private:
    const Ring* ring_ = nullptr;
    size_t position_ = 0;
  };

  Ring() = default;
  Ring(const Ring& other) {
    if (other.empty()) return;
    uint32_t capacity = kFirstCapacity;
    while (capacity < other.size_) capacity *= 2;
    slots_ = Allocator().allocate(capacity);
    capacity_ = capacity;
    for (const T& element : other) push_back(element);
  }
  Ring(Ring&& other) noexcept
      : slots_(std::exchange(other.slots_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        head_(std::exchange(other.head_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Ring& operator=(Ring other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Ring() {
    clear();
    if (slots_ != nullptr) Allocator().deallocate(slots_, capacity_);
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  T& operator[](size_t position) { return *slot(position); }
  const T& operator[](size_t position) const { return *slot(position); }
  T& front() { return *slot(0); }
  const T& front() const { return *slot(0); }
  T& back() { return *slot(size_ - 1); }
  const T& back() const { return *slot(size_ - 1); }
  const_iterator begin() const { return {this, 0}; }
  const_iterator end() const { return {this, size_}; }

  // By value: the element may be one of this ring. Amortized O(1).
  void push_back(T element) {
    if (size_ == capacity_) Grow();
    new (slot(size_)) T(std::move(element));
    ++size_;
  }
  void pop_front() {
    slot(0)->~T();
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
  }
  void pop_back() {
    slot(size_ - 1)->~T();
    --size_;
  }
  // Keeps the array.
  void clear() {
    while (size_ > 0) pop_back();
    head_ = 0;
  }
  // Gives the array back if nothing is in it.
  void ReleaseIfEmpty() {
    if (empty()) *this = Ring();
  }

 private:
  using Allocator = std::allocator<T>;
  static constexpr uint32_t kFirstCapacity = 4;

  T* slot(size_t position) const { return slots_ + ((head_ + position) & (capacity_ - 1)); }

  void Grow() {
    const uint32_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
    T* const slots = Allocator().allocate(capacity);
    for (uint32_t i = 0; i < size_; ++i) {
      T* const old = slot(i);
      new (slots + i) T(std::move(*old));
      old->~T();
    }
    if (slots_ != nullptr) Allocator().deallocate(slots_, capacity_);
    slots_ = slots;
    capacity_ = capacity;
    head_ = 0;
  }

  T* slots_ =
      nullptr;  // Elements lie in [head_, head_ + size_), modulo capacity_; the rest is raw.
  uint32_t capacity_ = 0;
  uint32_t head_ = 0;
  uint32_t size_ = 0;
};

}  // namespace flaredb

#endif  // FLAREDB_CORE_BASE_RING_H_
