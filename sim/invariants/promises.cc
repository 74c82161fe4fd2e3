// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/promises.h"

#include <sstream>
#include <variant>

namespace flaredb::sim {
namespace {

std::string Held(const raft::HardState& disk, const Names& names) {
  return "term " + std::to_string(disk.term.value()) + " and " +
         (disk.vote ? "a vote for " + names.Tell(disk.vote) : std::string("no vote"));
}

std::optional<std::string> BrokenTerm(const raft::Message& message, const LogImage& durable,
                                      const Names& names) {
  const raft::HardState& disk = durable.hard_state();
  const bool campaigns = std::holds_alternative<raft::VoteRequest>(message.body);
  const bool forgettable = message.term > disk.term ||
                           (campaigns && message.term == disk.term && disk.vote != message.from);
  if (!forgettable) return std::nullopt;
  std::ostringstream out;
  out << names.Tell(message.from) << (campaigns ? " campaigns in" : " sends a message of")
      << " term " << message.term << ", but its disk holds " << Held(disk, names) << ".";
  return out.str();
}

std::optional<std::string> BrokenVote(const raft::Message& message, const LogImage& durable,
                                      const Names& names) {
  const raft::HardState& disk = durable.hard_state();
  if (disk.term > message.term || (disk.term == message.term && disk.vote == message.to)) {
    return std::nullopt;
  }
  std::ostringstream out;
  out << names.Tell(message.from) << " sends its vote of term " << message.term << " to "
      << names.Tell(message.to) << ", but its disk holds " << Held(disk, names) << ".";
  return out.str();
}

std::optional<std::string> BrokenAccept(const raft::Message& message, Index match,
                                        const LogImage& durable, const Names& names,
                                        const std::vector<Replica>& replicas) {
  const std::string sender = names.Tell(message.from);
  std::ostringstream out;
  // A replica that knows a later term may have truncated since; its promise stood when it was made.
  if (durable.hard_state().term > message.term) return std::nullopt;
  if (durable.hard_state().term < message.term) {
    out << sender << " accepts entries of the leader of term " << message.term
        << ", but its disk holds term " << durable.hard_state().term << ".";
    return out.str();
  }
  // A base covers everything before it.
  const Replica& leader = replicas[names.NodeOf(message.to)];
  if (match < durable.base().last.index || match < leader.issued.base().last.index) {
    return std::nullopt;
  }
  if (durable.last_index() < match) {
    out << sender << " accepts entries up to " << match << ", but its disk ends at "
        << durable.last_index() << ".";
    return out.str();
  }
  if (!leader.leads() || leader.peer != message.to || leader.view.term != message.term)
    return std::nullopt;
  if (leader.issued.TermAt(match) == durable.TermAt(match)) return std::nullopt;
  out << sender << " accepts entries up to " << match << " of the leader of term " << message.term
      << ", whose entry there is of term " << leader.issued.TermAt(match)
      << ", but its disk holds one of term " << durable.TermAt(match) << ".";
  return out.str();
}

}  // namespace

std::optional<std::string> BrokenPromise(const raft::Message& message, const LogImage& durable,
                                         const Names& names, const std::vector<Replica>& replicas) {
  if (auto broken = BrokenTerm(message, durable, names)) return broken;
  if (const auto* vote = std::get_if<raft::VoteReply>(&message.body)) {
    return vote->granted ? BrokenVote(message, durable, names) : std::nullopt;
  }
  if (const auto* reply = std::get_if<raft::AppendReply>(&message.body)) {
    const auto* accept = std::get_if<raft::AppendAccept>(&reply->result);
    if (accept == nullptr) return std::nullopt;
    return BrokenAccept(message, accept->match_index, durable, names, replicas);
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
