// SPDX-License-Identifier: Apache-2.0
// Requests passed on to a region's leader, and their answers <-> raftpb.
#ifndef FLAREDB_NET_WIRE_FORWARD_CODEC_H_
#define FLAREDB_NET_WIRE_FORWARD_CODEC_H_

#include <cstddef>

#include "absl/status/status.h"
#include "core/store/message.h"

namespace raftpb {
class ForwardedReply;
class ForwardedRequest;
}  // namespace raftpb

namespace flaredb::net {

void EncodeRequest(const store::ForwardedRequest& in, raftpb::ForwardedRequest* out);
void EncodeReply(const store::ForwardedReply& in, raftpb::ForwardedReply* out);

// `in` loses its content. INVALID_ARGUMENT, with `out` in any state, when it makes no sense.
absl::Status TakeRequest(raftpb::ForwardedRequest* in, store::ForwardedRequest* out);
absl::Status TakeReply(raftpb::ForwardedReply* in, store::ForwardedReply* out);

// The bytes of keys and values.
size_t PayloadBytes(const store::ForwardedRequest& request);
size_t PayloadBytes(const store::ForwardedReply& reply);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_FORWARD_CODEC_H_
