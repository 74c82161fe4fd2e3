// SPDX-License-Identifier: Apache-2.0
// What a run did, as a person wants to see it: the data of its page (sim/page).
#ifndef FLAREDB_SIM_WORLD_RECORD_H_
#define FLAREDB_SIM_WORLD_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"

namespace flaredb::sim {

// Plain data. All times are the simulator's own. Nodes count from 0; who sends or receives is a
// node, or a client's slot: the first slot follows the last node. The lists of things that happen
// at a point are in the order of that point.
struct Record {
  enum class Status : uint8_t {
    kDown,
    kPaused,
    kNoReplica,  // The process runs, but holds no replica of the region.
    kFollower,
    kPreCandidate,
    kCandidate,
    kLeader,
  };
  // Of a node from `at` until its next one.
  struct State {
    uint32_t node = 0;
    Instant at;
    Status status = Status::kDown;
    // Zero while there is no replica. Those of a process that is down are the last it had.
    Term term;
    Index commit_index;
    Index last_index;
    Index durable_index;
    Index applied_index;
  };

  enum class MessageKind : uint8_t {
    kReplication,  // Appends and their answers.
    kHeartbeat,
    kElection,  // Votes, pre-votes, requests to campaign.
    kSnapshot,
    kRead,    // Confirmation of a read index.
    kClient,  // Requests and answers of clients, also those that stores pass on.
    kOther,
  };
  enum class Fate : uint8_t {
    kUnderWay,  // When the run ended.
    kArrived,
    kCut,          // Its link was cut when it was sent.
    kLost,         // By chance.
    kReset,        // Its connection was reset on the way.
    kNobodyThere,  // Nothing ran where it arrived.
  };
  struct Message {
    uint32_t from = 0;
    uint32_t to = 0;
    Instant sent;
    Instant end;  // When its fate was decided; of no meaning under way.
    Fate fate = Fate::kUnderWay;
    bool copy = false;  // A second arrival of a message that the network doubled.
    MessageKind kind = MessageKind::kOther;
    std::string text;
  };

  struct Fault {
    std::string kind;  // "isolate-leader"
    Instant from;
    Instant until = Instant::Max();  // Max: it lasted until the run ended.
    std::vector<uint32_t> nodes;     // Whom it strikes; empty: everybody.
  };

  // A fault of a moment, by chance or by a client or operator.
  struct Chance {
    Instant at;
    std::optional<uint32_t> endpoint;  // As who sends or receives; absent: nobody in particular.
    std::string kind;                  // "lose-message"
  };

  // What a node promised a leader whose lease broke LEASE.
  struct Promise {
    uint32_t node = 0;
    Instant from;
    Instant until;
  };

  // Worth a stop on the way through the run.
  struct Event {
    Instant at;
    std::optional<uint32_t> node;  // Absent: of the whole run.
    std::string kind;              // "crash", "start", "elected", ...
    std::string text;
  };

  enum class Outcome : uint8_t {
    kUnderWay,  // When the run ended.
    kOk,
    kNoEffect,  // Answered: a condition did not hold.
    kFailed,    // Certainly without effect, and nothing was learnt.
    kUnknown,   // It may have taken effect, or still may.
  };
  struct Operation {
    uint32_t slot = 0;    // Of the client, from 0.
    uint32_t client = 0;  // Its number; a slot gets a new one after an unknown outcome.
    Instant invoked;
    std::optional<Instant> completed;
    Outcome outcome = Outcome::kUnderWay;
    uint32_t attempts = 0;
    bool accused = false;  // The failure's sentence names it.
    std::string what;
    std::string answer;
  };

  struct Phase {
    Instant from;
    std::string name;
  };

  struct Failure {
    std::string code;      // "LC"; docs/SIMULATION.md lists them.
    std::string sentence;  // The two facts that contradict each other.
    Instant at;
    std::vector<uint32_t> nodes;  // Those that the sentence names.
  };

  // Messages beyond this number push out the oldest: a failure is at the end of a run.
  static constexpr size_t kMessagesMax = 100000;

  // Adds a message; its number, counted from 0 in this run.
  uint64_t Add(Message message);
  // The message with this number; null when it was pushed out.
  Message* Find(uint64_t number);
  // Nothing when it says what is known already.
  void Add(const State& state);
  // The node's latest state; a default one before the first.
  State StateOf(uint32_t node) const;

  std::string name;    // "seed 24"
  std::string replay;  // The line that runs it again.
  uint32_t nodes = 0;
  uint32_t clients = 0;  // Slots.
  Instant end;
  std::optional<Failure> failure;
  std::string verdict;  // On the clients' history; empty when it was not judged.
  std::vector<std::pair<std::string, uint64_t>> counts;  // "crashes", 3
  std::vector<Phase> phases;
  std::vector<State> states;
  std::deque<Message> messages;
  uint64_t messages_left_out = 0;  // Pushed out.
  std::vector<Fault> faults;
  std::vector<Chance> chances;
  std::vector<Promise> promises;
  std::vector<Event> events;
  std::vector<Operation> operations;

 private:
  std::vector<State> latest_;  // By node.
};

// The nodes that a checker's sentence names, as "store 3" or "stores 3"; ascending, those below
// `nodes` only.
std::vector<uint32_t> NodesNamedIn(std::string_view sentence, uint32_t nodes);

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_WORLD_RECORD_H_
