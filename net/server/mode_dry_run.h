// SPDX-License-Identifier: Apache-2.0
// UpdateNamespaceMode that changes nothing.
#ifndef FLAREDB_NET_SERVER_MODE_DRY_RUN_H_
#define FLAREDB_NET_SERVER_MODE_DRY_RUN_H_

#include "core/base/time.h"
#include "net/grpc_server.h"
#include "net/server/mode_wish.h"
#include "net/server/pd_caller.h"

namespace flaredb::net {

// Answers `call` with what would become of `wish`: the refusal that it would meet, or who would
// have to agree before it is fulfilled. `pd` outlives the call.
void ForeseeUpdate(PdCaller* pd, const ModeWish& wish, Duration budget, UnaryCall call);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MODE_DRY_RUN_H_
