// SPDX-License-Identifier: Apache-2.0
// pdpb.Pd: the placement driver for stores, operators and tools.
#ifndef FLAREDB_NET_SERVER_PD_SERVICE_H_
#define FLAREDB_NET_SERVER_PD_SERVICE_H_

#include <functional>
#include <vector>

#include "core/base/types.h"
#include "net/grpc_server.h"
#include "net/server/mode_service.h"
#include "net/server/pd_caller.h"

namespace flaredb::net {

// The stores that this one knows to be alive.
using Alive = std::function<std::vector<StoreId>()>;

// Registers the service; `server` must not be listening yet. `pd` outlives it. It is asked by way
// of this store, so any store answers.
void RegisterPdService(GrpcServer* server, PdCaller* pd, Waiting waiting, Alive alive);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PD_SERVICE_H_
