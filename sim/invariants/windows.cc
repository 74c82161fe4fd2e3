// SPDX-License-Identifier: Apache-2.0
#include "sim/invariants/windows.h"

#include <sstream>
#include <variant>

#include "sim/invariants/raft_message.h"

namespace flaredb::sim {

void Windows::OnTurn(PeerId leader, absl::Span<const store::Event> events,
                     const store::Effects& effects, const raft::Config& config) {
  for (auto at = windows_.lower_bound({leader, PeerId()});
       at != windows_.end() && at->first.first == leader; ++at) {
    at->second.answered = false;
  }
  for (const store::Event& event : events) {
    const raft::Message* message = RaftMessageIn(event);
    if (message != nullptr && message->to == leader) Hear(*message);
  }
  for (const store::Send& send : effects.sends) {
    const raft::Message* message = RaftMessageIn(send);
    if (message != nullptr && message->from == leader) Send(*message, config);
  }
}

void Windows::Hear(const raft::Message& message) {
  const uint64_t session = AnsweredSession(message);
  if (session == 0) return;
  Window* window = Of(message.to, message.from, {message.term, session});
  if (window == nullptr) return;
  if (std::holds_alternative<raft::AppendReply>(message.body)) {
    *window = {window->reign, 0, 0, 0, true};
  } else {
    ++window->excuses;
  }
}

// Null when a later one has begun.
Windows::Window* Windows::Of(PeerId leader, PeerId follower, std::pair<Term, uint64_t> reign) {
  Window& window = windows_[{leader, follower}];
  if (window.reign < reign) window = {reign};
  return window.reign == reign ? &window : nullptr;
}

void Windows::Send(const raft::Message& message, const raft::Config& config) {
  const auto* request = std::get_if<raft::AppendRequest>(&message.body);
  if (request == nullptr || request->entries.empty()) return;
  size_t bytes = 0;
  uint64_t entries = 0;
  for (const raft::EntrySlice& slice : request->entries) {
    bytes += slice.bytes();
    entries += slice.size();
  }
  if (entries > 1 && bytes > config.append_bytes_max) {
    std::ostringstream out;
    out << names_->Tell(message.from) << ", leader of term " << message.term << ", sends "
        << names_->Tell(message.to) << " " << entries << " entries of " << bytes
        << " bytes at once, more than the " << config.append_bytes_max
        << " that an append may have.";
    return report_->Fail(FailureKind::kSafety, "FLOW", out.str());
  }
  Window* const found = Of(message.from, message.to, {message.term, request->session});
  if (found == nullptr || found->answered) return;
  Window& window = *found;
  const bool full =
      window.appends >= config.inflight_appends_max || window.bytes >= config.inflight_bytes_max;
  if (full && window.excuses == 0) {
    std::ostringstream out;
    out << names_->Tell(message.from) << ", leader of term " << message.term << ", sends "
        << names_->Tell(message.to) << " entries after index " << request->prev.index
        << ", but has sent it " << window.appends << " appends of " << window.bytes
        << " bytes since it heard what became of any; its window has room for "
        << config.inflight_appends_max << " and " << config.inflight_bytes_max << " bytes.";
    return report_->Fail(FailureKind::kSafety, "FLOW", out.str());
  }
  if (full) --window.excuses;
  ++window.appends;
  window.bytes += bytes;
}

}  // namespace flaredb::sim
