// SPDX-License-Identifier: Apache-2.0
#include "sim/history/precedence_graph.h"

#include <algorithm>

#include "core/base/check.h"

namespace flaredb::sim {

Node PrecedenceGraph::AddNode(EventNumber invoke, EventNumber complete) {
  INVARIANT(invoke < complete && intervals_.size() < kNoNode);
  intervals_.push_back({invoke, complete});
  return static_cast<Node>(intervals_.size() - 1);
}

void PrecedenceGraph::AddEdge(const Precedence& edge) {
  INVARIANT(edge.from < nodes() && edge.to < nodes() && edge.reason != Reason::kRealTime);
  if (edge.from != edge.to) edges_.push_back(edge);
}

bool PrecedenceGraph::Place() {
  INVARIANT(edges_.size() < std::numeric_limits<uint32_t>::max());
  std::vector<uint32_t>& before = rank_;  // Direct predecessors that are not placed yet.
  before.assign(nodes(), 0);
  first_next_.assign(nodes() + 1, 0);
  for (const Precedence& edge : edges_) {
    ++first_next_[edge.from];
    ++before[edge.to];
  }
  uint32_t end = 0;
  for (uint32_t& first : first_next_) first = end += first;
  next_.resize(edges_.size());
  for (const Precedence& edge : edges_) next_[--first_next_[edge.from]] = edge.to;

  least_.resize(nodes());
  order_.clear();
  order_.reserve(nodes());
  for (Node node = 0; node < nodes(); ++node) {
    least_[node] = invoke(node);
    if (before[node] == 0) order_.push_back(node);
  }
  for (size_t i = 0; i < order_.size(); ++i) {
    const Node node = order_[i];
    if (least_[node] >= complete(node)) return false;
    for (const Node next : successors(node)) {
      least_[next] = std::max(least_[next], least_[node]);
      if (--before[next] == 0) order_.push_back(next);
    }
  }
  if (order_.size() < nodes()) return false;

  latest_.resize(nodes());
  for (size_t i = order_.size(); i-- > 0;) {
    const Node node = order_[i];
    rank_[node] = static_cast<uint32_t>(i);
    latest_[node] = complete(node);
    for (const Node next : successors(node)) {
      latest_[node] = std::min(latest_[node], latest_[next]);
    }
  }
  return true;
}

// Searches from every node at once with growing depth: the cycles of real histories are short, and
// their neighbourhoods small. The start b of a search is the operation that was invoked too late.
std::vector<Precedence> PrecedenceGraph::ShortestCycle() const {
  std::vector<uint32_t> out(edges_.size());  // Edges by their start.
  std::vector<uint32_t> fill = first_next_;
  for (uint32_t i = 0; i < edges_.size(); ++i) out[fill[edges_[i].from]++] = i;

  std::vector<uint32_t> via(nodes());  // The edge that led there first.
  std::vector<Node> seen_by(nodes(), kNoNode);
  std::vector<Node> queue;
  for (size_t depth = 1;; depth *= 2) {
    INVARIANT(depth <= 2 * nodes()) << "no cycle";
    std::vector<Precedence> best;
    size_t steps_max = depth;  // Edges without real time.
    std::fill(seen_by.begin(), seen_by.end(), kNoNode);
    for (Node start = 0; start < nodes(); ++start) {
      queue.assign(1, start);
      seen_by[start] = start;
      size_t level_end = 1;
      size_t steps = 1;
      for (size_t i = 0; i < queue.size() && steps <= steps_max; ++i) {
        for (uint32_t o = first_next_[queue[i]]; o < first_next_[queue[i] + 1]; ++o) {
          const Precedence& edge = edges_[out[o]];
          const bool closed = edge.to == start;
          if (seen_by[edge.to] == start && !closed) continue;
          const bool late = !closed && complete(edge.to) <= invoke(start);
          if ((closed || late) && (best.empty() || steps + (late ? 1 : 0) < best.size())) {
            best.clear();
            if (late) best.push_back({edge.to, start, Reason::kRealTime, 0, 0});
            best.push_back(edge);
            for (Node at = queue[i]; at != start; at = edges_[via[at]].from) {
              best.push_back(edges_[via[at]]);
            }
            std::reverse(best.begin(), best.end());
            steps_max = steps;
          }
          if (closed) continue;
          seen_by[edge.to] = start;
          via[edge.to] = out[o];
          queue.push_back(edge.to);
        }
        if (i + 1 == level_end) {
          level_end = queue.size();
          ++steps;
        }
      }
    }
    if (!best.empty()) return best;
  }
}

}  // namespace flaredb::sim
