// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/appends.h"

#include <algorithm>
#include <sstream>
#include <variant>

#include "sim/invariants/raft_message.h"

namespace flaredb::sim {
namespace {

// A base stands for everything before it.
bool Holds(const LogImage& log, raft::LogId id) {
  return id.index <= log.base().last.index || log.TermAt(id.index) == id.term;
}

}  // namespace

std::optional<AppendOffer> OnlyAppend(absl::Span<const store::Event> events, PeerId peer) {
  std::optional<AppendOffer> offer;
  for (const store::Event& event : events) {
    const raft::Message* message = RaftMessageIn(event);
    if (message == nullptr || message->to != peer) continue;
    if (std::holds_alternative<raft::SnapshotRequest>(message->body)) return std::nullopt;
    const auto* request = std::get_if<raft::AppendRequest>(&message->body);
    if (request == nullptr) continue;
    if (offer) return std::nullopt;
    raft::LogId last = request->prev;
    if (!request->entries.empty()) {
      const raft::EntrySlice& slice = request->entries.back();
      last = {slice.term(), slice.last_index()};
    }
    offer = {message->from, message->term, message->to_incarnation,
             request->prev, last,          request->commit_index};
  }
  return offer;
}

std::optional<std::string> BrokenAppend(const std::string& store, const AppendOffer& offer,
                                        const raft::View& after, Incarnation life,
                                        const LogImage& log) {
  const bool heard = after.role == raft::Role::kFollower && offer.term == after.term &&
                     offer.from == after.leader &&
                     (!offer.to_incarnation || offer.to_incarnation == life);
  if (!heard || !Holds(log, offer.prev)) return std::nullopt;
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

}  // namespace flaredb::sim
