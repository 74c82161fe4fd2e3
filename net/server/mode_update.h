// SPDX-License-Identifier: Apache-2.0
// UpdateNamespaceMode, from its request to its answer.
#ifndef FLAREDB_NET_SERVER_MODE_UPDATE_H_
#define FLAREDB_NET_SERVER_MODE_UPDATE_H_

#include "core/base/time.h"
#include "net/event_loop.h"
#include "net/grpc_server.h"
#include "net/server/mode_service.h"
#include "net/server/pd_caller.h"

namespace raftpb {
class UpdateNamespaceModeRequest;
}  // namespace raftpb

namespace flaredb::net {

// How long an update waits for the switch to be through when its caller does not say, and how often
// it looks meanwhile.
inline constexpr Duration kSwitchWait = Duration::Seconds(5);
inline constexpr Duration kSwitchPoll = Duration::Milliseconds(50);

// Carries out `request` and answers `call`. `loop`, `pd` and what `waiting` needs outlive the call.
void UpdateMode(EventLoop* loop, PdCaller* pd, const Waiting& waiting,
                const raftpb::UpdateNamespaceModeRequest& request, UnaryCall call);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MODE_UPDATE_H_
