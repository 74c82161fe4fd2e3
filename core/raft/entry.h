// SPDX-License-Identifier: Apache-2.0
// Log entries, in immutable counted blocks: the log, the disk, the wire and the state machine all
// hold the same bytes.
#ifndef FLAREDB_CORE_RAFT_ENTRY_H_
#define FLAREDB_CORE_RAFT_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "core/base/check.h"
#include "core/base/ref.h"
#include "core/base/types.h"

namespace flaredb::raft {

enum class EntryKind : uint8_t {
  kNoop = 0,     // A new leader's first entry (thesis 3.6.2). Empty.
  kCommand = 1,  // Opaque bytes for the state machine.
  kConf = 2,     // A ConfState (EncodeConfState), in force from its append on (thesis 4.1).
};

// What a proposer supplies for one entry. `payload` is borrowed for the call.
struct NewEntry {
  EntryKind kind = EntryKind::kCommand;
  std::string_view payload;
};

// One entry as its readers see it. `payload` lives as long as the block.
struct EntryView {
  Index index;
  Term term;
  EntryKind kind = EntryKind::kNoop;
  std::string_view payload;
};

class EntryBlock;
using EntryBlockRef = Ref<const EntryBlock>;

// Consecutive entries of one term in one allocation. Immutable once placed.
class EntryBlock {
 public:
  // Copies the payloads: the only copy on the way of a proposal. The block has no position until
  // Place. Requires at least one entry and payloads below 4 GiB together.
  static EntryBlockRef Create(absl::Span<const NewEntry> entries);
  // As Create, for entries whose position is known: read from the disk or the wire.
  static EntryBlockRef Create(Term term, Index first_index, absl::Span<const NewEntry> entries);

  // Gives a new block its position. Requires that `block` is its only owner and has none yet.
  static void Place(const EntryBlockRef& block, Term term, Index first_index);

  Term term() const { return term_; }
  Index first_index() const { return first_index_; }
  Index last_index() const { return first_index_ + (size_ - 1); }
  uint32_t size() const { return size_; }
  // Entry number i of the block, i < size().
  EntryView at(uint32_t i) const {
    const uint32_t begin = begin_of(i);
    return {first_index_ + i, term_, slots()[i].kind,
            std::string_view(payloads() + begin, slots()[i].end - begin)};
  }
  // Whether any of them is a configuration.
  bool has_conf() const { return has_conf_; }
  // Payload bytes of the entries [begin, end).
  size_t bytes(uint32_t begin, uint32_t end) const { return begin_of(end) - begin_of(begin); }

  void AddRef() const { refs_.Add(); }
  void Release() const {
    if (refs_.Drop()) Delete();
  }

  EntryBlock(const EntryBlock&) = delete;
  EntryBlock& operator=(const EntryBlock&) = delete;

 private:
  // Where entry i ends in the payload area, and its kind.
  struct Slot {
    uint32_t end;
    EntryKind kind;
  };

  explicit EntryBlock(uint32_t size) : size_(size) {}
  ~EntryBlock() = default;
  void Delete() const;
  const Slot* slots() const { return reinterpret_cast<const Slot*>(this + 1); }
  const char* payloads() const { return reinterpret_cast<const char*>(slots() + size_); }
  uint32_t begin_of(uint32_t i) const { return i == 0 ? 0 : slots()[i - 1].end; }

  RefCount refs_;
  uint32_t size_ : 31;
  uint32_t has_conf_ : 1 = 0;
  Term term_;
  Index first_index_;
};

// A non-empty run [begin, end) of a placed block. A value; copying costs one reference.
class EntrySlice {
 public:
  explicit EntrySlice(EntryBlockRef block) : block_(std::move(block)), end_(block_->size()) {
    INVARIANT(block_->first_index());
  }
  EntrySlice(EntryBlockRef block, uint32_t begin, uint32_t end)
      : block_(std::move(block)), begin_(begin), end_(end) {
    INVARIANT(begin_ < end_ && end_ <= block_->size());
    INVARIANT(block_->first_index());
  }

  Term term() const { return block_->term(); }
  Index first_index() const { return block_->first_index() + begin_; }
  Index last_index() const { return block_->first_index() + (end_ - 1); }
  uint32_t size() const { return end_ - begin_; }
  EntryView at(uint32_t i) const { return block_->at(begin_ + i); }
  size_t bytes() const { return block_->bytes(begin_, end_); }

  // The part with indexes in [first, last]. Requires a non-empty intersection.
  EntrySlice Clip(Index first, Index last) const {
    return first <= first_index() && last_index() <= last ? *this : CutTo(first, last);
  }
  // The longest prefix of at most `bytes_max` payload bytes, but at least one entry.
  EntrySlice PrefixOfBytes(size_t bytes_max) const;

  const EntryBlockRef& block() const { return block_; }

 private:
  EntrySlice CutTo(Index first, Index last) const;

  EntryBlockRef block_;
  uint32_t begin_ = 0;
  uint32_t end_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_ENTRY_H_
