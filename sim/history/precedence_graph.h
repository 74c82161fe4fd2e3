// SPDX-License-Identifier: Apache-2.0
// What has to precede what, among operations with an interval of time each.
#ifndef FLAREDB_SIM_HISTORY_PRECEDENCE_GRAPH_H_
#define FLAREDB_SIM_HISTORY_PRECEDENCE_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sim/history/history.h"

namespace flaredb::sim {

// An operation takes one place in the order, whatever the number of its parts.
using Node = uint32_t;
inline constexpr Node kNoNode = std::numeric_limits<Node>::max();

enum class Reason : uint8_t {
  kNextVersion,   // ww: `to` wrote `version`, `from` the one before.
  kRead,          // wr: `to` read `version`, which `from` wrote.
  kOverwritten,   // rw: `from` read `version`, `to` wrote the next one.
  kAbsentBefore,  // rw: `from` found the key absent, `to` created it as `version`.
  kAbsentAfter,   // wr: `to` found the key absent, `from` deleted it as `version`.
  kRealTime,      // rt: `from` was complete before `to` was invoked.
};

struct Precedence {
  Node from = kNoNode;
  Node to = kNoNode;
  Reason reason = Reason::kRealTime;
  uint32_t key = 0;
  uint64_t version = 0;
};

// Real time needs no edges. Give every operation the least point that its own invocation and those
// of all that precede it allow. If that lies before its completion for each, the points are an
// order. If it does not for some a, then some b that precedes a was invoked after a's completion:
// the cycle a, b, ..., a.
class PrecedenceGraph {
 public:
  Node AddNode(EventNumber invoke, EventNumber complete);
  // Not kRealTime. An operation need not precede itself: such an edge is dropped.
  void AddEdge(const Precedence& edge);
  size_t nodes() const { return intervals_.size(); }
  size_t edges() const { return edges_.size(); }
  // Drops all edges but the first `count`.
  void KeepEdges(size_t count) { edges_.resize(count); }

  // Whether an order exists. O(nodes + edges). What follows is about the edges of the last call.
  bool Place();

  // After Place() == true.
  EventNumber least(Node node) const { return least_[node]; }    // Takes effect later than this.
  EventNumber latest(Node node) const { return latest_[node]; }  // Takes effect earlier than this.
  uint32_t rank(Node node) const { return rank_[node]; }         // Edges lead to higher ranks.
  EventNumber invoke(Node node) const { return intervals_[node].invoke; }
  EventNumber complete(Node node) const { return intervals_[node].complete; }
  std::span<const Node> successors(Node node) const {
    return {next_.data() + first_next_[node], next_.data() + first_next_[node + 1]};
  }

  // After Place() == false: a cycle with the fewest steps, each leading from where the one before
  // led to. At most one step is kRealTime: of two, a shorter cycle can do without one, since of two
  // pairs of successive intervals one first comes before both seconds. That step is the last one.
  std::vector<Precedence> ShortestCycle() const;

 private:
  struct Interval {
    EventNumber invoke;
    EventNumber complete;
  };

  std::vector<Interval> intervals_;
  std::vector<Precedence> edges_;
  std::vector<uint32_t> first_next_;  // By node, and the end.
  std::vector<Node> next_;
  std::vector<Node> order_;
  std::vector<uint32_t> rank_;
  std::vector<EventNumber> least_;
  std::vector<EventNumber> latest_;
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_HISTORY_PRECEDENCE_GRAPH_H_
