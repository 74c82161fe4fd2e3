// SPDX-License-Identifier: Apache-2.0
// What an operator, or the placement driver in its place, tells a region to do: its leader; or,
// when a majority is lost for ever, the survivor that a plan chose.
#ifndef FLAREDB_CORE_STORE_ORDER_H_
#define FLAREDB_CORE_STORE_ORDER_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/types.h"
#include "core/raft/membership.h"
#include "core/raft/unsafe_recovery.h"

namespace flaredb::store {

// Carried out in one step; see raft::Raft::ChangeMembers. A new peer needs a store of its own.
struct ChangePeers {
  std::vector<raft::MemberChange> changes;
};
// See raft::Raft::TransferLeadership.
struct TransferLeader {
  PeerId target;
};

struct Order {
  uint64_t id = 0;  // The sender's; echoed.
  RegionId region;
  std::variant<ChangePeers, TransferLeader, raft::RecoveryPlan> what;  // See raft::Raft::Recover.
};

// Begun, or refused without any effect. What became of it shows in Store::peers.
struct OrderOutcome {
  uint64_t id = 0;
  std::string refusal;  // Empty: begun. Otherwise a sentence.
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_ORDER_H_
