// SPDX-License-Identifier: Apache-2.0
#include "core/raft/entry_slices.h"

namespace flaredb::raft {

void EntrySlices::DropMany() {
  std::destroy(begin(), end());
  std::allocator<EntrySlice>().deallocate(elsewhere_, capacity_);
  size_ = 0;
  capacity_ = 1;
}

void EntrySlices::Grow() {
  const uint32_t capacity = capacity_ * 4;
  EntrySlice* const slices = std::allocator<EntrySlice>().allocate(capacity);
  std::uninitialized_move(begin(), end(), slices);
  const uint32_t size = size_;
  Drop();  // Of what was moved from, and its room.
  elsewhere_ = slices;
  size_ = size;
  capacity_ = capacity;
}

}  // namespace flaredb::raft
