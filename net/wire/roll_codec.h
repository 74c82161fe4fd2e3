// SPDX-License-Identifier: Apache-2.0
// Roll calls and their answers <-> raftpb.
#ifndef FLAREDB_NET_WIRE_ROLL_CODEC_H_
#define FLAREDB_NET_WIRE_ROLL_CODEC_H_

#include <cstddef>

#include "absl/status/status.h"
#include "core/cluster/roll_call.h"

namespace raftpb {
class RollAnswer;
class RollCall;
}  // namespace raftpb

namespace flaredb::net {

// Requires that the call names the placement driver's region, and that reports are of regions.
void EncodeRollCall(const cluster::RollCall& in, raftpb::RollCall* out);
void EncodeRollAnswer(const cluster::RollAnswer& in, raftpb::RollAnswer* out);

// `in` loses its content. INVALID_ARGUMENT, with `out` in any state, when it makes no sense: an id
// that is 0, a list out of order, something that is not what a disk would hold.
absl::Status TakeRollCall(raftpb::RollCall* in, cluster::RollCall* out);
absl::Status TakeRollAnswer(raftpb::RollAnswer* in, cluster::RollAnswer* out);

// The bytes of the lists.
size_t PayloadBytes(const cluster::RollCall& call);
size_t PayloadBytes(const cluster::RollAnswer& answer);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_WIRE_ROLL_CODEC_H_
