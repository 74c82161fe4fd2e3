// SPDX-License-Identifier: Apache-2.0
#include "tests/explore/model.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

namespace flaredb::explore {
namespace {

using raft::AppendReply;
using raft::AppendRequest;
using raft::HeartbeatReply;
using raft::HeartbeatRequest;
using raft::PreVoteReply;
using raft::PreVoteRequest;
using raft::Role;
using raft::VoteReply;
using raft::VoteRequest;

template <typename Body>
bool Is(const raft::Message& message) {
  return std::holds_alternative<Body>(message.body);
}

bool IsElection(const raft::Message& message) {
  return Is<PreVoteRequest>(message) || Is<PreVoteReply>(message) || Is<VoteRequest>(message) ||
         Is<VoteReply>(message);
}

uint32_t Node(PeerId id) { return static_cast<uint32_t>(id.value() - 1); }
uint32_t Bit(uint32_t node) { return 1u << node; }

}  // namespace

Model::Model(const Scope& scope)
    : scope_(scope),
      replicas_(scope.nodes, scope.voters, scope.forgetful_disks),
      histories_(&replicas_) {}

State Model::Initial() const {
  State state;
  for (uint32_t node = 0; node < scope_.nodes; ++node) {
    state.replicas.push_back(replicas_.initial(node));
  }
  return state;
}

void Model::Expand(const State& state,
                   absl::FunctionRef<bool(const Move&, const State&, const std::string&)> visit) {
  State next;
  std::string violation;
  bool going_on = true;
  // `counter`: which bound the move uses up, if any.
  const auto attempt = [&](Event::Kind kind, uint32_t node, uint32_t argument, uint32_t heard,
                           uint8_t Used::*counter, bool keep) {
    uint32_t touched = state.touched | Bit(node) | heard;
    if (kind == Event::Kind::kChange) touched |= argument;
    if (kind == Event::Kind::kTransfer) touched |= Bit(argument);
    if (!going_on || !InOrder(touched)) return;
    const Move move{kind, static_cast<uint8_t>(node), keep, static_cast<uint8_t>(heard), argument};
    next = state;
    if (counter != nullptr) ++(next.used.*counter);
    next.touched = touched;
    violation.clear();
    const Result result = Take(move, &next, &violation);
    if (result == Result::kPassesBound) return;
    // Refused, or known already.
    if (result == Result::kTaken && next.replicas == state.replicas &&
        next.network == state.network) {
      return;
    }
    going_on = visit(move, next, violation);
  };
  // With every set of others that may take part in an election.
  const auto attempt_election = [&](Event::Kind kind, uint32_t node, uint32_t argument) {
    if (scope_.elections == Elections::kStepwise) {
      attempt(kind, node, argument, 0, nullptr, false);
      return;
    }
    for (uint32_t heard = 1; heard < Bit(scope_.nodes); ++heard) {
      if ((heard & Bit(node)) == 0) attempt(kind, node, argument, heard, nullptr, false);
    }
  };

  const bool votes_at_once = scope_.elections == Elections::kVotesAtOnce;
  for (uint32_t node = 0; node < scope_.nodes; ++node) {
    const Replica& replica = replicas_.at(state.replicas[node]);
    const auto simple = [&](Event::Kind kind, uint32_t argument, uint8_t Used::*counter,
                            uint32_t bound) {
      if (counter == nullptr || state.used.*counter < bound) {
        attempt(kind, node, argument, 0, counter, false);
      }
    };
    if (!replica.writes.empty()) simple(Event::Kind::kPersisted, 0, nullptr, 0);
    if (replica.leads()) {
      if (!votes_at_once) simple(Event::Kind::kLoseContact, 0, nullptr, 0);
      simple(Event::Kind::kPropose, 0, &Used::entries, scope_.entries);
      simple(Event::Kind::kHeartbeat, 0, &Used::heartbeats, scope_.heartbeats);
      for (uint32_t other = 0; other < scope_.nodes; ++other) {
        if (other == node) continue;
        simple(Event::Kind::kTransfer, other, &Used::transfers, scope_.transfers);
      }
      for (uint32_t voters = 1; voters < Bit(scope_.nodes); ++voters) {
        simple(Event::Kind::kChange, voters, &Used::changes, scope_.changes);
      }
    }
    if (replica.raft->next_deadline() != Instant::Max() && (!replica.leads() || votes_at_once)) {
      attempt_election(Event::Kind::kTimeout, node, 0);
    }
    if (replica.view.handed_out_index > replica.view.base.index) {
      simple(Event::Kind::kCompact, 0, &Used::compactions, scope_.compactions);
    }
    if ((state.touched & Bit(node)) != 0) {
      simple(Event::Kind::kCrash, 0, &Used::crashes, scope_.crashes);
    }
  }
  for (const MessageName name : state.network) {
    const raft::Message& message = replicas_.messages().at(name);
    const uint32_t to = Node(message.to);
    if (Is<raft::TimeoutNow>(message)) {
      attempt_election(Event::Kind::kDeliver, to, name);
      continue;
    }
    attempt(Event::Kind::kDeliver, to, name, 0, nullptr, false);
    if (state.used.duplicates < scope_.duplicates) {
      attempt(Event::Kind::kDeliver, to, name, 0, &Used::duplicates, true);
    }
  }
}

Model::Result Model::Take(const Move& move, State* state, std::string* violation) {
  if (move.kind == Event::Kind::kDeliver && !move.keep) {
    state->network.erase(
        std::lower_bound(state->network.begin(), state->network.end(), move.argument));
  }
  const uint32_t taking_part = Bit(move.node) | move.heard;
  Result result;
  if (move.kind == Event::Kind::kTimeout && scope_.elections == Elections::kVotesAtOnce) {
    result = Elect(move.node, taking_part, state, violation);
  } else {
    result = Exchange(move.node, {move.kind, move.argument}, taking_part, state, violation);
  }
  if (result == Result::kTaken) Tidy(state);
  return result;
}

Model::Result Model::Elect(uint32_t node, uint32_t taking_part, State* state,
                           std::string* violation) {
  const auto leads = [&](uint32_t other) { return replicas_.at(state->replicas[other]).leads(); };
  for (uint32_t other = 0; other < scope_.nodes; ++other) {
    if ((taking_part & Bit(other)) == 0 || !leads(other)) continue;
    const Result result =
        Exchange(other, {Event::Kind::kLoseContact}, taking_part, state, violation);
    if (result != Result::kTaken) return result;
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Result result = Exchange(node, {Event::Kind::kTimeout}, taking_part, state, violation);
    if (result != Result::kTaken || leads(node)) return result;
  }
  return Result::kPassesBound;
}

// The event, and the messages that follow from it and are not moves of their own.
Model::Result Model::Exchange(uint32_t node, Event event, uint32_t taking_part, State* state,
                              std::string* violation) {
  std::vector<MessageName> exchange;
  Result result = Step(node, event, state, &exchange, taking_part, violation);
  for (size_t i = 0; i < exchange.size() && result == Result::kTaken; ++i) {
    result = Step(Node(replicas_.messages().at(exchange[i]).to),
                  {Event::Kind::kDeliver, exchange[i]}, state, &exchange, taking_part, violation);
  }
  return result;
}

// One event at one replica, and the end of its writes if they are not moves of their own.
Model::Result Model::Step(uint32_t node, Event event, State* state,
                          std::vector<MessageName>* exchange, uint32_t heard,
                          std::string* violation) {
  const bool at_once = scope_.elections == Elections::kVotesAtOnce &&
                       (event.kind == Event::Kind::kTimeout ||
                        (event.kind == Event::Kind::kDeliver &&
                         IsElection(replicas_.messages().at(event.argument))));
  while (true) {
    const ReplicaName before = state->replicas[node];
    const Outcome& outcome = replicas_.Step(before, event);
    state->replicas[node] = outcome.replica;
    *violation = outcome.violation;
    if (!violation->empty()) return Result::kViolates;
    const Replica& replica = replicas_.at(outcome.replica);
    if (replica.view.term > Term(scope_.terms)) return Result::kPassesBound;
    if (const auto broken = histories_.Advance(state->replicas, node, before, &state->history)) {
      *violation = *broken;
      return Result::kViolates;
    }
    for (const MessageName name : outcome.sends) {
      const raft::Message& message = replicas_.messages().at(name);
      if (!IsInstant(message)) {
        Send(name, state);
      } else if (!IsElection(message) || (heard & Bit(Node(message.to))) != 0) {
        exchange->push_back(name);
      }
    }
    const bool crashes_left = !scope_.writes_at_once && state->used.crashes < scope_.crashes;
    if (replica.writes.empty() || replica.leads() || !(at_once || !crashes_left)) {
      return Result::kTaken;
    }
    event = {Event::Kind::kPersisted};
  }
}

// Whether the scope delivers such messages within the move that sends them.
bool Model::IsInstant(const raft::Message& message) const {
  if (Is<PreVoteRequest>(message) || Is<PreVoteReply>(message)) {
    return scope_.elections != Elections::kStepwise;
  }
  if (IsElection(message)) return scope_.elections == Elections::kVotesAtOnce;
  return scope_.replies_at_once && (Is<AppendReply>(message) || Is<HeartbeatReply>(message));
}

// A full link loses the message that was discovered first, to make room.
void Model::Send(MessageName name, State* state) const {
  auto& network = state->network;
  const auto at = std::lower_bound(network.begin(), network.end(), name);
  if (at != network.end() && *at == name) return;
  network.insert(at, name);
  const raft::Message& message = replicas_.messages().at(name);
  const auto same_link = [&](MessageName other) {
    const raft::Message& m = replicas_.messages().at(other);
    return m.from == message.from && m.to == message.to;
  };
  if (std::count_if(network.begin(), network.end(), same_link) > scope_.link) {
    network.erase(std::find_if(network.begin(), network.end(), same_link));
  }
}

// Whether the receiver, whatever happens to it, will do nothing with the message. What its disk
// knows it knows for good.
bool Model::IsDead(const raft::Message& message, const State& state) const {
  const Replica& to = replicas_.at(state.replicas[Node(message.to)]);
  const Term term = to.view.term;
  // A role that ended in a term does not come back in it.
  if (Is<VoteReply>(message)) {
    return message.term <= term && !(message.term == term && to.view.role == Role::kCandidate);
  }
  if (Is<AppendReply>(message) || Is<HeartbeatReply>(message)) {
    return message.term <= term && !(message.term == term && to.leads());
  }
  if (const auto* reply = std::get_if<PreVoteReply>(&message.body)) {
    return reply->campaign_term <= to.durable.term;
  }
  // Its answer could still tell the sender of the newer term. Given up unless the scope says not.
  return !scope_.stale_requests && message.term < to.durable.term;
}

void Model::Tidy(State* state) const {
  std::erase_if(state->network,
                [&](MessageName name) { return IsDead(replicas_.messages().at(name), *state); });
}

// Whether nobody is touched before a replica of its kind of lower number.
bool Model::InOrder(uint32_t touched) const {
  const uint32_t voters = touched & (Bit(scope_.voters) - 1);
  const uint32_t learners = touched >> scope_.voters;
  return (voters & (voters + 1)) == 0 && (learners & (learners + 1)) == 0;
}

std::string Model::Describe(const Move& move) const {
  std::ostringstream out;
  const auto name = [](uint32_t node) { return "S" + std::to_string(node + 1); };
  const std::string who = name(move.node);
  switch (move.kind) {
    case Event::Kind::kDeliver:
      out << who << " receives " << explore::Describe(replicas_.messages().at(move.argument))
          << (move.keep ? ", which stays on its way" : "");
      break;
    case Event::Kind::kPersisted:
      out << who << "'s oldest write is durable";
      break;
    case Event::Kind::kTimeout:
      out << who << " campaigns";
      if (move.heard != 0) {
        const char* separator = ", with ";
        for (uint32_t node = 0; node < scope_.nodes; ++node) {
          if ((move.heard & Bit(node)) == 0) continue;
          out << separator << name(node);
          separator = " and ";
        }
        out << " in reach";
      }
      break;
    case Event::Kind::kHeartbeat:
      out << who << " makes contact";
      break;
    case Event::Kind::kLoseContact:
      out << who << " hears nobody for an election timeout";
      break;
    case Event::Kind::kPropose:
      out << who << " is given an entry";
      break;
    case Event::Kind::kChange: {
      out << who << " is asked for the voters";
      for (uint32_t node = 0; node < scope_.nodes; ++node) {
        if ((move.argument & Bit(node)) != 0) out << " " << name(node);
      }
      break;
    }
    case Event::Kind::kTransfer:
      out << who << " is asked to hand leadership to " << name(move.argument);
      break;
    case Event::Kind::kCompact:
      out << who << " compacts its log";
      break;
    case Event::Kind::kCrash:
      out << who << " crashes and restarts";
      break;
  }
  return out.str();
}

std::string Model::Describe(const State& state) const {
  static constexpr const char* kRoles[] = {"follower", "pre-candidate", "candidate", "leader"};
  const LogTree& logs = replicas_.logs();
  std::ostringstream out;
  for (const ReplicaName name : state.replicas) {
    const Replica& replica = replicas_.at(name);
    out << "       S" << replica.view.id << " t" << replica.view.term << " "
        << kRoles[static_cast<size_t>(replica.view.role)];
    if (replica.view.vote) out << ", voted S" << replica.view.vote;
    if (replica.durable.term != replica.view.term || replica.durable.vote != replica.view.vote) {
      out << " (not durable)";
    }
    out << ", log [";
    const LogName log = replica.written().log;
    for (Index i(1); i <= logs.last_index(log); ++i) {
      const LogName upto = logs.Prefix(log, i);
      out << (i == Index(1) ? "" : " ") << logs.last_term(upto)
          << (logs.last_kind(upto) == raft::EntryKind::kCommand ? "x" : "")
          << (logs.last_kind(upto) == raft::EntryKind::kConf ? "c" : "");
      if (!logs.IsPrefix(upto, replica.durable.log)) out << "?";
    }
    out << "], commit " << replica.view.commit_index << "\n";
  }
  return out.str();
}

}  // namespace flaredb::explore
