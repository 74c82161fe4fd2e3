// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/campaigns.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "core/raft/membership.h"
#include "sim/invariants/quorum.h"
#include "sim/invariants/raft_message.h"

namespace flaredb::sim {
namespace {

bool IsFromLeader(const raft::Message& message) {
  return std::holds_alternative<raft::AppendRequest>(message.body) ||
         std::holds_alternative<raft::HeartbeatRequest>(message.body) ||
         std::holds_alternative<raft::SnapshotRequest>(message.body);
}

// Somebody campaigns, and no leader asked him to.
bool IsUninvited(const raft::Message& message) {
  const auto* vote = std::get_if<raft::VoteRequest>(&message.body);
  return std::holds_alternative<raft::PreVoteRequest>(message.body) ||
         (vote != nullptr && !vote->leadership_transfer);
}

bool IsAlone(const raft::View& view) {
  return !view.conf.joint() && view.conf.voters == std::vector<PeerId>{view.id};
}

}  // namespace

// What came for a replica in one turn.
struct Campaigns::Heard {
  std::vector<const raft::Message*> messages;
  bool nothing_else = true;

  template <typename Predicate>
  bool Any(Predicate&& predicate) const {
    return std::any_of(messages.begin(), messages.end(),
                       [&](const raft::Message* message) { return predicate(*message); });
  }
};

void Campaigns::OnStart(const raft::View& view) {
  if (IsAlone(view)) promised_until_.erase(view.id);
}

void Campaigns::OnTurn(Instant now, absl::Span<const store::Event> events, const raft::View& before,
                       const raft::View& after, Incarnation life, const store::Effects& effects) {
  Heard heard;
  for (const store::Event& event : events) {
    const raft::Message* message = RaftMessageIn(event);
    if (message != nullptr && message->to == after.id) heard.messages.push_back(message);
    heard.nothing_else &= message != nullptr;
  }
  // What it hears in this turn binds it from the next one on: here it may have come last.
  const auto until = promised_until_.find(after.id);
  const bool promised = until != promised_until_.end() && now < until->second;
  CheckPreVotes(heard, before, after, effects, promised);
  CheckVote(heard, before, after, promised);
  CheckTerm(heard, before, after, promised);

  OnSends(after.id, effects);
  const auto asked = asked_to_campaign_.find(after.id);
  if (after.lease_valid && asked != asked_to_campaign_.end() && asked->second.first == after.term) {
    Fail("LEASE", Tell(after.id) + " leads term " + std::to_string(after.term.value()) +
                      " and holds its lease, but has asked " + Tell(asked->second.second) +
                      " to campaign against all promises.");
  }

  const bool contact = after.role == raft::Role::kFollower && heard.Any([&](const auto& message) {
    return IsFromLeader(message) && message.term == after.term && message.from == after.leader &&
           (!message.to_incarnation || message.to_incarnation == life);
  });
  if (contact) promised_until_[after.id] = now + election_timeout_;
}

void Campaigns::OnSends(PeerId peer, const store::Effects& effects) {
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    if (message == nullptr || message->from != peer) continue;
    if (std::holds_alternative<raft::TimeoutNow>(message->body)) {
      asked_to_campaign_[peer] = {message->term, message->to};
    } else if (const auto* reply = std::get_if<raft::PreVoteReply>(&message->body)) {
      if (reply->granted) pre_votes_.insert({reply->campaign_term, message->to, message->from});
    } else if (const auto* vote = std::get_if<raft::VoteRequest>(&message->body)) {
      if (vote->leadership_transfer) CheckInvitation(*message);
    }
  }
}

// A granted PreVote leaves as soon as the term that it states is durable: if nothing is under way
// to the disk, in the turn that decided on it.
void Campaigns::CheckPreVotes(const Heard& heard, const raft::View& before, const raft::View& after,
                              const store::Effects& effects, bool promised) {
  if (before.durable_token != before.issued_token) return;
  for (const store::Send& send : effects.sends) {
    const raft::Message* answer = RaftMessageIn(send);
    if (answer == nullptr || answer->from != after.id) continue;
    const auto* reply = std::get_if<raft::PreVoteReply>(&answer->body);
    if (reply == nullptr || !reply->granted) continue;
    // Of several requests the best explains the answer.
    std::optional<raft::LogId> log;
    for (const raft::Message* message : heard.messages) {
      const auto* request = std::get_if<raft::PreVoteRequest>(&message->body);
      if (request == nullptr || message->from != answer->to) continue;
      if (request->campaign_term != reply->campaign_term) continue;
      log = std::max(log, std::optional(request->last_log));
    }
    if (!log) continue;
    std::ostringstream out;
    out << Tell(after.id) << " would vote for " << Tell(answer->to) << " in term "
        << reply->campaign_term;
    if (promised) {
      out << ", but has heard from its leader within an election timeout.";
      Fail("STICKY", out.str());
    } else if (*log < before.last_log && *log < after.last_log) {
      out << ", whose log ends at " << log->term << ":" << log->index << ", but its own ends at "
          << after.last_log.term << ":" << after.last_log.index << ".";
      Fail("PREVOTE", out.str());
    }
  }
}

void Campaigns::CheckVote(const Heard& heard, const raft::View& before, const raft::View& after,
                          bool promised) {
  if (promised && after.role == raft::Role::kPreCandidate && before.role != after.role) {
    return Fail("STICKY", Tell(after.id) + " asks who would vote for it, but has heard from its " +
                              "leader within an election timeout.");
  }
  if (!after.vote || (after.term == before.term && after.vote == before.vote)) return;
  const bool campaigns = after.vote == after.id;
  const bool invited = heard.Any([&](const raft::Message& message) {
    if (campaigns) return std::holds_alternative<raft::TimeoutNow>(message.body);
    const auto* request = std::get_if<raft::VoteRequest>(&message.body);
    return request != nullptr && message.from == after.vote && request->leadership_transfer;
  });
  if (invited && campaigns) invited_[after.id] = after.term;
  if (invited) return;
  std::ostringstream out;
  out << Tell(after.id);
  if (promised) {
    out << (campaigns ? " campaigns itself" : " votes for " + Tell(after.vote)) << " in term "
        << after.term << ", but has heard from its leader within an election timeout.";
    return Fail("STICKY", out.str());
  }
  if (!campaigns || after.role != raft::Role::kCandidate) return;
  const bool encouraged = IsQuorum(after.conf, [&](PeerId voter) {
    return voter == after.id || pre_votes_.contains({after.term, after.id, voter});
  });
  if (encouraged) return;
  out << " campaigns in term " << after.term << ", but those who said that they would vote for it "
      << "are no quorum of " << names_->Tell(after.conf) << ".";
  Fail("PREVOTE", out.str());
}

void Campaigns::CheckInvitation(const raft::Message& vote_request) {
  const auto invited = invited_.find(vote_request.from);
  if (invited != invited_.end() && invited->second == vote_request.term) return;
  Fail("STICKY", Tell(vote_request.from) + " asks " + Tell(vote_request.to) +
                     " for its vote in term " + std::to_string(vote_request.term.value()) +
                     " against all promises, but no leader asked it to campaign.");
}

void Campaigns::CheckTerm(const Heard& heard, const raft::View& before, const raft::View& after,
                          bool promised) {
  if (after.term == before.term || after.vote == after.id) return;
  const bool led = before.role == raft::Role::kLeader && heard.nothing_else;
  if (!promised && !led) return;
  const bool has_reason = heard.Any([&](const raft::Message& message) {
    const bool campaigned = std::holds_alternative<raft::TimeoutNow>(message.body);
    return campaigned || (!IsUninvited(message) && (led || message.term > before.term));
  });
  if (has_reason) return;
  std::ostringstream out;
  out << Tell(after.id) << " leaves term " << before.term << " for term " << after.term
      << " because somebody campaigns, but "
      << (led ? "leads." : "has heard from its leader within an election timeout.");
  Fail("STICKY", out.str());
}

void Campaigns::Fail(const char* invariant, std::string sentence) {
  report_->Fail(FailureKind::kSafety, invariant, std::move(sentence));
}

}  // namespace flaredb::sim
