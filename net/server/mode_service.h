// SPDX-License-Identifier: Apache-2.0
// The part of raftpb.RaftService that is for clients: the modes of namespaces.
#ifndef FLAREDB_NET_SERVER_MODE_SERVICE_H_
#define FLAREDB_NET_SERVER_MODE_SERVICE_H_

#include "net/grpc_server.h"
#include "net/server/pd_caller.h"

namespace flaredb::net {

// Registers GetMode, ListNamespaceModes and UpdateNamespaceMode; `server` must not be listening
// yet. `pd` outlives it. It is asked by way of this store, so any store answers.
void RegisterModeService(GrpcServer* server, PdCaller* pd);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MODE_SERVICE_H_
