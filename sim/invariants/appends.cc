// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/appends.h"

#include <algorithm>
#include <sstream>
#include <variant>

#include "sim/invariants/raft_message.h"
#include "sim/world/sentence.h"

namespace flaredb::sim {
namespace {

// A base stands for everything before it.
bool Holds(const LogImage& log, raft::LogId id) {
  return id.index <= log.base().last.index || log.TermAt(id.index) == id.term;
}

std::optional<AppendOffer> OfferIn(const raft::Message& message) {
  AppendOffer offer;
  offer.from = message.from;
  offer.term = message.term;
  offer.to_incarnation = message.to_incarnation;
  if (const auto* piece = std::get_if<raft::SnapshotRequest>(&message.body)) {
    offer.prev = offer.last = piece->chunk->base.last;
    offer.commit_index = offer.last.index;
    return offer;
  }
  const auto* request = std::get_if<raft::AppendRequest>(&message.body);
  if (request == nullptr) return std::nullopt;
  offer.prev = offer.last = request->prev;
  if (!request->entries.empty()) {
    const raft::EntrySlice& slice = request->entries.back();
    offer.last = {slice.term(), slice.last_index()};
  }
  offer.commit_index = request->commit_index;
  offer.accept_unanswered = request->accept_unanswered;
  return offer;
}

}  // namespace

bool Agrees(const AppendOffer& offer, const raft::View& after, Incarnation life,
            const LogImage& log) {
  return after.role == raft::Role::kFollower && offer.term == after.term &&
         offer.from == after.leader && (!offer.to_incarnation || offer.to_incarnation == life) &&
         Holds(log, offer.prev);
}

std::optional<AppendOffer> OnlyAppend(absl::Span<const store::Event> events, PeerId peer) {
  std::optional<AppendOffer> offer;
  for (const store::Event& event : events) {
    const raft::Message* message = RaftMessageIn(event);
    if (message == nullptr || message->to != peer) continue;
    const std::optional<AppendOffer> found = OfferIn(*message);
    if (found && offer) return std::nullopt;
    if (found) offer = found;
  }
  return offer;
}

std::optional<std::string> BrokenAppend(const std::string& store, const AppendOffer& offer,
                                        const raft::View& after, Incarnation life,
                                        const LogImage& log) {
  if (!Agrees(offer, after, life, log)) return std::nullopt;
  const bool takes_entries = Holds(log, offer.last);
  if (takes_entries && after.commit_index >= std::min(offer.commit_index, offer.last.index)) {
    return std::nullopt;
  }
  std::ostringstream out;
  out << store << " agrees with its leader of term " << after.term << " at index "
      << offer.prev.index << ", and is sent ";
  if (takes_entries) {
    out << "the commit index " << offer.commit_index << ", but takes only " << after.commit_index
        << " for committed.";
  } else {
    out << "entries up to " << offer.last.term << ":" << offer.last.index
        << ", but its log then ends at " << after.last_log.term << ":" << after.last_log.index
        << ".";
  }
  return out.str();
}

std::optional<std::string> MissingAccept(const std::string& store, const AppendOffer& offer,
                                         const raft::View& before, const raft::View& after,
                                         Incarnation life, const LogImage& log, IoToken hard_state,
                                         const store::Effects& effects) {
  const bool on_disk = std::min(before.durable_index, after.durable_index) >= offer.last.index &&
                       before.durable_token >= hard_state;
  // Where somebody lives who was removed is not known for long.
  if (!after.conf.IsMember(offer.from)) return std::nullopt;
  if (!on_disk || offer.accept_unanswered || !Agrees(offer, after, life, log)) return std::nullopt;
  const auto accepts = [&](const store::Send& send) {
    const raft::Message* message = RaftMessageIn(send);
    return message != nullptr && message->from == after.id && message->to == offer.from &&
           std::holds_alternative<raft::AppendReply>(message->body);
  };
  if (std::any_of(effects.sends.begin(), effects.sends.end(), accepts)) return std::nullopt;
  return Sentence(store, " has everything on its disk that its leader of term ", after.term,
                  " sent up to index ", offer.last.index, ", but does not answer at once.");
}

}  // namespace flaredb::sim
