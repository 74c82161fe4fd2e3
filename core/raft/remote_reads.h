// SPDX-License-Identifier: Apache-2.0
// Reads at a replica that does not lead, waiting for its leader to name a safe point (thesis 6.4).
#ifndef FLAREDB_CORE_RAFT_REMOTE_READS_H_
#define FLAREDB_CORE_RAFT_REMOTE_READS_H_

#include <vector>

#include "core/base/hash.h"
#include "core/base/probe.h"
#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/effects.h"

namespace flaredb::raft {

// A request speaks for all reads that came before it left; those that come later wait for the next.
// It may be repeated, because it or its answer may be lost; the answer to an earlier one stays good
// for the reads that it spoke for, or a link slower than the repetitions would never answer any.
class RemoteReads {
 public:
  void Add(ReadId id) { later_.push_back(id); }

  bool empty() const { return asked_.empty() && later_.empty(); }
  bool request_under_way() const { return !asked_.empty(); }
  Instant asked_at() const { return asked_at_; }

  // A request leaves, for everybody who waits. Requests count up.
  void Ask(uint64_t request, Instant now) {
    latest_request_ = request;
    asked_at_ = now;
    for (const ReadId id : later_) asked_.push_back({id, request});
    later_.clear();
  }
  // The leader named `index` in answer to `request`, which may be one of an earlier life of this
  // replica. False: a request is still under way.
  bool Grant(uint64_t request, Index index, std::vector<ReadOutcome>* out) {
    if (request > latest_request_) return asked_.empty();
    SOMETIMES(kRemoteReadAnsweredLate,
              request < latest_request_ && !asked_.empty() && asked_[0].first_request <= request);
    auto rest = asked_.begin();
    while (rest != asked_.end() && rest->first_request <= request) {
      out->push_back({rest->id, true, index});
      ++rest;
    }
    asked_.erase(asked_.begin(), rest);
    return asked_.empty();
  }
  // The leader is gone, or another one.
  void Abort(std::vector<ReadOutcome>* out) {
    for (const Asked& read : asked_) out->push_back({read.id, false, Index()});
    for (const ReadId id : later_) out->push_back({id, false, Index()});
    asked_.clear();
    later_.clear();
  }
  size_t size() const { return asked_.size() + later_.size(); }
  void HashInto(Hasher* hasher) const {
    hasher->Add(asked_.size()).Add(later_.size());
    for (const Asked& read : asked_) hasher->Add(read.id).Add(read.first_request);
    for (const ReadId id : later_) hasher->Add(id);
  }

 private:
  struct Asked {
    ReadId id;
    uint64_t first_request;  // The earliest that speaks for it.
  };
  std::vector<Asked> asked_;  // In the order of asking.
  std::vector<ReadId> later_;
  uint64_t latest_request_ = 0;
  Instant asked_at_;
};

}  // namespace flaredb::raft

#endif  // FLAREDB_CORE_RAFT_REMOTE_READS_H_
