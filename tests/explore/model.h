// SPDX-License-Identifier: Apache-2.0
// The closed system that is explored: replicas, their disks and the messages between them.
#ifndef FLAREDB_TESTS_EXPLORE_MODEL_H_
#define FLAREDB_TESTS_EXPLORE_MODEL_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "tests/explore/history.h"
#include "tests/explore/replicas.h"
#include "tests/explore/scope.h"

namespace flaredb::explore {

// What has been used up of a scope's bounds.
struct Used {
  uint8_t entries = 0;
  uint8_t crashes = 0;
  uint8_t duplicates = 0;
  uint8_t heartbeats = 0;
  uint8_t changes = 0;
  uint8_t transfers = 0;
  uint8_t compactions = 0;

  friend bool operator==(const Used&, const Used&) = default;
};

struct State {
  std::vector<ReplicaName> replicas;  // By node.
  HistoryName history = 0;
  Used used;
  uint32_t touched = 0;              // Nodes that took part in anything or were named; bit each.
  std::vector<MessageName> network;  // A set, ascending.
};

// One step from a state to another.
struct Move {
  Event::Kind kind = Event::Kind::kDeliver;
  uint8_t node = 0;
  bool keep = false;  // A delivered message stays on its way: a duplicate.
  uint8_t heard = 0;  // Of an election at once: who takes part, beside `node`; bit per node.
  uint32_t argument = 0;

  friend bool operator==(const Move&, const Move&) = default;
};

// Reductions, and why they lose no violation that the scope's bounds and grain admit:
//
// - Loss is no move. A lost message is one that is never delivered. Only the capacity of a link
//   forgets messages for good, which a network may.
// - The network is a set. That a message is there twice matters to deliveries that keep it, and
//   those are duplicates.
// - A crash is followed by the restart at once. A replica that is down is one to which nothing
//   happens.
// - What can have no effect any more is taken out of the network; see Model::IsDead.
// - A replica that doesn't lead, when no crash is left to come, finishes its writes at once: to
//   hold back what they gate is to hold back its delivery. A leader's own writes count for its
//   commit index, so they are moves still.
// - Symmetry. All voters start equal, and all learners, and what they do is the same under other
// names up to the
//   order in which things are sent and sessions numbered, on which nothing depends. So each
//   behaviour has a twin in which replicas are first touched in the order of their numbers, and the
//   twins of that kind are enough.
class Model {
 public:
  explicit Model(const Scope& scope);

  State Initial() const;

  // Calls `visit` with every move that the scope admits and the state that it leads to; its third
  // argument is empty, or the property that broke on the way. Deterministic. Stops when `visit`
  // says false.
  void Expand(const State& state,
              absl::FunctionRef<bool(const Move&, const State&, const std::string&)> visit);

  const Scope& scope() const { return scope_; }
  const Replicas& replicas() const { return replicas_; }

  // For people. The state is the one before the move.
  std::string Describe(const Move& move) const;
  // A line for each replica.
  std::string Describe(const State& state) const;

 private:
  enum class Result : uint8_t { kTaken, kPassesBound, kViolates };

  // Carries out `move`, whose bookkeeping is done, in `state`.
  Result Take(const Move& move, State* state, std::string* violation);
  Result Elect(uint32_t node, uint32_t taking_part, State* state, std::string* violation);
  Result Exchange(uint32_t node, Event event, uint32_t taking_part, State* state,
                  std::string* violation);
  Result Step(uint32_t node, Event event, State* state, std::vector<MessageName>* exchange,
              uint32_t heard, std::string* violation);
  bool IsInstant(const raft::Message& message) const;
  void Send(MessageName name, State* state) const;
  bool IsDead(const raft::Message& message, const State& state) const;
  void Tidy(State* state) const;
  bool InOrder(uint32_t touched) const;

  const Scope scope_;
  Replicas replicas_;
  Histories histories_;
};

}  // namespace flaredb::explore

#endif  // FLAREDB_TESTS_EXPLORE_MODEL_H_
