// SPDX-License-Identifier: Apache-2.0
// What stores tell each other <-> raftpb.
#ifndef FLAREDB_NET_WIRE_RAFT_CODEC_H_
#define FLAREDB_NET_WIRE_RAFT_CODEC_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "core/store/message.h"

namespace raftpb {
class RaftBatch;
}  // namespace raftpb

namespace flaredb::net {

// Adds `message` to the batch, whose header is the caller's to fill. See EncodeEnvelope.
void AppendMessage(const store::StoreMessage& message, raftpb::RaftBatch* batch);

// What makes a message large, in bytes: keys, values, log entries, snapshots, long lists. Nearly
// all of its size when it is large.
size_t PayloadBytes(const store::StoreMessage& message);

// Takes the messages out of `batch`, which loses its content, and appends them to `messages`: Raft
// messages first, then requests, replies, removed peers, beats, roll calls and answers to them,
// each in the order of sending. INVALID_ARGUMENT, with `messages` as it was, when one of them makes
// no sense: a kind that this version does not know, a missing region, epoch or peer, entries with
// gaps, a list out of order. What gets through cannot break an invariant of the core by its form.
absl::Status TakeMessages(raftpb::RaftBatch* batch, std::vector<store::StoreMessage>* messages);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_RAFT_CODEC_H_
