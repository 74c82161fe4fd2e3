// SPDX-License-Identifier: Apache-2.0
#include "core/raft/entry.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "core/base/check.h"

namespace flaredb::raft {

EntryBlockRef EntryBlock::Create(absl::Span<const NewEntry> entries) {
  INVARIANT(!entries.empty());
  size_t payload_bytes = 0;
  for (const NewEntry& entry : entries) payload_bytes += entry.payload.size();
  INVARIANT(payload_bytes <= std::numeric_limits<uint32_t>::max());

  const size_t slots_bytes = entries.size() * sizeof(Slot);
  void* memory = ::operator new(sizeof(EntryBlock) + slots_bytes + payload_bytes);
  auto* block = new (memory) EntryBlock(static_cast<uint32_t>(entries.size()));
  auto* slot = reinterpret_cast<Slot*>(block + 1);
  char* payload = reinterpret_cast<char*>(slot) + slots_bytes;
  uint32_t end = 0;
  for (const NewEntry& entry : entries) {
    if (!entry.payload.empty()) {
      std::memcpy(payload + end, entry.payload.data(), entry.payload.size());
    }
    end += static_cast<uint32_t>(entry.payload.size());
    new (slot++) Slot{end, entry.kind};
    if (entry.kind == EntryKind::kConf) block->has_conf_ = true;
  }
  return EntryBlockRef::Adopt(block);
}

EntryBlockRef EntryBlock::Create(Term term, Index first_index, absl::Span<const NewEntry> entries) {
  EntryBlockRef block = Create(entries);
  Place(block, term, first_index);
  return block;
}

void EntryBlock::Place(const EntryBlockRef& block, Term term, Index first_index) {
  INVARIANT(block->refs_.IsOne());
  INVARIANT(!block->first_index_);
  INVARIANT(first_index && term);
  // Immutable from here on: the only owner is about to share it.
  auto* unplaced = const_cast<EntryBlock*>(block.get());
  unplaced->term_ = term;
  unplaced->first_index_ = first_index;
}

void EntryBlock::Delete() const {
  this->~EntryBlock();
  ::operator delete(const_cast<EntryBlock*>(this));
}

EntrySlice EntrySlice::CutTo(Index first, Index last) const {
  const Index from = std::max(first, first_index());
  const Index to = std::min(last, last_index());
  INVARIANT(from <= to);
  const Index origin = block_->first_index();
  return EntrySlice(block_, static_cast<uint32_t>(from - origin),
                    static_cast<uint32_t>(to - origin) + 1);
}

EntrySlice EntrySlice::PrefixOfBytes(size_t bytes_max) const {
  if (bytes() <= bytes_max) return *this;
  // The largest end whose bytes fit; sizes grow with the end, so bisect.
  uint32_t fits = begin_ + 1;
  uint32_t beyond = end_;
  while (fits + 1 < beyond) {
    const uint32_t middle = fits + (beyond - fits) / 2;
    (block_->bytes(begin_, middle) <= bytes_max ? fits : beyond) = middle;
  }
  return EntrySlice(block_, begin_, fits);
}

}  // namespace flaredb::raft
