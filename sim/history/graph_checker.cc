// SPDX-License-Identifier: Apache-2.0
//
// What is left to decide once the versions have their writers is where the absent reads lie: in one
// of the gaps between their key's lives. Gap 0 is before the first creation, gap j after the j-th
// deletion and before the next creation.
//
// 1. Bounds. A read can lie in gap j only if the j-th deletion can take effect before it and the
//    next creation after it. By the least and latest points of PrecedenceGraph this leaves an
//    interval of gaps, whose ends are edges: the deletion before the first gap precedes the read,
//    the read precedes the creation after the last one. Edges move points, so this is repeated.
// 2. A try. For the reads that still have several gaps one order is made: every read as soon as all
//    its keys allow it, every write not before somebody depends on it. If that serves all, the
//    order is a proof.
// 3. Branches. Otherwise a read stood in some life: it lies before its creation or after its
// deletion.
//    Both are tried, each with its edge, from step 1.
#include "sim/history/graph_checker.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sim/history/precedence_graph.h"
#include "sim/history/version_order.h"

namespace flaredb::sim {
namespace {

// From a creation to a deletion of a key.
struct Life {
  Node creation = kNoNode;
  uint64_t created_as = 0;
  Node deletion = kNoNode;  // kNoNode: nobody can have deleted it.
  uint64_t deleted_as = 0;
};

// A read that found its key absent lies in a gap of [first_gap, last_gap].
struct Absence {
  Node node = kNoNode;
  uint32_t key = 0;
  uint32_t first_gap = 0;
  uint32_t last_gap = 0;

  bool placed() const { return first_gap == last_gap; }
};

// The operations of one story.
struct Story {
  PrecedenceGraph graph;  // The operations of the VersionOrder, then one node per unnamed write.
  std::vector<std::pair<uint32_t, OpIndex>> unnamed;  // Key and candidate.
  std::vector<std::vector<Life>> lives;               // By key.
  std::vector<Absence> absences;
};

// An order in which open absences are served as early, and writes as late as can be.
class Schedule {
 public:
  explicit Schedule(const Story& story);

  // An absence that could not be served, and the life (from 0) in which it stood.
  struct Unserved {
    size_t absence;
    uint32_t life;
  };
  std::optional<Unserved> Run();

 private:
  struct Turn {  // A life of a key begins or ends with an operation.
    uint32_t key;
    uint32_t life;
    bool begins;
  };

  bool TryServe(Node node);
  bool Force(Node node);
  void Perform(Node node);
  std::optional<size_t> BlockedAbsence(Node node) const;

  const Story& story_;
  const PrecedenceGraph& graph_;
  EventNumber now_ = 0;
  std::vector<std::vector<Node>> predecessors_;
  std::vector<std::vector<size_t>> absences_of_;  // Open ones, by node.
  std::vector<std::vector<Turn>> turns_of_;       // By node.
  std::vector<std::vector<Node>> waiting_;        // By key: for its absence.
  std::vector<std::optional<uint32_t>> life_;     // By key: the current one.
  std::vector<bool> performed_;
  std::vector<uint32_t> under_way_;  // The depth of the Force that will perform it; 0: none.
  uint32_t depth_ = 0;
  std::optional<Unserved> unserved_;
};

Schedule::Schedule(const Story& story)
    : story_(story),
      graph_(story.graph),
      predecessors_(graph_.nodes()),
      absences_of_(graph_.nodes()),
      turns_of_(graph_.nodes()),
      waiting_(story.lives.size()),
      life_(story.lives.size()),
      performed_(graph_.nodes()),
      under_way_(graph_.nodes()) {
  for (Node node = 0; node < graph_.nodes(); ++node) {
    for (const Node next : graph_.successors(node)) predecessors_[next].push_back(node);
  }
  std::vector<bool> open(story.lives.size());
  for (size_t i = 0; i < story.absences.size(); ++i) {
    const Absence& absence = story.absences[i];
    if (absence.placed()) continue;
    absences_of_[absence.node].push_back(i);
    open[absence.key] = true;
  }
  for (uint32_t key = 0; key < story.lives.size(); ++key) {
    if (!open[key]) continue;
    for (uint32_t i = 0; i < story.lives[key].size(); ++i) {
      const Life& life = story.lives[key][i];
      turns_of_[life.creation].push_back({key, i, true});
      if (life.deletion != kNoNode) turns_of_[life.deletion].push_back({key, i, false});
    }
  }
}

std::optional<Schedule::Unserved> Schedule::Run() {
  struct Event {
    EventNumber at;
    Node node;
    bool invocation;
  };
  std::vector<Event> events;
  for (Node node = 0; node < graph_.nodes(); ++node) {
    if (!absences_of_[node].empty()) events.push_back({graph_.invoke(node), node, true});
    if (graph_.complete(node) != kNever) events.push_back({graph_.complete(node), node, false});
  }
  std::sort(events.begin(), events.end(),
            [](const Event& x, const Event& y) { return x.at < y.at; });
  for (const Event& event : events) {
    now_ = event.at;
    if (event.invocation) {
      TryServe(event.node);
    } else if (!Force(event.node)) {
      return unserved_;
    }
  }
  return std::nullopt;
}

std::optional<size_t> Schedule::BlockedAbsence(Node node) const {
  for (const size_t i : absences_of_[node]) {
    if (life_[story_.absences[i].key]) return i;
  }
  return std::nullopt;
}

// Performs an absent read if nothing stands in its way; else it will be asked again.
bool Schedule::TryServe(Node node) {
  if (performed_[node] || under_way_[node] != 0 || !turns_of_[node].empty()) return false;
  for (const Node before : predecessors_[node]) {
    if (!performed_[before]) return false;  // Performing that one asks again.
  }
  if (const std::optional<size_t> blocked = BlockedAbsence(node)) {
    waiting_[story_.absences[*blocked].key].push_back(node);
    return false;
  }
  Perform(node);
  return true;
}

// Performs `node` now, after all that has to precede it. False if an absence stands in the way; the
// schedule is then at its end.
bool Schedule::Force(Node node) {
  if (performed_[node]) return true;
  const uint32_t depth = ++depth_;
  std::vector<Node> needed = {node};
  under_way_[node] = depth;
  for (size_t i = 0; i < needed.size(); ++i) {
    for (const Node before : predecessors_[needed[i]]) {
      if (performed_[before] || under_way_[before] == depth) continue;
      if (under_way_[before] != 0) return false;  // It waits for `node` itself.
      under_way_[before] = depth;
      needed.push_back(before);
    }
  }
  std::sort(needed.begin(), needed.end(),
            [&](Node x, Node y) { return graph_.rank(x) < graph_.rank(y); });
  for (const Node each : needed) {
    while (const std::optional<size_t> blocked = BlockedAbsence(each)) {
      const Absence& absence = story_.absences[*blocked];
      const uint32_t life = *life_[absence.key];
      const Node deletion = story_.lives[absence.key][life].deletion;
      const bool can_end =
          deletion != kNoNode && graph_.least(deletion) < now_ && under_way_[deletion] == 0;
      if (!can_end || !Force(deletion)) {
        if (!unserved_) unserved_ = Unserved{*blocked, life};
        return false;
      }
    }
    under_way_[each] = 0;
    Perform(each);
  }
  --depth_;
  return true;
}

void Schedule::Perform(Node node) {
  performed_[node] = true;
  std::vector<Node> woken;
  for (const Turn& turn : turns_of_[node]) {
    if (turn.begins) {
      life_[turn.key] = turn.life;
    } else {
      life_[turn.key].reset();
      woken.insert(woken.end(), waiting_[turn.key].begin(), waiting_[turn.key].end());
      waiting_[turn.key].clear();
    }
  }
  for (const Node next : graph_.successors(node)) {
    if (!absences_of_[next].empty() && graph_.invoke(next) < now_) woken.push_back(next);
  }
  for (const Node each : woken) TryServe(each);
}

class Checker {
 public:
  explicit Checker(const VersionedHistory& history) : history_(history) {}

  Verdict Check();

 private:
  bool StartStory();
  void AddReads(const std::vector<std::vector<VersionOrder::Write>>& writes);
  bool Search();
  bool NarrowAbsences();
  void PrecedeLife(const Absence& absence);
  void FollowLife(const Absence& absence);
  std::string Name(Node node) const;
  std::string Why(const Precedence& step) const;
  std::string Why(const std::vector<Precedence>& cycle) const;

  const VersionedHistory& history_;
  VersionOrder order_;
  Story story_;
  std::string why_;
  size_t fewest_steps_ = 0;  // Of the cycle that why_ tells; 0: none yet.
};

Verdict Checker::Check() {
  if (!order_.Build(history_)) return {false, order_.why()};
  do {
    if (StartStory() && Search()) return {};
  } while (order_.NextStory());
  if (why_.empty()) why_ = "there are fewer writes of unknown outcome than the answers tell of";
  return {false, why_};
}

// Builds the graph; false if the story needs writes that nobody invoked.
bool Checker::StartStory() {
  story_ = Story();
  story_.lives.resize(history_.keys());
  PrecedenceGraph& graph = story_.graph;
  for (const VersionOrder::Operation& operation : order_.operations()) {
    graph.AddNode(operation.invoke, operation.complete);
  }
  std::vector<std::vector<VersionOrder::Write>> writes(history_.keys());
  for (uint32_t key = 0; key < writes.size(); ++key) {
    if (!order_.Tell(key, &writes[key])) return false;
    Node before = kNoNode;
    uint64_t v = 0;
    for (VersionOrder::Write& write : writes[key]) {
      ++v;
      if (write.operation == VersionOrder::kUnnamed) {
        write.operation = graph.AddNode(history_.ops(key)[write.candidate].invoke, kNever);
        story_.unnamed.emplace_back(key, write.candidate);
      }
      const Node node = write.operation;
      if (before != kNoNode) graph.AddEdge({before, node, Reason::kNextVersion, key, v});
      before = node;
      std::vector<Life>& lives = story_.lives[key];
      const bool alive = !lives.empty() && lives.back().deletion == kNoNode;
      if (write.live && !alive) {
        lives.push_back({node, v, kNoNode, 0});
      } else if (!write.live) {
        lives.back().deletion = node;
        lives.back().deleted_as = v;
      }
    }
  }
  AddReads(writes);
  return true;
}

void Checker::AddReads(const std::vector<std::vector<VersionOrder::Write>>& writes) {
  for (const VersionOrder::Read& read : order_.reads()) {
    if (read.version == 0) {
      const std::vector<Life>& lives = story_.lives[read.key];
      const auto gaps = static_cast<uint32_t>(lives.size());
      const bool ends = lives.empty() || lives.back().deletion != kNoNode;
      story_.absences.push_back({read.operation, read.key, 0, ends ? gaps : gaps - 1});
      if (!ends) PrecedeLife(story_.absences.back());
      continue;
    }
    const Node writer = writes[read.key][read.version - 1].operation;
    story_.graph.AddEdge({writer, read.operation, Reason::kRead, read.key, read.version});
    if (read.version == writes[read.key].size()) continue;
    const Node next = writes[read.key][read.version].operation;
    story_.graph.AddEdge({read.operation, next, Reason::kOverwritten, read.key, read.version});
  }
}

// The read precedes the life after its last gap.
void Checker::PrecedeLife(const Absence& absence) {
  const Life& life = story_.lives[absence.key][absence.last_gap];
  story_.graph.AddEdge(
      {absence.node, life.creation, Reason::kAbsentBefore, absence.key, life.created_as});
}

// The read follows the life before its first gap.
void Checker::FollowLife(const Absence& absence) {
  const Life& life = story_.lives[absence.key][absence.first_gap - 1];
  story_.graph.AddEdge(
      {life.deletion, absence.node, Reason::kAbsentAfter, absence.key, life.deleted_as});
}

// Whether an order exists, with the edges that there are.
bool Checker::Search() {
  do {
    if (story_.graph.Place()) continue;
    const std::vector<Precedence> cycle = story_.graph.ShortestCycle();
    if (fewest_steps_ == 0 || cycle.size() < fewest_steps_) {
      fewest_steps_ = cycle.size();
      why_ = Why(cycle);
    }
    return false;
  } while (NarrowAbsences());
  if (std::all_of(story_.absences.begin(), story_.absences.end(),
                  [](const Absence& absence) { return absence.placed(); })) {
    return true;
  }
  const std::optional<Schedule::Unserved> unserved = Schedule(story_).Run();
  if (!unserved) return true;
  const std::vector<Absence> absences = story_.absences;
  const size_t edges = story_.graph.edges();
  Absence& absence = story_.absences[unserved->absence];
  absence.last_gap = unserved->life;
  PrecedeLife(absence);
  if (Search()) return true;
  story_.absences = absences;
  story_.graph.KeepEdges(edges);
  absence.first_gap = unserved->life + 1;
  FollowLife(absence);
  return Search();
}

// Step 1 above, once: adds edges for the gaps that the points exclude; false if there are none.
bool Checker::NarrowAbsences() {
  const PrecedenceGraph& graph = story_.graph;
  const size_t edges = graph.edges();
  for (Absence& absence : story_.absences) {
    if (absence.placed()) continue;
    const std::vector<Life>& lives = story_.lives[absence.key];
    const auto begin = lives.begin();
    const auto too_late = std::partition_point(
        begin + absence.first_gap, begin + absence.last_gap,
        [&](const Life& life) { return graph.least(life.deletion) < graph.latest(absence.node); });
    const auto last = static_cast<uint32_t>(too_late - begin);
    const auto still_absent = std::partition_point(
        begin + absence.first_gap, begin + absence.last_gap,
        [&](const Life& life) { return graph.latest(life.creation) <= graph.least(absence.node); });
    const auto first = static_cast<uint32_t>(still_absent - begin);
    if (last < absence.last_gap) {
      absence.last_gap = last;
      PrecedeLife(absence);
    }
    // If no gap is left, the edge just added has closed a cycle.
    if (first > absence.first_gap && first <= absence.last_gap) {
      absence.first_gap = first;
      FollowLife(absence);
    }
  }
  return graph.edges() > edges;
}

std::string Checker::Name(Node node) const {
  const size_t named = order_.operations().size();
  if (node < named) return order_.Describe(order_.operations()[node]);
  const auto& [key, candidate] = story_.unnamed[node - named];
  return Describe(history_.ops(key)[candidate]) + " (or a later one like it) on key \"" +
         history_.key(key) + "\"";
}

std::string Checker::Why(const Precedence& step) const {
  std::ostringstream out;
  const std::string& key =
      step.reason == Reason::kRealTime ? std::string() : history_.key(step.key);
  switch (step.reason) {
    case Reason::kNextVersion:
      out << "wrote the version of key \"" << key << "\" before version " << step.version
          << ", which was written by ";
      break;
    case Reason::kRead:
      out << "wrote version " << step.version << " of key \"" << key << "\", which was seen by ";
      break;
    case Reason::kOverwritten:
      out << "saw version " << step.version << " of key \"" << key
          << "\" before the next one was written by ";
      break;
    case Reason::kAbsentBefore: {
      const std::vector<Life>& lives = story_.lives[step.key];
      const auto life = std::find_if(lives.begin(), lives.end(), [&](const Life& each) {
        return each.created_as == step.version;
      });
      out << "found key \"" << key << "\" absent, and too early for a later deletion ("
          << (life->deletion == kNoNode ? std::string("there is none")
                                        : "version " + std::to_string(life->deleted_as))
          << "), before version " << step.version << " was created by ";
      break;
    }
    case Reason::kAbsentAfter:
      out << "deleted key \"" << key << "\" as version " << step.version
          << " before it was found absent, and too late for the absence before it, by ";
      break;
    case Reason::kRealTime:
      out << "was complete before the invocation of ";
      break;
  }
  out << Name(step.to);
  return out.str();
}

std::string Checker::Why(const std::vector<Precedence>& cycle) const {
  std::ostringstream out;
  out << "no order of the operations is possible: " << Name(cycle.front().from);
  for (size_t i = 0; i < cycle.size(); ++i) {
    out << (i == 0 ? " " : ", which ") << Why(cycle[i]);
  }
  out << ", where the circle began";
  return out.str();
}

}  // namespace

Verdict CheckGraph(const VersionedHistory& history) { return Checker(history).Check(); }

}  // namespace flaredb::sim
