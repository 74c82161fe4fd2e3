// SPDX-License-Identifier: Apache-2.0
// FLOW: how much a leader sends to somebody who does not answer.
#ifndef FLAREDB_SIM_INVARIANTS_WINDOWS_H_
#define FLAREDB_SIM_INVARIANTS_WINDOWS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/types/span.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/message.h"
#include "core/store/effects.h"
#include "core/store/event.h"
#include "sim/invariants/names.h"
#include "sim/world/failure.h"

namespace flaredb::sim {

// Of one region. Knows what was sent and delivered, and not what the leader believes is under way:
// a leader that has lost count finds its own window empty.
class Windows {
 public:
  // `names` and `report` outlive this object.
  Windows(const Names* names, FailureReport* report) : names_(names), report_(report) {}

  // A store turned to `events` and its replica, `leader`, leads; `effects` is what it sends, under
  // `config`. FLOW:
  // Since a follower last answered an append of this leadership, no entries leave for it when as
  // many appends with entries have left already as config.inflight_appends_max, or as many bytes as
  // config.inflight_bytes_max. Each other answer excuses one append: whatever was under way may be
  // lost, so the leader may try anew. And an append with more than one entry has no more than
  // config.append_bytes_max.
  void OnTurn(PeerId leader, absl::Span<const store::Event> events, const store::Effects& effects,
              const raft::Config& config);

 private:
  // From one leadership to one follower, since that one last answered an append.
  struct Window {
    std::pair<Term, uint64_t> reign;  // Its term, and its session with the follower.
    size_t appends = 0;               // With entries,
    size_t bytes = 0;                 // and their payload.
    size_t excuses = 0;
    bool answered = false;  // In this turn: what leaves in it may have left before the answer.
  };

  Window* Of(PeerId leader, PeerId follower, std::pair<Term, uint64_t> reign);
  void Hear(const raft::Message& message);
  void Send(const raft::Message& message, const raft::Config& config);

  const Names* names_;
  FailureReport* report_;
  std::map<std::pair<PeerId, PeerId>, Window> windows_;  // By leader and follower; the latest.
};

}  // namespace flaredb::sim

#endif  // FLAREDB_SIM_INVARIANTS_WINDOWS_H_
