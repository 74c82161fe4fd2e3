// SPDX-License-Identifier: Apache-2.0
// What replicas of one group tell each other <-> raftpb.
#ifndef FLAREDB_NET_WIRE_RAFT_MESSAGE_CODEC_H_
#define FLAREDB_NET_WIRE_RAFT_MESSAGE_CODEC_H_

#include <cstddef>

#include "absl/status/status.h"
#include "core/store/message.h"

namespace raftpb {
class RaftMessage;
}  // namespace raftpb

namespace flaredb::net {

// Of one piece of a snapshot: a batch with it and the rest of its message stays below the limit of
// a gRPC message (GrpcServerOptions).
inline constexpr size_t kSnapshotDataBytesMax = (4 << 20) - (64 << 10);

// Requires that a snapshot's piece keeps to kSnapshotDataBytesMax.
void EncodeEnvelope(const store::RaftEnvelope& in, raftpb::RaftMessage* out);

// `in` loses its content. INVALID_ARGUMENT, with `out` in any state, when it is nothing that a
// replica sends. What gets through cannot break an invariant of the core by its form.
absl::Status TakeEnvelope(raftpb::RaftMessage* in, store::RaftEnvelope* out);

// The bytes of log entries, snapshots and configurations, with what each entry and member costs
// beside its content.
size_t PayloadBytes(const store::RaftEnvelope& envelope);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_RAFT_MESSAGE_CODEC_H_
