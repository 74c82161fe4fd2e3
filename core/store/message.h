// SPDX-License-Identifier: Apache-2.0
// What stores tell each other.
#ifndef FLAREDB_CORE_STORE_MESSAGE_H_
#define FLAREDB_CORE_STORE_MESSAGE_H_

#include <cstdint>
#include <vector>

#include "core/base/types.h"
#include "core/base/variant.h"
#include "core/cluster/roll_call.h"
#include "core/raft/message.h"
#include "core/region/region.h"
#include "core/store/request.h"

namespace flaredb::store {

// A message of one Raft group. Without a region and its epoch it could not be routed.
struct RaftEnvelope {
  RegionId region;
  RegionEpoch epoch;
  raft::Message message;
};

// A client's request, passed on to the store that is believed to lead the region. Never passed on
// again: a receiver that does not lead answers kNotLeader.
struct ForwardedRequest {
  uint64_t id = 0;  // Drawn by the sender, echoed; unique in the life of its process.
  RegionId region;
  Request request;
  // With a read of an eventual namespace: what the sender has accepted itself of what is read. The
  // answer is merged with it, so that who wrote to a store finds it there.
  std::vector<kv::LwwRow> held = {};
  // With such a read: the sender's Outbox::unseen. Who has applied less does not answer from what
  // it has.
  Index unseen = {};
};
struct ForwardedReply {
  uint64_t id = 0;
  Reply reply;
};

// "Peer `peer` of the region is no member at conf_version": to a replica that does not know. If it
// was a member at an earlier version it was removed, because ids are never used twice; if it has
// yet to learn that it joined it is not concerned.
struct PeerRemoved {
  RegionId region;
  PeerId peer;
  uint64_t conf_version = 0;
};

// Sent to every other store at each heartbeat interval while groups rest: the one sign of life of
// all their leaders (see raft::HeartbeatRequest::rest_at). A store that was started anew, or that
// missed `dead`, must not keep its followers waiting.
struct StoreBeat {
  uint64_t life = 0;           // Drawn at the start of the process.
  std::vector<RegionId> dead;  // Regions whose replica here has stopped for good. Ascending.
};

struct StoreMessage : std::variant<RaftEnvelope, ForwardedRequest, ForwardedReply, PeerRemoved,
                                   StoreBeat, cluster::RollCall, cluster::RollAnswer> {
  FLAREDB_DECLARE_VARIANT(StoreMessage)
};

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_MESSAGE_H_
