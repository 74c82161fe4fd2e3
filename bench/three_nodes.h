// SPDX-License-Identifier: Apache-2.0
// Three replicas of one group in one thread, in a world that costs nothing: a write is durable as
// soon as it is issued, and a message arrives as soon as it is sent. What remains is the core.
#ifndef FLAREDB_BENCH_THREE_NODES_H_
#define FLAREDB_BENCH_THREE_NODES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/time.h"
#include "core/base/types.h"
#include "core/raft/config.h"
#include "core/raft/effects.h"
#include "core/raft/entry.h"
#include "core/raft/entry_slices.h"
#include "core/raft/message.h"
#include "core/raft/raft.h"

namespace flaredb::bench {

class ThreeNodes {
 public:
  // Calls of one kind, and the allocations inside of them.
  struct Calls {
    uint64_t calls = 0;
    uint64_t allocations = 0;
  };
  // Payloads handed to the wire, a disk or a state machine, and those among them that did not lie
  // in the proposer's own block.
  struct Payloads {
    uint64_t seen = 0;
    uint64_t copied = 0;
  };

  // Replica 1 leads, and all have applied what a new leader writes by itself.
  explicit ThreeNodes(const raft::Config& config);

  // Proposes at the leader; what follows waits for Settle.
  void Propose(raft::EntryBlockRef block);
  // Carries out all effects until none is left. Everything proposed is then committed, and applied
  // by all three.
  void Settle();
  // As Propose and Settle, with an eye on every payload that is handed out on the way.
  Payloads WatchProposal(raft::EntryBlockRef block);
  // Time passes until the leader makes contact; settles.
  void Heartbeat();
  // Time passes until the group rests. Requires a config by which it does.
  void Rest();
  // The replica, from 1 to 3, is gone; nothing may be asked of this object after the first.
  void Destroy(int replica) { replicas_[replica - 1].reset(); }

  // Entries applied by the replica that has applied fewest.
  uint64_t applied() const;
  uint64_t messages() const { return messages_; }
  // Answers to appends, at the leader; and everything to do with heartbeats, at all three.
  const Calls& acks() const { return acks_; }
  const Calls& heartbeats() const { return heartbeats_; }

 private:
  raft::Effects* effects(PeerId id) { return &effects_[id.value() - 1]; }
  // False when there was nothing to do.
  bool CarryOut(int replica);
  void Deliver(raft::Message&& message);
  void Look(const raft::EntrySlices& entries);

  const raft::Config config_;
  Instant now_ = Instant::FromNanoseconds(1);
  std::array<std::unique_ptr<raft::Raft>, 3> replicas_;
  std::array<raft::Effects, 3> effects_;
  std::vector<raft::Message> in_delivery_;
  std::array<uint64_t, 3> applied_{};
  uint64_t messages_ = 0;
  Calls acks_;
  Calls heartbeats_;
  const raft::EntryBlock* watched_ = nullptr;
  Payloads payloads_;
};

}  // namespace flaredb::bench

#endif  // FLAREDB_BENCH_THREE_NODES_H_
