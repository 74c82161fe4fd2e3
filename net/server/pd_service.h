// SPDX-License-Identifier: Apache-2.0
// pdpb.Pd: the placement driver for stores, operators and tools.
#ifndef FLAREDB_NET_SERVER_PD_SERVICE_H_
#define FLAREDB_NET_SERVER_PD_SERVICE_H_

#include "net/grpc_server.h"
#include "net/server/mode_service.h"
#include "net/server/pd_caller.h"

namespace flaredb::net {

// Registers the service; `server` must not be listening yet. `pd` outlives it. It is asked by way
// of this store, so any store answers.
void RegisterPdService(GrpcServer* server, PdCaller* pd, Waiting waiting);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_PD_SERVICE_H_
