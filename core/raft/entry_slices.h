// SPDX-License-Identifier: Apache-2.0
// Consecutive slices in index order: what messages, persists and applies carry.
#ifndef FLAREDB_CORE_RAFT_ENTRY_SLICES_H_
#define FLAREDB_CORE_RAFT_ENTRY_SLICES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "core/raft/entry.h"

namespace flaredb::raft {

// A vector that has room for one slice in itself, because nearly all carry none or one, and every
// message that is made, moved or dropped pays for it: being empty costs one comparison, being moved
// three words. (absl::InlinedVector in its place took an eighth of the core's time.)
class EntrySlices {
 public:
  EntrySlices() {}
  explicit EntrySlices(EntrySlice slice) { push_back(std::move(slice)); }
  EntrySlices(const EntrySlices& other) {
    for (const EntrySlice& slice : other) push_back(slice);
  }
  EntrySlices(EntrySlices&& other) noexcept { Take(other); }
  EntrySlices& operator=(EntrySlices other) noexcept {
    Drop();
    Take(other);
    return *this;
  }
  ~EntrySlices() { Drop(); }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  EntrySlice* begin() { return data(); }
  EntrySlice* end() { return data() + size_; }
  const EntrySlice* begin() const { return data(); }
  const EntrySlice* end() const { return data() + size_; }
  // These require what they look for to be there.
  EntrySlice& operator[](size_t i) { return data()[i]; }
  const EntrySlice& operator[](size_t i) const { return data()[i]; }
  const EntrySlice& front() const { return data()[0]; }
  const EntrySlice& back() const { return data()[size_ - 1]; }
  EntrySlice& back() { return data()[size_ - 1]; }

  // Amortized O(1).
  void push_back(EntrySlice slice) {
    if (size_ == capacity_) Grow();
    new (data() + size_) EntrySlice(std::move(slice));
    ++size_;
  }

 private:
  EntrySlice* data() { return capacity_ == 1 ? &own_ : elsewhere_; }
  const EntrySlice* data() const { return capacity_ == 1 ? &own_ : elsewhere_; }

  // Requires that this holds nothing, not even memory.
  void Take(EntrySlices& other) {
    if (other.size_ == 0) return;
    if (other.capacity_ == 1) {
      new (&own_) EntrySlice(std::move(other.own_));
      other.own_.~EntrySlice();
    } else {
      elsewhere_ = other.elsewhere_;
      capacity_ = std::exchange(other.capacity_, 1);
    }
    size_ = std::exchange(other.size_, 0);
  }
  void Drop() {
    if (size_ == 0) return;
    if (capacity_ > 1) return DropMany();
    own_.~EntrySlice();
    size_ = 0;
  }
  void DropMany();
  void Grow();

  // Never more room than `own_` without a slice in it.
  uint32_t size_ = 0;
  uint32_t capacity_ = 1;
  union {
    EntrySlice own_;                   // If capacity_ is 1.
    EntrySlice* elsewhere_ = nullptr;  // Otherwise.
  };
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_ENTRY_SLICES_H_
