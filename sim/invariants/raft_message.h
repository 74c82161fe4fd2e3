// SPDX-License-Identifier: Apache-2.0
#ifndef FLAREDB_SIM_INVARIANTS_RAFT_MESSAGE_H_
#define FLAREDB_SIM_INVARIANTS_RAFT_MESSAGE_H_

#include <cstdint>
#include <variant>

#include "core/raft/message.h"
#include "core/store/effects.h"
#include "core/store/event.h"

namespace flaredb::sim {

// The message that some replica sent to one here; null when the event is something else. Borrowed.
inline const raft::Message* RaftMessageIn(const store::Event& event) {
  const auto* received = std::get_if<store::MessageReceived>(&event);
  const auto* envelope =
      received != nullptr ? std::get_if<store::RaftEnvelope>(&received->message) : nullptr;
  return envelope != nullptr ? &envelope->message : nullptr;
}

// The message that leaves for another replica; null when something else does. Borrowed.
inline const raft::Message* RaftMessageIn(const store::Send& send) {
  const auto* envelope = std::get_if<store::RaftEnvelope>(&send.message);
  return envelope != nullptr ? &envelope->message : nullptr;
}

// The leadership, of the message's term, over the sender that it answers to; 0: it answers none.
inline uint64_t AnsweredSession(const raft::Message& message) {
  if (const auto* reply = std::get_if<raft::AppendReply>(&message.body)) return reply->session;
  if (const auto* reply = std::get_if<raft::HeartbeatReply>(&message.body)) return reply->session;
  if (const auto* reply = std::get_if<raft::SnapshotReply>(&message.body)) return reply->session;
  return 0;
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_RAFT_MESSAGE_H_
