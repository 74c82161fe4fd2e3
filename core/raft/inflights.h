// SPDX-License-Identifier: Apache-2.0
// One follower's window of unanswered appends.
#ifndef FLAREDB_CORE_RAFT_INFLIGHTS_H_
#define FLAREDB_CORE_RAFT_INFLIGHTS_H_

#include <cstddef>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/ring.h"
#include "core/base/types.h"

namespace flaredb::raft {

// Appends are answered by watermark: an accept up to an index answers all before it.
class Inflights {
 public:
  size_t count() const { return sent_.size(); }
  size_t bytes() const { return bytes_; }

  void Add(Index last_index, size_t bytes) {
    INVARIANT(sent_.empty() || sent_.back().last_index < last_index);
    sent_.push_back({last_index, bytes});
    bytes_ += bytes;
  }
  void AcceptedUpTo(Index match_index) {
    while (!sent_.empty() && sent_.front().last_index <= match_index) {
      bytes_ -= sent_.front().bytes;
      sent_.pop_front();
    }
  }
  void Clear() {
    sent_.clear();
    bytes_ = 0;
  }
  void ReleaseIfEmpty() { sent_.ReleaseIfEmpty(); }
  void HashInto(Hasher* hasher) const {
    hasher->Add(sent_.size());
    for (const Sent& sent : sent_) hasher->Add(sent.last_index).Add(sent.bytes);
  }

 private:
  struct Sent {
    Index last_index;
    size_t bytes;
  };
  Ring<Sent> sent_;
  size_t bytes_ = 0;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_INFLIGHTS_H_
