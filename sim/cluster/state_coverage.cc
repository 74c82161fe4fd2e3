// SPDX-License-Identifier: Apache-2.0
#include "sim/cluster/state_coverage.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "core/base/hash.h"

namespace flaredb::sim {
namespace {

// One number for each replica.
using Shape = absl::InlinedVector<uint64_t, 8>;

// 0, 1, few, many.
uint64_t Distance(uint64_t from, uint64_t to) {
  const uint64_t distance = to > from ? to - from : 0;
  return distance < 2 ? distance : distance < 4 ? 2 : 3;
}
uint64_t Distance(Index from, Index to) { return Distance(from.value(), to.value()); }
uint64_t Distance(Term from, Term to) { return Distance(from.value(), to.value()); }

// The furthest of the running replicas.
struct Front {
  Term term;
  raft::LogId last_log;
  Index commit_index;
  Index conf_index;
};

uint64_t Role(const Replica& replica) { return static_cast<uint64_t>(replica.view.role); }

uint64_t TermShape(const Replica& replica, const Front& front) {
  return Role(replica) << 4 | Distance(replica.view.term, front.term) << 2 |
         static_cast<uint64_t>(static_cast<bool>(replica.view.vote)) << 1 |
         static_cast<uint64_t>(static_cast<bool>(replica.view.leader));
}

uint64_t LogShape(const Replica& replica, const Front& front) {
  const raft::View& view = replica.view;
  return Distance(view.last_log.term, front.last_log.term) << 8 |
         Distance(view.last_log.index, front.last_log.index) << 6 |
         Distance(view.durable_index, view.last_log.index) << 4 |
         Distance(view.commit_index, front.commit_index) << 2 |
         Distance(view.base.index, view.last_log.index);
}

uint64_t ConfShape(const Replica& replica, const Front& front) {
  const raft::View& view = replica.view;
  const uint64_t part = view.conf.IsVoter(replica.peer)    ? 2
                        : view.conf.IsMember(replica.peer) ? 1
                                                           : 0;
  return Role(replica) << 8 | part << 6 | static_cast<uint64_t>(view.conf.joint()) << 5 |
         static_cast<uint64_t>(view.conf_index <= view.commit_index) << 4 |
         Distance(view.conf_index, front.conf_index) << 2 |
         std::min<uint64_t>(view.conf.voters.size() / 2, 3);
}

uint64_t ReignShape(const Replica& replica, const Front& front) {
  const raft::View& view = replica.view;
  uint64_t followers = 0;  // Which states of them there are.
  for (const raft::ProgressView& progress : view.progress) {
    followers |= uint64_t{1} << static_cast<uint64_t>(progress.state);
  }
  return Role(replica) << 8 | followers << 5 | static_cast<uint64_t>(view.lease_valid) << 4 |
         static_cast<uint64_t>(view.resting) << 3 |
         static_cast<uint64_t>(static_cast<bool>(view.transferee)) << 2 |
         Distance(view.term, front.term);
}

using ShapeOf = uint64_t (*)(const Replica&, const Front&);
constexpr ShapeOf kSides[] = {TermShape, LogShape, ConfShape, ReignShape};

}  // namespace

void StateCoverage::Mark(const std::vector<Replica>& replicas) {
  Front front;
  for (const Replica& replica : replicas) {
    if (!replica.running || !replica.peer) continue;
    front.term = std::max(front.term, replica.view.term);
    front.last_log = std::max(front.last_log, replica.view.last_log);
    front.commit_index = std::max(front.commit_index, replica.view.commit_index);
    front.conf_index = std::max(front.conf_index, replica.view.conf_index);
  }
  uint64_t side = 0;
  for (const ShapeOf shape_of : kSides) {
    Shape shape;
    for (const Replica& replica : replicas) {
      if (replica.running && replica.peer) shape.push_back(shape_of(replica, front));
    }
    std::sort(shape.begin(), shape.end());
    Hasher hasher;
    hasher.Add(++side);
    for (const uint64_t part : shape) hasher.Add(part);
    seen_[hasher.value() % seen_.size()] = 1;
  }
}

}  // namespace flaredb::sim
