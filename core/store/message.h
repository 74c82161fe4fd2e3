// SPDX-License-Identifier: Apache-2.0
// What stores tell each other.
#ifndef FLAREDB_CORE_STORE_MESSAGE_H_
#define FLAREDB_CORE_STORE_MESSAGE_H_

#include <cstdint>
#include <variant>

#include "core/base/types.h"
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
};
struct ForwardedReply {
  uint64_t id = 0;
  Reply reply;
};

using StoreMessage = std::variant<RaftEnvelope, ForwardedRequest, ForwardedReply>;

}  // namespace flaredb::store

#endif  // FLAREDB_CORE_STORE_MESSAGE_H_
