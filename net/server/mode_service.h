// SPDX-License-Identifier: Apache-2.0
// The part of raftpb.RaftService that is for clients: the modes of namespaces.
#ifndef FLAREDB_NET_SERVER_MODE_SERVICE_H_
#define FLAREDB_NET_SERVER_MODE_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "net/grpc_server.h"
#include "net/server/pd_caller.h"

namespace flaredb::net {

// What the cluster waits for, a sentence each, as far as this store was told.
using Waiting = std::function<std::vector<std::string>()>;

// Registers GetMode, ListNamespaceModes and UpdateNamespaceMode; `server` must not be listening
// yet. `pd` outlives it. It is asked by way of this store, so any store answers.
void RegisterModeService(GrpcServer* server, PdCaller* pd, Waiting waiting);

}  // namespace flaredb::net

#endif  // FLAREDB_NET_SERVER_MODE_SERVICE_H_
