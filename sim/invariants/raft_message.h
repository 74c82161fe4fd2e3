// SPDX-License-Identifier: Apache-2.0
#ifndef FLAREDB_SIM_INVARIANTS_RAFT_MESSAGE_H_
#define FLAREDB_SIM_INVARIANTS_RAFT_MESSAGE_H_

#include <variant>

#include "core/raft/message.h"
#include "core/store/event.h"

namespace flaredb::sim {

// The message that some replica sent to one here; null when the event is something else. Borrowed.
inline const raft::Message* RaftMessageIn(const store::Event& event) {
  const auto* received = std::get_if<store::MessageReceived>(&event);
  const auto* envelope =
      received != nullptr ? std::get_if<store::RaftEnvelope>(&received->message) : nullptr;
  return envelope != nullptr ? &envelope->message : nullptr;
}

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_RAFT_MESSAGE_H_
