// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <sstream>
#include <string>

#include "sim/cluster/standstill.h"
#include "sim/invariants/quorum.h"
#include "sim/world/describe.h"

namespace flaredb::sim {
namespace {

using Store = Standstill::Store;

bool Asks(const raft::View& view) {
  return view.role == raft::Role::kPreCandidate || view.role == raft::Role::kCandidate;
}

// A candidate is in the term that it asks for.
Term TermAskedFor(const raft::View& view) {
  return view.role == raft::Role::kCandidate ? view.term : view.term.next();
}

// What the voter would say against it now, as the end of a sentence that begins with its store;
// nullopt: nothing. The rules of thesis 3.6.1, 4.2.3 and 9.6 once more.
std::optional<std::string> Refusal(const Standstill& all, uint32_t node, PeerId voter) {
  const raft::View& candidate = all.stores[node].view;
  const uint32_t there = all.names.NodeOf(voter);
  const Store& store = all.stores[there];
  const raft::View& view = store.view;
  std::ostringstream out;
  if (!store.runs) return "is down";
  if (all.cut.count({node, there}) != 0) return "does not hear it, because the link is cut";
  if (all.cut.count({there, node}) != 0) return "is not heard by it, because the link is cut";
  if (view.id != voter) return WhyNotThere(store, voter);
  const Incarnation pinned = candidate.conf.Find(voter).incarnation;
  if (pinned && pinned != store.life) return "has another life than the one that may vote";
  if (view.role == raft::Role::kLeader && view.term >= candidate.term) {
    out << "leads term " << view.term << " itself";
  } else if (view.term > TermAskedFor(candidate) ||
             (view.term == TermAskedFor(candidate) && !Asks(candidate))) {
    out << "is in term " << view.term << " already";
  } else if (view.resting) {
    out << "rests, which is to hear a leader";
  } else if (store.clock < view.promised_until) {
    out << "has heard " << (view.leader ? all.names.Tell(view.leader) : "a leader")
        << " and helps nobody for " << (view.promised_until - store.clock).milliseconds() << " ms";
  } else if (candidate.last_log < view.last_log) {
    out << "has a later log, which ends at " << Describe(view.last_log);
  } else if (candidate.role == raft::Role::kCandidate && view.term == candidate.term && view.vote &&
             view.vote != candidate.id) {
    out << "has voted for " << all.names.Tell(view.vote) << " in term " << view.term;
  } else {
    return std::nullopt;
  }
  return out.str();
}

// How far it is with campaigning.
std::string Campaign(const Standstill& all, uint32_t node) {
  const Store& store = all.stores[node];
  const raft::View& view = store.view;
  std::ostringstream out;
  if (Asks(view)) {
    out << "asks for term " << TermAskedFor(view) << " (log " << Describe(view.last_log) << ")";
    for (const auto& [peer, granted] : view.votes) {
      out << ", " << all.names.Tell(peer) << " said " << (granted ? "yes" : "no");
    }
    if (store.unfinished != 0) out << ", its disk is not done with " << store.unfinished;
  } else {
    out << "does not campaign in term " << view.term;
    if (view.resting) out << ": it rests behind " << all.names.Tell(view.leader);
    if (view.deadline == Instant::Max()) {
      out << ", and has no deadline";
    } else if (view.deadline > store.clock) {
      out << " for " << (view.deadline - store.clock).milliseconds() << " ms more";
    } else {
      out << ", though its deadline is over";
    }
  }
  return out.str();
}

}  // namespace

std::string WhyNotElected(const Standstill& all, uint32_t node) {
  const raft::View& view = all.stores[node].view;
  const std::string name = all.names.Store(node);
  std::ostringstream out;
  if (!view.conf.IsVoter(view.id)) {
    if (!all.conf.IsVoter(view.id)) return "";
    out << "  " << name << " is a voter, but its log ends at " << Describe(view.last_log)
        << ", before it became one\n";
    return out.str();
  }
  out << "  " << name << " " << Campaign(all, node) << "\n";
  const auto answer = [&](PeerId voter) -> std::optional<bool> {
    for (const auto& [peer, granted] : view.votes) {
      if (peer == voter) return granted;
    }
    return std::nullopt;
  };
  const bool could_win = IsQuorum(view.conf, [&](PeerId voter) {
    return voter == view.id || answer(voter) == true || !Refusal(all, node, voter);
  });
  out << "    it " << (could_win ? "could win" : "can't win") << " by the configuration "
      << all.names.Tell(view.conf) << "\n";
  for (const PeerId voter : view.conf.Everybody()) {
    if (voter == view.id || !view.conf.IsVoter(voter)) continue;
    if (const auto refusal = Refusal(all, node, voter)) {
      out << "    " << all.names.Tell(voter) << " " << *refusal << "\n";
    } else if (answer(voter) == false) {
      out << "    " << all.names.Tell(voter) << " said no, and nothing is in the way now\n";
    } else if (Asks(view) && !answer(voter)) {
      out << "    " << all.names.Tell(voter) << " has nothing against it, but no answer counted\n";
    }
  }
  return out.str();
}

std::string WhyNobodyLeads(const Standstill& all) {
  std::string lines;
  for (uint32_t node = 0; node < all.stores.size(); ++node) {
    if (all.stores[node].has_replica()) lines += WhyNotElected(all, node);
  }
  return lines;
}

}  // namespace flaredb::sim
