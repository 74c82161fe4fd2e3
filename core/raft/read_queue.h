// SPDX-License-Identifier: Apache-2.0
// Linearizable reads that wait for proof that their leader still leads (thesis 6.4).
#ifndef FLAREDB_CORE_RAFT_READ_QUEUE_H_
#define FLAREDB_CORE_RAFT_READ_QUEUE_H_

#include <optional>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ring.h"
#include "core/base/types.h"
#include "core/raft/effects.h"

namespace flaredb::raft {

// A read takes the commit index at its arrival and waits for a quorum to answer a round of contact
// that began later. A new leader's commit index may lag until it commits an entry of its own term
// (thesis 6.4, step 1): reads that arrive earlier are taken in without an index.
class ReadQueue {
 public:
  // Requires: rounds do not decrease from call to call; an index, once given, always is.
  void Add(ReadId id, std::optional<Index> index, uint64_t round) {
    reads_.push_back({id, index, round});
  }
  // The leader has committed in its own term; reads without an index get this one.
  void Place(Index index) {
    // Those without one are the newest.
    for (size_t i = reads_.size(); i > 0 && !reads_[i - 1].index; --i) reads_[i - 1].index = index;
  }
  // A quorum answered `round`. Moves the reads that it proves into `out`.
  void Confirm(uint64_t round, std::vector<ReadOutcome>* out) {
    while (!reads_.empty() && reads_.front().index && reads_.front().round <= round) {
      out->push_back({reads_.front().id, true, *reads_.front().index});
      reads_.pop_front();
    }
  }
  // Leadership is lost.
  void Abort(std::vector<ReadOutcome>* out) {
    for (const Waiting& read : reads_) out->push_back({read.id, false, Index()});
    reads_.clear();
  }
  bool empty() const { return reads_.empty(); }
  // Whether every read has its index.
  bool placed() const { return reads_.empty() || reads_.back().index.has_value(); }
  // The newest round that a read waits for. Requires !empty().
  uint64_t last_round() const { return reads_.back().round; }
  // The round that proves the oldest read; zero when there is none, or it has no index yet.
  uint64_t provable_round() const {
    return reads_.empty() || !reads_.front().index ? 0 : reads_.front().round;
  }
  size_t size() const { return reads_.size(); }
  void ReleaseIfEmpty() { reads_.ReleaseIfEmpty(); }
  void HashInto(Hasher* hasher) const {
    hasher->Add(reads_.size());
    for (const Waiting& read : reads_) {
      hasher->Add(read.id).Add(read.index.value_or(Index())).Add(read.round);
    }
  }

 private:
  struct Waiting {
    ReadId id;
    std::optional<Index> index;
    uint64_t round;
  };
  Ring<Waiting> reads_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_READ_QUEUE_H_
