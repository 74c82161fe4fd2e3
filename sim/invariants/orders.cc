// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/orders.h"

#include <algorithm>
#include <map>
#include <set>
#include <variant>

#include "core/base/types.h"
#include "core/raft/membership.h"

namespace flaredb::sim {
namespace {

using Kind = raft::MemberChange::Kind;
enum class Seat { kVoter, kLearner };

// Null: nothing is wrong with it.
using WhatIsWrong = const char*;

WhatIsWrong WithNewcomer(const raft::ConfState& conf, const raft::MemberChange& change,
                         std::set<StoreId>* newcomers) {
  if (!change.store) return "a new peer needs a store";
  for (const raft::Member& member : conf.members) {
    if (member.id >= change.id) return "a new peer's id is not above all others";
    if (member.store == change.store) return "the new peer's store has one";
  }
  return newcomers->insert(change.store).second ? nullptr : "a store gets two new peers";
}

std::map<PeerId, Seat> SeatsOf(const raft::ConfState& conf) {
  std::map<PeerId, Seat> seats;
  for (const PeerId peer : conf.learners) seats[peer] = Seat::kLearner;
  for (const PeerId peer : conf.voters) seats[peer] = Seat::kVoter;
  return seats;
}

// Gives everybody the seat that he is wished to have, wish by wish.
WhatIsWrong WithChange(const raft::ConfState& conf, const store::ChangePeers& order,
                       std::map<PeerId, Seat>* given) {
  std::map<PeerId, Seat>& seats = *given;
  seats = SeatsOf(conf);
  std::set<PeerId> named;
  std::set<StoreId> newcomers;
  for (const raft::MemberChange& change : order.changes) {
    if (!named.insert(change.id).second) return "it names a peer twice";
    if (change.kind == Kind::kAddLearner) {
      if (WhatIsWrong wrong = WithNewcomer(conf, change, &newcomers)) return wrong;
      seats[change.id] = Seat::kLearner;
      continue;
    }
    const auto seat = seats.find(change.id);
    if (seat == seats.end()) return "it names a stranger";
    if (change.kind == Kind::kRemove) {
      seats.erase(seat);
      continue;
    }
    const Seat wanted = change.kind == Kind::kPromote ? Seat::kVoter : Seat::kLearner;
    if (seat->second == wanted) return "it gives a peer the place that it has";
    seat->second = wanted;
  }
  if (named.empty()) return "it changes nothing";
  const bool voter_left = std::any_of(seats.begin(), seats.end(),
                                      [](const auto& s) { return s.second == Seat::kVoter; });
  return voter_left ? nullptr : "it leaves no voter";
}

WhatIsWrong WithTransfer(const raft::View& leader, const store::TransferLeader& order) {
  const std::vector<PeerId>& voters = leader.conf.voters;
  if (order.target == leader.id) return "the target leads";
  if (std::find(voters.begin(), voters.end(), order.target) == voters.end()) {
    return "the target is no voter";
  }
  return leader.transferee && leader.transferee != order.target ? "another transfer is under way"
                                                                : nullptr;
}

// Whether the plan itself is right is REC's to say.
WhatIsWrong WithPlan(const raft::View& replica, const raft::RecoveryPlan& plan) {
  if (plan.chosen != replica.id) return "the plan chose another one";
  if (plan.chosen_log != replica.last_log) return "its log is not the one that was chosen";
  return plan.term <= replica.term ? "it knows the plan's term" : nullptr;
}

WhatIsWrong With(const store::Order& order, const raft::View& leader, bool own_entry) {
  if (const auto* plan = std::get_if<raft::RecoveryPlan>(&order.what)) {
    return WithPlan(leader, *plan);
  }
  if (leader.role != raft::Role::kLeader) return "nobody leads there";
  if (const auto* transfer = std::get_if<store::TransferLeader>(&order.what)) {
    return WithTransfer(leader, *transfer);
  }
  if (leader.transferee) return "leadership is being handed over";
  if (!own_entry) return "the leader has committed nothing yet";
  if (leader.conf.joint() || leader.conf_index > leader.commit_index) {
    return "an earlier change is under way";
  }
  std::map<PeerId, Seat> seats;
  return WithChange(leader.conf, std::get<store::ChangePeers>(order.what), &seats);
}

bool Promotes(const store::Order& order) {
  const auto* change = std::get_if<store::ChangePeers>(&order.what);
  return change != nullptr &&
         std::any_of(change->changes.begin(), change->changes.end(),
                     [](const raft::MemberChange& c) { return c.kind == Kind::kPromote; });
}

}  // namespace

std::optional<std::string> BrokenOrder(const std::string& store, const raft::View& leader,
                                       bool own_entry, const store::Order& order,
                                       const std::string& refusal) {
  const WhatIsWrong wrong = With(order, leader, own_entry);
  if (wrong != nullptr && refusal.empty()) {
    return store + " begins to carry out an order that makes no sense: " + wrong + ".";
  }
  if (wrong == nullptr && !refusal.empty() && !Promotes(order)) {
    return store + " refuses an order that nothing is wrong with: '" + refusal + "'.";
  }
  return std::nullopt;
}

std::optional<std::string> BrokenChange(const std::string& store, const raft::View& before,
                                        const raft::View& after, const store::ChangePeers& order) {
  std::map<PeerId, Seat> wished;
  if (WithChange(before.conf, order, &wished) != nullptr) return std::nullopt;
  if (SeatsOf(after.conf) == wished) return std::nullopt;
  return store + " begins to carry out an order to change members, but not what it says.";
}

}  // namespace flaredb::sim
