// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/rejects.h"

#include <algorithm>
#include <variant>

#include "sim/invariants/progress.h"
#include "sim/invariants/raft_message.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

// The last entry at or before `index` of at most `term`; the base when there is none.
raft::LogId LastOfAtMost(Term term, Index index, const LogImage& log) {
  index = std::min(index, log.last_index());
  while (index > log.base().last.index && log.TermAt(index) > term) index = index.prev();
  return index > log.base().last.index ? raft::LogId{log.TermAt(index), index} : log.base().last;
}

const raft::AppendReject* RejectIn(const raft::Message& message) {
  const auto* reply = std::get_if<raft::AppendReply>(&message.body);
  return reply != nullptr ? std::get_if<raft::AppendReject>(&reply->result) : nullptr;
}

// Whether a leader that knows this of a follower learns nothing from the refusal any more.
bool SaysNothing(const raft::AppendReject& reject, const raft::ProgressView& follower) {
  return follower.state == raft::ProgressState::kSnapshot ||
         reject.prev_index <= follower.match_index ||
         (follower.state == raft::ProgressState::kProbe &&
          reject.prev_index != follower.next_index.prev());
}

}  // namespace

std::optional<std::string> BrokenReject(const AppendOffer& offer, const raft::View& before,
                                        const raft::View& after, const LogImage& log,
                                        const store::Effects& effects, const Names& names) {
  // Is it of this turn, and of the log as it is now?
  if (before.backlog.gated_messages != 0 || before.last_log != after.last_log ||
      before.base != after.base) {
    return std::nullopt;
  }
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    const raft::AppendReject* reject = message != nullptr ? RejectIn(*message) : nullptr;
    if (reject == nullptr || message->from != after.id) continue;
    const raft::LogId nearest = LastOfAtMost(offer.prev.term, offer.prev.index, log);
    if (nearest == offer.prev) {
      return Sentence(names.Tell(after.id), " refuses an append after ", offer.prev.term, ":",
                      offer.prev.index, ", which is in its log.");
    }
    if (reject->prev_index != offer.prev.index || reject->hint != nearest) {
      return Sentence(names.Tell(after.id), " refuses an append after ", offer.prev.term, ":",
                      offer.prev.index, " and says that the logs may agree at ", reject->hint.term,
                      ":", reject->hint.index, ", but its last entry of at most that term is ",
                      nearest.term, ":", nearest.index, ".");
    }
  }
  return std::nullopt;
}

std::optional<std::string> BrokenNextProbe(const store::Event& event, const raft::View& before,
                                           const LogImage& log, const store::Effects& effects,
                                           const Names& names) {
  const raft::Message* answer = RaftMessageIn(event);
  const raft::AppendReject* reject = answer != nullptr ? RejectIn(*answer) : nullptr;
  if (reject == nullptr || answer->to != before.id || answer->term != before.term) {
    return std::nullopt;
  }
  const raft::ProgressView* follower = ProgressOf(before, answer->from);
  if (follower == nullptr || SaysNothing(*reject, *follower)) return std::nullopt;
  const Index next =
      std::max(follower->match_index,
               std::min(LastOfAtMost(reject->hint.term, reject->hint.index, log).index,
                        reject->prev_index.prev()));
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    if (message == nullptr || message->from != before.id || message->to != answer->from) continue;
    const auto* request = std::get_if<raft::AppendRequest>(&message->body);
    // What is refused may be of another leadership of the same follower.
    if (request == nullptr || request->prev.index == next ||
        request->session != std::get<raft::AppendReply>(answer->body).session) {
      continue;
    }
    return Sentence(names.Tell(before.id), ", leader of term ", before.term,
                    ", hears that a log without its entry ", reject->prev_index,
                    " may agree with it at ", reject->hint.term, ":", reject->hint.index,
                    ", and asks at ", request->prev.index, " next instead of ", next, ".");
  }
  return std::nullopt;
}

std::optional<std::string> MissingProbe(const raft::View& before, const raft::View& after,
                                        const store::Effects& effects, const Names& names) {
  if (before.role != raft::Role::kLeader || after.role != raft::Role::kLeader ||
      before.term != after.term) {
    return std::nullopt;
  }
  for (const raft::ProgressView& follower : after.progress) {
    const raft::ProgressView* earlier = ProgressOf(before, follower.peer);
    if (earlier == nullptr || earlier->state == raft::ProgressState::kSnapshot ||
        follower.state != raft::ProgressState::kProbe) {
      continue;
    }
    const bool moved =
        earlier->state != follower.state || earlier->next_index != follower.next_index;
    if (!moved || follower.fetching || follower.next_index <= after.base.index) continue;
    const auto probes = [&](const store::Send& send) {
      const raft::Message* message = RaftMessageIn(send);
      if (message == nullptr || message->from != after.id || message->to != follower.peer) {
        return false;
      }
      const auto* request = std::get_if<raft::AppendRequest>(&message->body);
      return request != nullptr && request->prev.index.next() == follower.next_index;
    };
    if (std::any_of(effects.sends.begin(), effects.sends.end(), probes)) continue;
    return Sentence(names.Tell(after.id), ", leader of term ", after.term, ", is to ask ",
                    names.Tell(follower.peer), " at index ", follower.next_index.prev(),
                    " whether the logs agree, but does not do so at once.");
  }
  return std::nullopt;
}

}  // namespace flaredb::sim
